"""Keeps a server: starts it, and ends it with all that it started once nobody holds this process's standard
input.

Run as a file by `distillery.engines.vllm_server.process`, never imported; standard library only, so that it
starts at once. Linux only, as the other processes of this package are.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_GLANCE_S = 1.0  # a pipe held by a fork of the parent does not close: the parent itself is looked for, too
_LAST_S = 5.0  # for what was killed to be gone
_NOT_STARTED = 127  # as a shell says it


def main(parent: int, grace_s: float, command: list[str]) -> int:
    """The server's exit code, 128 + n where signal n ended it, 0 where it was told to end."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1)  # whatever the server leaves behind becomes a child of this process
    woken = _wake_on_signals()
    keeper, server = os.getpid(), os.fork()
    if server == 0:
        _become(command, keeper, prctl)
    code = None
    while code is None and os.getppid() == parent:
        ready = select.select([0, woken], [], [], _GLANCE_S)[0]
        if woken in ready and any(number != signal.SIGCHLD for number in os.read(woken, 512)):
            break
        if 0 in ready and not os.read(0, 512):
            break
        code = _bury(server)[1]
    _end_all(server, grace_s, woken)
    return code or 0


def _wake_on_signals() -> int:
    """A file that is readable when a signal has come; it reads as their numbers."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _wake)
    return woken


def _wake(number: int, frame: object) -> None:
    """Only signals with a handler wake, and unlike SIG_IGN a handler does not pass on to the server."""


def _become(command: list[str], keeper: int, prctl: Any) -> None:
    """In the fork: a group of its own, no terminal, signals as they are by default; never returns."""
    try:
        os.setpgid(0, 0)
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)  # for a keeper that is killed itself
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if os.getppid() == keeper:
            os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_NOT_STARTED)


def _bury(server: int) -> tuple[bool, int | None]:
    """Whether any child is left, and the server's exit code if it was among the dead."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False, code
        if pid == 0:
            return True, code
        if pid == server:
            ended = os.waitstatus_to_exitcode(status)
            code = ended if ended >= 0 else 128 - ended


def _end_all(server: int, grace_s: float, woken: int) -> None:
    """SIGTERM, so that they can put their things in order; SIGKILL to what is left after `grace_s`."""
    _send(os.killpg, server, signal.SIGTERM)
    told: set[int] = set()
    until = monotonic() + grace_s
    while _bury(server)[0] and monotonic() < until:
        for child, group in _children().items():  # the children of the dead become ours
            if group != server and child not in told:
                _send(os.kill, child, signal.SIGTERM)
                told.add(child)
        _nap(woken, until)
    until = monotonic() + _LAST_S
    while _bury(server)[0] and monotonic() < until:
        _send(os.killpg, server, signal.SIGKILL)
        for child in _children():
            _send(os.kill, child, signal.SIGKILL)
        _nap(woken, until)


def _nap(woken: int, until: float) -> None:
    if select.select([woken], [], [], max(0.0, min(0.1, until - monotonic())))[0]:
        os.read(woken, 512)


def _send(send: Callable[[int, int], None], target: int, number: int) -> None:
    try:
        send(target, number)
    except ProcessLookupError:
        return


def _children() -> dict[int, int]:
    """This process's, with their groups."""
    found: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            stat = (process / "stat").read_text(errors="replace")
        except OSError:  # it has just ended
            continue
        parent, group = stat.rpartition(")")[2].split()[1:3]
        if int(parent) == os.getpid():
            found[int(process.name)] = int(group)
    return found


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
