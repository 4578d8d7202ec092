"""Sandboxes behind HTTP: Piston (POST /api/v2/execute) and SandboxFusion (POST /run_code).

What isolates a program is theirs, and so are the limits beyond the times asked for here. Whatever goes wrong
on the way, a full queue included, is BROKEN or UNAVAILABLE: never the program's fault.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any

from distillery.sandbox.result import Ended, Limits, Result

URL = "DISTILLERY_SANDBOX_URL"
_TRIES = 5
_FIRST_PAUSE_S = 0.25
_BUSY = frozenset({429, 502, 503, 504})
_MOST_REPLY = 64 << 20  # bytes


def run_remote(code: str, stdin: str, limits: Limits, backend: str) -> Result:
    url = os.environ.get(URL, "").rstrip("/")
    if not url:
        return Result("", f"{backend}: {URL} is not set; it is the server's address", None, Ended.UNAVAILABLE)
    path, ask, read = _APIS[backend]
    begin = time.monotonic()
    try:
        found = read(_post(url + path, ask(code, stdin, limits), timeout_s=limits.wall_s + 60))
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", "") or error
        said = f"{backend}: no answer from {url}: {reason}; start it, or set {URL} to where it is"
        return Result("", said, None, Ended.UNAVAILABLE)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Result("", f"{backend}: a reply that cannot be read: {error!r}", None, Ended.BROKEN)
    flooded = max(len(found.stdout), len(found.stderr)) > limits.output_bytes
    outcome = Ended.FLOODED if flooded and found.outcome is Ended.FINISHED else found.outcome
    return replace(found, outcome=outcome, seconds=time.monotonic() - begin)


def _post(url: str, message: dict[str, Any], *, timeout_s: float) -> Any:
    data = json.dumps(message).encode()
    for last in [False] * (_TRIES - 1) + [True]:
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as reply:
                return json.loads(reply.read(_MOST_REPLY))
        except urllib.error.HTTPError as error:
            with error:
                if last or error.code not in _BUSY:
                    raise OSError(f"HTTP {error.code}: {error.read(300).decode(errors='replace')}") from None
        time.sleep(_FIRST_PAUSE_S)
    raise AssertionError


def _ask_piston(code: str, stdin: str, limits: Limits) -> dict[str, Any]:
    return {
        "language": "python",
        "version": "3.x",
        "files": [{"name": "program.py", "content": code}],
        "stdin": stdin,
        "run_timeout": int(1000 * limits.wall_s),
        "run_cpu_time": 1000 * limits.cpu_s,
        "run_memory_limit": limits.memory_bytes,
    }


def _read_piston(reply: dict[str, Any]) -> Result:
    """`status` (newer servers): TO time, OL output, EL standard error, XX the sandbox, RE, SG its end."""
    run = reply["run"]
    said = f"piston: {run.get('message') or run.get('signal') or ''}"
    if run.get("status") == "XX":
        return Result("", said, None, Ended.BROKEN)
    outcome = {"TO": Ended.TIMEOUT, "OL": Ended.FLOODED, "EL": Ended.FLOODED}.get(
        run.get("status") or "", Ended.FINISHED
    )
    code: int | None = run["code"]
    # killed: for its time or memory, older servers do not say which
    if outcome is Ended.FINISHED and code is None:
        outcome = Ended.TIMEOUT if run["signal"] == "SIGKILL" else Ended.FINISHED
        code = -9 if run["signal"] == "SIGKILL" else -1
    return Result(run["stdout"], run["stderr"], code, outcome)


def _ask_fusion(code: str, stdin: str, limits: Limits) -> dict[str, Any]:
    return {
        "code": code,
        "language": "python",
        "stdin": stdin,
        "run_timeout": limits.wall_s,
        "memory_limit_MB": limits.memory_bytes >> 20,
    }


def _read_fusion(reply: dict[str, Any]) -> Result:
    run = reply.get("run_result")
    if reply["status"] == "SandboxError" or run is None or run["status"] == "Error":
        return Result("", f"sandbox_fusion: {reply.get('message') or run}", None, Ended.BROKEN)
    outcome = Ended.TIMEOUT if run["status"] == "TimeLimitExceeded" else Ended.FINISHED
    return Result(run.get("stdout") or "", run.get("stderr") or "", run.get("return_code"), outcome)


_APIS = {
    "piston": ("/api/v2/execute", _ask_piston, _read_piston),
    "sandbox_fusion": ("/run_code", _ask_fusion, _read_fusion),
}
