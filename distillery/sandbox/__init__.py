"""Runs an untrusted Python program under limits. What it says is data; no safe place to run it is an outcome.

DISTILLERY_SANDBOX names the backend: bubblewrap (where it names none), piston or sandbox_fusion at
DISTILLERY_SANDBOX_URL, or process, which isolates nothing and is used only when named. No other one is tried.
"""

from __future__ import annotations

import os
import subprocess

from distillery.sandbox import local
from distillery.sandbox.local import available
from distillery.sandbox.remote import run_remote
from distillery.sandbox.result import Ended, Limits, Result

__all__ = [
    "Ended",
    "Limits",
    "Result",
    "available",
    "chosen",
    "guarded",
    "is_remote",
    "run_python",
    "start_python",
]


def chosen() -> str:
    """The backend that DISTILLERY_SANDBOX names, bubblewrap where it names none."""
    return os.environ.get("DISTILLERY_SANDBOX") or "bubblewrap"


def is_remote(backend: str) -> bool:
    return backend in ("piston", "sandbox_fusion")


def guarded(backend: str) -> bool:
    """Whether no program can touch its supervisor; else one that is lost was killed by its program."""
    return backend == "bubblewrap" and local.guarded(local.isolation())


def run_python(
    code: str,
    *,
    stdin: str = "",
    limits: Limits | None = None,
    backend: str | None = None,
    supervised: bool = False,
    runs: int = 1,
) -> Result:
    """`supervised`: a program of ours that confines others itself, `runs` of them one after another.

    It finds in argv[1] the limits as JSON, with `uid`, that of a user to become (0: there is none; the next
    is free as well), and `sealed`, whether all processes that it sees are of this run; remotely no argv[1].
    """
    limits, backend = limits or Limits(), backend or chosen()
    if is_remote(backend):
        return run_remote(code, stdin, limits, backend)
    flags = _flags(backend)
    if isinstance(flags, str):
        return Result("", flags, None, Ended.UNAVAILABLE)
    return local.run(code, stdin, limits, flags, supervised=supervised, runs=runs)


def start_python(code: str, *, limits: Limits) -> subprocess.Popen[bytes] | str:
    """A `supervised` program that stays, where nothing can be written; a text says why there is none."""
    if is_remote(backend := chosen()):
        return f"DISTILLERY_SANDBOX: no program stays in {backend!r}; bubblewrap keeps one"
    flags = _flags(backend)
    return flags if isinstance(flags, str) else local.start(code, limits, flags)


def _flags(backend: str) -> tuple[str, ...] | str:
    """Those of bubblewrap, none for a plain process; a text says why there is no sandbox."""
    if backend == "process":
        return ()
    if backend != "bubblewrap":
        known = "bubblewrap, piston, process, sandbox_fusion"
        return f"DISTILLERY_SANDBOX: {backend!r} is no sandbox; known ones: {known}"
    return available() or local.isolation()
