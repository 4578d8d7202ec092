"""Runs inside the sandbox: a program, then the tests that call it. Nothing imports it; its text is sent there.

Standard input holds one JSON object (program, entry_point, test), its length before it, and behind it a nonce. The
nonce is read when all tests have passed and not before, so that neither frames nor objects nor an early exit can
show or claim it. A program that goes through all descriptors could still find it there.
"""

from __future__ import annotations

import builtins
import collections
import datetime
import decimal
import fcntl
import fractions
import functools
import json
import os
import random
import sys
import types
from collections.abc import Callable
from typing import Any

PLAIN = (
    *(bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, type(None)),
    *(collections.Counter, collections.OrderedDict, collections.defaultdict, collections.deque),
    *(datetime.date, datetime.datetime, datetime.timedelta, decimal.Decimal, fractions.Fraction),
)
MOST = 1000  # members of a result that are looked at
DEEPEST = 4


def main() -> None:
    channel, replies = hide(0), hide(1)
    task = json.loads(read(channel, int(read_line(channel))))
    trusted = dict(vars(builtins))
    program: dict[str, Any] = {"__name__": "program", "__builtins__": builtins}
    exec(compile(task["program"], "program.py", "exec"), program)  # noqa: S102 -- this is the sandbox
    builtins.__dict__.update(trusted)
    # the tests see guarded functions; the program keeps its own, which may return what they like to one another
    space = {name: guarded(thing) for name, thing in program.items()}
    exec(compile(task["test"], "test.py", "exec"), space)  # noqa: S102
    if task["entry_point"] and callable(space.get("check")):
        candidate = eval(task["entry_point"], program)  # noqa: S307 -- a name, or Solution().name
        space["check"](guarded(candidate))
    os.write(replies, b"\n" + read(channel, 32) + b"\n")
    os._exit(0)


def hide(fd: int) -> int:
    """The same pipe at a number that nobody is told; /dev/null in its place."""
    hidden = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, random.SystemRandom().randrange(10, 100))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, fd)
    os.close(null)
    return hidden


def read(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = os.read(fd, size - len(data))
        if not piece:
            raise EOFError("standard input ended early")
        data += piece
    return data


def read_line(fd: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += read(fd, 1)
    return line


def guarded(function: Any) -> Any:
    if not isinstance(function, types.FunctionType | types.MethodType):
        return function
    return functools.partial(_call, function)


def _call(function: Callable[..., Any], *args: Any, **named: Any) -> Any:
    result = function(*args, **named)
    refuse_own_equality(result)
    return result


def refuse_own_equality(value: Any, depth: int = 0) -> None:
    """An object that says it equals everything would pass every test."""
    kind = type(value)
    if kind in PLAIN:
        if depth < DEEPEST and isinstance(value, dict):
            value = [*value.keys(), *value.values()]
        if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset | collections.deque):
            for item in list(value)[:MOST]:
                refuse_own_equality(item, depth + 1)
        return
    real = getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind
    if real and kind.__module__.partition(".")[0] in ("numpy", "sortedcontainers", "collections"):
        return
    if "__dataclass_fields__" in vars(kind) or isinstance(value, type):
        return
    if any("__eq__" in vars(base) or "__ne__" in vars(base) for base in kind.__mro__[:-1]):
        raise AssertionError(f"the result's class overloads ==: {kind.__name__}")


main()
