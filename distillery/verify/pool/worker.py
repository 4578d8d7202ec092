"""A judge's process, started by `processes` only: reads errands as JSON lines, answers each with a line.

It may die at any moment and be replaced. It ends itself when its parent is gone: by end of file or a changed
parent while idle, by the kernel's timer while it is lost in a computation.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from distillery.errors import ConfigError
from distillery.records import Outcome, Verdict
from distillery.verify import get_checker

_GRACE_S = 5.0  # after the deadline, at which the parent should have killed us
_LOOK_S = 2.0  # how often an idle worker looks whether its parent is there


def main() -> None:
    memory_bytes = int(sys.argv[1])
    replies = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints must not speak to the parent
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # kills also inside C code that never returns to Python
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C is for the parent, which then closes our input
    functions: dict[str, Callable[..., Verdict] | Verdict] = {}
    for line in _lines(0, parent=os.getppid()):
        errand = json.loads(line)
        name = errand["checker"]
        if name not in functions:
            functions[name] = _load(name)
            _write(replies, {"ready": name})
        signal.setitimer(signal.ITIMER_REAL, errand["deadline_s"] + _GRACE_S)
        verdict = _do(functions[name], errand["data"])
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write(replies, asdict(verdict))


def _load(name: str) -> Callable[..., Verdict] | Verdict:
    """A checker's work; where it cannot start, the verdict on every errand."""
    try:
        checker = get_checker(name, own=[name])
        checker.prepare()
    except (ImportError, ConfigError) as error:
        return Verdict(Outcome.ERROR, detail=f"the {name} checker cannot start: {error}")
    return checker.work


def _do(work: Callable[..., Verdict] | Verdict, data: dict[str, Any]) -> Verdict:
    try:
        return work if isinstance(work, Verdict) else work(**data)
    except MemoryError:
        return Verdict(Outcome.ERROR, detail="out of the worker's memory")
    except Exception as error:  # noqa: BLE001 -- whatever a library raises on some row is an outcome of that row
        said = f"{type(error).__name__}: {str(error)[:300]}"
        return Verdict(Outcome.ERROR, detail=said.encode(errors="replace").decode())


def _lines(fd: int, *, parent: int) -> Iterator[bytes]:
    """Complete lines until end of file; or until the parent is gone, whose forks may hold the pipe open."""
    buffer = b""
    while True:
        *lines, buffer = buffer.split(b"\n")
        yield from lines
        while not select.select([fd], [], [], _LOOK_S)[0]:
            if os.getppid() != parent:
                return
        chunk = os.read(fd, 1 << 16)
        if not chunk:
            return
        buffer += chunk


def _write(fd: int, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(fd, data) :]


if __name__ == "__main__":
    main()
