"""Runs inside the sandbox, sent there as text: how judge and program speak, in plain values only.

What has no plain form stays where it is, and the other side holds its number: it can be called, read and
walked through, and equals itself alone, whatever its class says of ==.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import itertools
import json
import os
import select
import struct
import types
from functools import partial
from time import monotonic
from typing import Any

from distillery.verify.program.in_sandbox.operations import perform, refuse_inside
from distillery.verify.program.in_sandbox.plain_values import (
    DICTS,
    EXACT,
    MANY,
    SCALARS,
    TYPES,
    adopt,
    by_value,
    defaulting,
    named,
    named_tuple,
    pack_simple,
    restore,
    state_of,
    unpack_simple,
)
from distillery.verify.program.in_sandbox.statements import Statements

MOST_BYTES = 64 << 20  # of one message
CHUNK = 64  # items of a generator that are fetched at once
dumps, loads, read_fd, write_fd = json.dumps, json.loads, os.read, os.write  # as they were before the program
AHEAD = "distillery"  # marks what the program raised, and not the test


class Foul(BaseException):
    """The program's process is gone or talks nonsense: no `except Exception` of a test shall hide it."""


class Line:
    """Messages, JSON with its length before it. Ends with the other's process, whoever holds its pipes."""

    def __init__(self, read: int, write: int, pid: int = 0) -> None:
        self._read, self._write = read, write
        self._alive = os.pidfd_open(pid) if pid else None
        self._waited_s = 0.0
        self._since: float | None = None
        if pid:
            os.set_blocking(write, False)

    def say(self, message: Any) -> None:
        data = dumps(message).encode()
        rest = memoryview(struct.pack(">I", len(data)) + data)
        while rest:
            try:
                rest = rest[write_fd(self._write, rest) :]
            except BlockingIOError:
                self._wait([], [self._write])
            except BrokenPipeError:
                raise Foul from None

    def hear(self) -> Any:
        (size,) = struct.unpack(">I", self._take(4))
        if size > MOST_BYTES:
            raise Foul(f"a result of {size} bytes")
        try:
            return loads(self._take(size))
        except (ValueError, RecursionError):
            raise Foul("a result that is none") from None

    def waited_s(self) -> float:
        """For the other side, so far."""
        since = self._since
        return self._waited_s + (0.0 if since is None else monotonic() - since)

    def _take(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            self._wait([self._read], [])
            part = read_fd(self._read, min(size, 1 << 20))
            if not part:
                raise Foul
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _wait(self, reads: list[int], writes: list[int]) -> None:
        if self._alive is None:
            return
        self._since = monotonic()
        ready = select.select([*reads, self._alive], writes, [])
        self._waited_s, self._since = self.waited_s(), None
        if ready[0] == [self._alive] and not ready[1]:
            raise Foul


class Codec:
    """Plain values as JSON; the rest as a number by which the other side knows it.

    `classes` are those that both sides have, from the prompt: their instances travel by value, as a table
    that lists and trees may be as deep in as they like.
    """

    def __init__(self, line: Line, classes: dict[str, type], *, wary: bool) -> None:
        self.line = line
        self.wary = wary  # of the other side, which may use what it is given and look no further
        self.asked = 0
        self.believes = False  # its objects, when they say that they hold something
        self.classes = classes
        self.mine: dict[int, Any] = {}  # told of, by id; kept alive so that no id comes twice
        self.theirs: dict[int, Any] = {}
        self.unawaited: set[int] = set()  # coroutines of theirs that nobody here has waited for
        self.statements = Statements()

    def pack(self, value: Any) -> Any:
        found: dict[int, int] = {}
        owed: list[Any] = []
        table: list[Any] = []
        root = self._pack(value, found, owed)
        while len(table) < len(owed):
            thing = owed[len(table)]
            state = {name: self._pack(inner, found, owed) for name, inner in state_of(thing).items()}
            table.append([type(thing).__name__, state])
        return {"t": "graph", "v": root, "o": table} if table else root

    def _pack(self, value: Any, found: dict[int, int], owed: list[Any]) -> Any:
        kind = type(value)
        if kind in EXACT:
            return value
        if kind is int:
            return value if -(1 << 200) < value < 1 << 200 else {"t": "int", "v": hex(value)}
        if kind is list:
            return [self._pack(item, found, owed) for item in value]
        for name, many in MANY.items():
            if isinstance(value, many):
                more = named(value) if many is tuple else {}
                return {"t": name, "v": [self._pack(item, found, owed) for item in value]} | more
        if isinstance(value, dict):
            name = kind.__name__ if kind.__name__ in DICTS else "dict"
            pairs = [[self._pack(k, found, owed), self._pack(v, found, owed)] for k, v in value.items()]
            return {"t": name, "v": pairs} | defaulting(value)
        if by_value(value, self.classes):
            if id(value) not in found:
                found[id(value)] = len(owed)
                owed.append(value)
            return {"t": "o", "v": found[id(value)]}
        return self._pack_rare(value, found, owed)

    def _pack_rare(self, value: Any, found: dict[int, int], owed: list[Any]) -> Any:
        for plain in (int, float, str):
            if isinstance(value, plain) and not type(value).__module__.startswith("numpy"):
                return self._pack(plain(value), found, owed)
        if isinstance(value, list | collections.deque):
            name = "deque" if isinstance(value, collections.deque) else "list"
            return {"t": name, "v": [self._pack(item, found, owed) for item in value]}
        simple = pack_simple(value)
        return self.refer(value) if simple is None else simple

    def refer(self, value: Any) -> Any:
        if isinstance(value, Remote):
            return {"t": "yours", "v": object.__getattribute__(value, "_number")}
        self.mine[id(value)] = value
        kinds = (types.CoroutineType, "coroutine"), (types.AsyncGeneratorType, "items")
        name = next((name for kind, name in kinds if isinstance(value, kind)), "mine")
        return {"t": name, "v": id(value)}

    def unpack(self, data: Any) -> Any:
        try:
            if isinstance(data, dict) and data["t"] == "graph":
                things = [object.__new__(self.classes[name]) for name, _ in data["o"]]
                for thing, (_, state) in zip(things, data["o"], strict=True):
                    restore(thing, {name: self._unpack(inner, things) for name, inner in state.items()})
                return self._unpack(data["v"], things)
            return self._unpack(data, [])
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
            raise Foul("a result that is none") from None

    def _unpack(self, data: Any, things: list[Any]) -> Any:
        if type(data) is list:
            if SCALARS.issuperset(map(type, data)):
                return list(data)  # what came stays as it was, to see by it what a function changed
            return [self._unpack(item, things) for item in data]
        if type(data) is not dict:
            return data
        kind: str = data["t"]
        value: Any = data.get("v")
        if kind in MANY:
            many = MANY[kind](self._unpack(item, things) for item in value)
            return named_tuple(*data["n"])(*many) if "n" in data else many
        if kind in DICTS:
            pairs = {self._unpack(k, things): self._unpack(v, things) for k, v in value}
            return collections.defaultdict(TYPES[data["d"]], pairs) if "d" in data else DICTS[kind](pairs)
        if kind in ("list", "deque"):
            items = [self._unpack(item, things) for item in value]
            return items if kind == "list" else collections.deque(items)
        return things[value] if kind == "o" else self._unpack_reference(kind, value)

    def _unpack_reference(self, kind: str, value: Any) -> Any:
        match kind:
            case "mine":
                return self.theirs.setdefault(value, Remote(self, value))
            case "yours":
                return self.mine[value]
            case "coroutine":
                self.unawaited.add(value)
                return self.their_result(value)
            case "items":
                return self.their_items(value)
            case _:
                return unpack_simple(kind, value)

    def operate(self, what: str, number: int, *rest: Any) -> Any:
        """An operation on something of theirs; what they ask meanwhile is answered."""
        self.asked += 1
        if what == "call":
            self.statements.now()
        self.line.say([what, number, *map(self.pack, rest)])
        while True:
            word, *said = self.hear()
            match word:
                case "value":
                    result = self.unpack(said[0])
                    change = partial(self._adopt, what, rest, said[1])
                    change() if result is None or said[1] is None else self.statements.later(change)
                    return result
                case "raise":
                    self._adopt(what, rest, said[2] if len(said) > 2 else None)
                    raise raised(*map(str, said[:2]))
                case _:
                    self.answer(word, said)

    def _adopt(self, what: str, rest: tuple[Any, ...], changed: Any) -> None:
        """What a call did to its arguments."""
        if what != "call" or changed is None:
            return
        new = self.unpack(changed)
        try:
            args, named = new
            adopt(rest[0], args)
            for name, value in named.items():
                adopt(rest[1][name], value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Foul(f"a result that is none: {type(error).__name__}") from None

    def hear(self) -> list[Any]:
        said = self.line.hear()
        if not isinstance(said, list) or len(said) < 2 + (said[:1] in (["value"], ["raise"])):
            raise Foul("a reply that is none")
        return said

    def answer(self, what: str, said: list[Any]) -> None:
        rest: list[Any] = []
        try:
            thing = self.mine[said[0]]
            rest = [self.unpack(item) for item in said[1:]]
            if self.wary:
                refuse_inside(what, thing, rest)
            reply = ["value", self.pack(perform(what, thing, rest))]
        except Exception as error:  # noqa: BLE001 -- whatever was raised is what the other side asked for
            reply = ["raise", type(error).__name__, str(error)[:300]]
        except SystemExit:
            reply = ["raise", "SystemExit", ""]
        try:
            changed = what == "call" and bool(rest) and [self.pack(item) for item in rest] != said[1:]
            message = [*reply, self.pack(rest) if changed else None]
        except RecursionError as error:
            message = ["raise", "RecursionError", f"arguments that have no end: {error}", None]
        self.line.say(message)

    async def their_result(self, number: int) -> Any:
        self.unawaited.discard(number)
        return self.operate("await", number)

    async def their_items(self, number: int) -> Any:
        while item := self.operate("anext", number):
            yield item[0]


def raised(kind: str, said: str) -> Exception:
    """What the program raised, as the built-in exception of that name."""
    found = getattr(builtins, kind, None)
    error: Exception = RuntimeError(f"{kind}: {said}")
    ends = (StopIteration, StopAsyncIteration)  # `map` would take one for the end of its items
    if isinstance(found, type) and issubclass(found, Exception) and not issubclass(found, ends):
        with contextlib.suppress(TypeError):  # one that takes more than a message
            error = found(said)
    error.__dict__[AHEAD] = True
    return error


class Remote:
    """What only the other side has. Equal to itself alone, whatever its class says of ==."""

    def __init__(self, codec: Codec, number: int) -> None:
        for name, value in (("_codec", codec), ("_number", number)):
            object.__setattr__(self, name, value)

    def __call__(self, *args: Any, **named: Any) -> Any:
        return _ask(self, "call", args, named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__array"):  # numpy would read memory of ours wherever it is told to
            raise AttributeError(name)
        return _ask(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "set", name, value)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self, "method", "__getitem__", (key,))

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask(self, "method", "__setitem__", (key, value))

    def __contains__(self, key: Any) -> bool:
        if object.__getattribute__(self, "_codec").believes:
            return bool(_ask(self, "method", "__contains__", (key,)))
        return any(key == item for item in self)

    def __len__(self) -> int:
        return int(_ask(self, "method", "__len__", ()))

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return str(_ask(self, "method", "__str__", ()))

    def __iter__(self) -> Any:
        items = _ask(self, "iter")
        # the first ones singly: the next may take for ever, and the test not ask for it
        for size in itertools.chain(itertools.repeat(1, CHUNK), itertools.repeat(CHUNK)):
            chunk = _ask(items, "next", size)
            if not chunk:
                return
            yield from chunk

    def __next__(self) -> Any:
        for item in _ask(self, "next", 1):
            return item
        raise StopIteration


def _ask(thing: Remote, what: str, *rest: Any) -> Any:
    inside = object.__getattribute__
    return inside(thing, "_codec").operate(what, inside(thing, "_number"), *rest)
