"""The sandbox's first process: has loaded reasoning-gym, and judges rows whose scorers only compare.

Where a scorer would compute something from text, a fork does, which has no way to this one's output, memory
or life; with a row whose text is no arithmetic it ends. A line in, a line out: what `scoring.judged` says.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import importlib.machinery
import json
import os
import select
import signal
import sys
import types
from typing import Any, NoReturn

from distillery.sandbox.confine import confine, guard, write_all
from distillery.verify.puzzles.in_sandbox.scoring import WARM, judged
from distillery.verify.puzzles.in_sandbox.values import Values, unless_nonzero

MOST_REPLY = 1 << 16
RAN_CODE = 97  # the status of a process that was ended before it ran text as code
_STARTS = "os.exec", "os.posix_spawn", "os.spawn", "os.system", "pickle.", "subprocess.", "socket."

_GENERATORS = ("sympy.polys.monomials",)  # whose code is its own, and depends on a number of unknowns only


def main() -> None:
    settings: dict[str, Any] = json.loads(sys.argv[1])
    replies, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)  # some scorers print what they are given
    sys.meta_path.insert(0, Undrawn())
    import reasoning_gym  # noqa: F401  # pyright: ignore[reportUnusedImport]

    values = Values(here=True)
    replace_evaluators(values)
    for row in WARM:
        judged(row, values)
    guard(settings["uid"])
    sys.addaudithook(end_at_code)
    gc.freeze()  # else the first collection in each fork copies all pages
    write_all(replies, b"ready\n")
    os.dup2(null, 2)
    values.here = False
    fork: Fork | None = None
    with open(0, "rb", closefd=False) as rows:
        for line in rows:
            found = judged(json.loads(line), values)
            if values.wanted:
                fork = fork or Fork(settings, values)
                found = fork.ask(line)
                if found.get("refused") or "score" not in found:
                    fork = fork.end()
            write_all(replies, json.dumps(found).encode() + b"\n")


def anything(_: str) -> type:
    return object


class Undrawn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Instead of matplotlib, which dependencies import to draw: it does not load where it cannot write."""

    def find_spec(self, fullname: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        ours = fullname.partition(".")[0] in ("matplotlib", "mpl_toolkits")
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if ours else None

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module)["__getattr__"] = anything


class Fork:
    """Computes what rows ask for, until one brings what is nothing to compute: a fork ends with that row."""

    def __init__(self, settings: dict[str, Any], values: Values) -> None:
        (read, self._send), (self._receive, write) = os.pipe(), os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            serve(become(read, write, settings), values)
        os.close(read)
        os.close(write)

    def ask(self, row: bytes) -> dict[str, Any]:
        with contextlib.suppress(BrokenPipeError):
            write_all(self._send, row)
        looks = select.poll()
        looks.register(self._receive, select.POLLIN)
        looks.register(0, 0)  # who asks is gone
        reply = b""
        while not reply.endswith(b"\n") and len(reply) <= MOST_REPLY:
            if any(fd == 0 and event & (select.POLLHUP | select.POLLERR) for fd, event in looks.poll()):
                os.kill(self._pid, signal.SIGKILL)
                sys.exit()
            chunk = os.read(self._receive, MOST_REPLY)
            if not chunk:
                return {"error": self._last_word()}
            reply += chunk
        return json.loads(reply)

    def _last_word(self) -> str:
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        self._pid = 0
        return (
            "the scorer was about to run text as code" if status == RAN_CODE else f"it died, status {status}"
        )

    def end(self) -> None:
        os.close(self._send)
        os.close(self._receive)
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


def become(read: int, write: int, settings: dict[str, Any]) -> tuple[int, int]:
    """In the fork: nothing of the parent's but the two pipes, and the right to nothing."""
    read, write = os.dup2(read, 200), os.dup2(write, 201)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(3, 200)
    os.closerange(202, 1024)
    confine(settings, settings["uid"])
    return read, write


def serve(pipes: tuple[int, int], values: Values) -> NoReturn:
    read, write = pipes
    values.here = True
    status = 1
    try:
        with open(read, "rb", closefd=False) as rows:
            for row in rows:
                write_all(write, json.dumps(judged(json.loads(row), values)).encode() + b"\n")
        status = 0
    finally:
        os._exit(status)


def replace_evaluators(values: Values) -> None:
    """Everywhere, whatever a task is called: `eval` of reasoning-gym's modules, `parse_expr` of all."""
    import sympy
    import sympy.parsing.sympy_parser

    theirs = sympy.parsing.sympy_parser.parse_expr
    for name, module in list(sys.modules.items()):
        space = getattr(module, "__dict__", {})
        if name.partition(".")[0] == "reasoning_gym":
            space["eval"] = values.plain
        for held in [held for held, value in space.items() if value is theirs]:
            space[held] = values.symbolic
    sympy.simplify = unless_nonzero(sympy.simplify)


def end_at_code(event: str, args: tuple[Any, ...]) -> None:
    """Text that is run as code, from wherever: not by any evaluator that is known here."""
    if event == "exec":
        name = getattr(args[0], "co_filename", "<")
        who = sys._getframe(1).f_globals.get("__name__")  # pyright: ignore[reportPrivateUsage]
        text = name.startswith("<") and not name.startswith("<frozen ") and who not in _GENERATORS
    else:
        text = event.startswith(_STARTS)
    if text:
        os._exit(RAN_CODE)


main()
