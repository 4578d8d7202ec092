"""Runs inside the sandbox, sent there as text: how the judge and a program's process speak, in plain values only.

What has no plain form stays where it is, and the other side holds its number: it can be called, read and walked
through, and equals itself alone, whatever its class says of ==.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import datetime
import decimal
import fractions
import importlib
import itertools
import json
import os
import select
import struct
from typing import Any

SCALARS = frozenset({type(None), bool, int, float, str})
EXACT = frozenset({type(None), bool, float, str})
MANY = {"tuple": tuple, "set": set, "frozenset": frozenset}
DICTS = {"dict": dict, "Counter": collections.Counter, "OrderedDict": collections.OrderedDict}
DATES = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}
MOST_BYTES = 64 << 20  # of one message
CHUNK = 64  # items of a generator that are fetched at once
dumps, loads, read_fd, write_fd = json.dumps, json.loads, os.read, os.write  # as they were before the program
TEST = "test"
AHEAD = "distillery"  # marks what the program raised, and not the test


class Foul(BaseException):
    """The program's process is gone or talks nonsense: no `except Exception` of a test shall hide it."""


class Line:
    """Messages, each a JSON value with its length before it. Ends with the other's process, whoever holds its pipes."""

    def __init__(self, read: int, write: int, pid: int = 0) -> None:
        self._read, self._write = read, write
        self._alive = os.pidfd_open(pid) if pid else None
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
        ready = select.select([*reads, self._alive], writes, [])
        if ready[0] == [self._alive] and not ready[1]:
            raise Foul


class Codec:
    """Plain values as JSON; the rest as a number by which the other side knows it.

    `classes` are those that both sides have, from the prompt: their instances travel by value, as a table that
    lists and trees may be as deep in as they like.
    """

    def __init__(self, line: Line, classes: dict[str, type]) -> None:
        self.line = line
        self.classes = classes
        self.mine: dict[int, Any] = {}  # told of, by id; kept alive so that no id comes twice
        self.theirs: dict[int, Any] = {}

    def pack(self, value: Any) -> Any:
        found: dict[int, int] = {}
        owed: list[Any] = []
        table: list[Any] = []
        root = self._pack(value, found, owed)
        while len(table) < len(owed):
            thing = owed[len(table)]
            state = {name: self._pack(inner, found, owed) for name, inner in vars(thing).items()}
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
                return {"t": name, "v": [self._pack(item, found, owed) for item in value]}
        if isinstance(value, dict):
            name = kind.__name__ if kind.__name__ in DICTS else "dict"
            pairs = [[self._pack(k, found, owed), self._pack(v, found, owed)] for k, v in value.items()]
            return {"t": name, "v": pairs}
        if self.classes.get(kind.__name__) is kind and hasattr(value, "__dict__"):
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
        if simple is not None:
            return simple
        return self.refer(value)

    def refer(self, value: Any) -> Any:
        if isinstance(value, Remote):
            return {"t": "yours", "v": object.__getattribute__(value, "_number")}
        self.mine[id(value)] = value
        kind = "class" if isinstance(value, type) else "callable" if callable(value) else "thing"
        return {"t": "mine", "v": id(value), "k": kind}

    def unpack(self, data: Any) -> Any:
        try:
            if isinstance(data, dict) and data["t"] == "graph":
                things = [object.__new__(self.classes[name]) for name, _ in data["o"]]
                for thing, (_, state) in zip(things, data["o"], strict=True):
                    vars(thing).update({name: self._unpack(inner, things) for name, inner in state.items()})
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
            return MANY[kind](self._unpack(item, things) for item in value)
        if kind in DICTS:
            pairs = {self._unpack(k, things): self._unpack(v, things) for k, v in value}
            return DICTS[kind](pairs)
        match kind:
            case "o":
                return things[value]
            case "mine":
                return self.theirs.setdefault(value, Remote(self, value, data["k"]))
            case "yours":
                return self.mine[value]
            case "list" | "deque":
                items = [self._unpack(item, things) for item in value]
                return items if kind == "list" else collections.deque(items)
            case _:
                pass
        return unpack_simple(kind, value)

    def operate(self, what: str, number: int, *rest: Any) -> Any:
        """An operation on something of theirs; what they ask meanwhile is answered."""
        self.line.say([what, number, *map(self.pack, rest)])
        while True:
            word, *said = self.hear()
            match word:
                case "value":
                    if said[1] is not None:
                        args, named = self.unpack(said[1])
                        adopt(rest[0], args)
                        for name, value in named.items():
                            adopt(rest[1][name], value)
                    return self.unpack(said[0])
                case "raise":
                    raise raised(*map(str, said))
                case _:
                    self.answer(word, said)

    def hear(self) -> list[Any]:
        said = self.line.hear()
        if not isinstance(said, list) or len(said) < 3:
            raise Foul("a reply that is none")
        return said

    def answer(self, what: str, said: list[Any]) -> None:
        try:
            thing = self.mine[said[0]]
            rest = [self.unpack(item) for item in said[1:]]
            reply = ["value", self.pack(result := perform(what, thing, rest)), None]
            if (
                what == "call"
                and result is None
                and (changed := [self.pack(item) for item in rest]) != said[1:]
            ):
                reply[2] = self.pack(rest)
                del changed
        except Exception as error:  # noqa: BLE001 -- whatever was raised is what the other side asked for
            reply = ["raise", type(error).__name__, str(error)[:300]]
        except SystemExit:
            reply = ["raise", "SystemExit", ""]
        self.line.say(reply)


def perform(what: str, thing: Any, rest: list[Any]) -> Any:
    match what:
        case "call":
            return thing(*rest[0], **rest[1])
        case "get":
            return getattr(thing, rest[0])
        case "set":
            return setattr(thing, rest[0], rest[1])
        case "method":
            if not hasattr(type(thing), rest[0]):  # list() asks for a length, and goes on without one
                raise TypeError(f"{type(thing).__name__!r} object has no {rest[0]}")
            return getattr(type(thing), rest[0])(thing, *rest[1])
        case "iter":
            return Items(iter(thing))
        case "next":
            return list(itertools.islice(thing, rest[0]))
        case _:
            raise TypeError(what)


class Items:
    """An iterator that no codec takes for a plain value."""

    def __init__(self, items: Any) -> None:
        self._items = items

    def __iter__(self) -> Any:
        return self._items


def raised(kind: str, said: str) -> Exception:
    """What the program raised, as the built-in exception of that name."""
    found = getattr(builtins, kind, None)
    error: Exception = RuntimeError(f"{kind}: {said}")
    if isinstance(found, type) and issubclass(found, Exception):
        with contextlib.suppress(TypeError):  # one that takes more than a message
            error = found(said)
    error.__dict__[AHEAD] = True
    return error


def adopt(old: Any, new: Any) -> None:
    """What a function that returns nothing did to its arguments."""
    if type(old) is not type(new):
        return
    if isinstance(old, tuple):
        for one, other in zip(old, new, strict=False):
            adopt(one, other)
    elif isinstance(old, list):
        old[:] = new
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)
    elif isinstance(old, collections.deque):
        old.clear()
        old.extend(new)
    elif type(old).__module__ == TEST:
        vars(old).update(vars(new))


def pack_simple(value: Any) -> Any:
    kind: Any = type(value)
    name = kind.__name__
    if kind is complex:
        return {"t": "complex", "v": [value.real, value.imag]}
    if kind in (bytes, bytearray):
        return {"t": name, "v": bytes(value).hex()}
    if kind is range:
        return {"t": "range", "v": [value.start, value.stop, value.step]}
    if kind in DATES.values():
        return {"t": name, "v": value.isoformat()}
    if kind is datetime.timedelta:
        return {"t": "timedelta", "v": [value.days, value.seconds, value.microseconds]}
    if kind in (decimal.Decimal, fractions.Fraction):
        return {"t": name, "v": str(value)}
    if isinstance(value, type) and getattr(builtins, value.__name__, None) is value:
        return {"t": "type", "v": value.__name__}
    if kind.__module__ == "numpy" and hasattr(value, "dtype"):
        return {"t": "numpy", "v": [value.dtype.str, list(value.shape), pack_numbers(value.ravel().tolist())]}
    return None


def pack_numbers(values: list[Any]) -> list[Any]:
    return [[v.real, v.imag] if isinstance(v, complex) else v for v in values]


def unpack_simple(kind: str, value: Any) -> Any:
    match kind:
        case "int":
            return int(value, 16)
        case "complex":
            return complex(*value)
        case "bytes" | "bytearray":
            return bytes.fromhex(value) if kind == "bytes" else bytearray.fromhex(value)
        case "range":
            return range(*value)
        case "datetime" | "date" | "time":
            return DATES[kind].fromisoformat(value)
        case "timedelta":
            return datetime.timedelta(*value)
        case "Decimal" | "Fraction":
            return (decimal.Decimal if kind == "Decimal" else fractions.Fraction)(value)
        case "type":
            return {name: it for name, it in vars(builtins).items() if isinstance(it, type)}[value]
        case "numpy":
            return unpack_numpy(*value)
        case _:
            raise ValueError(kind)


def unpack_numpy(dtype: str, shape: list[int], data: list[Any]) -> Any:
    numpy: Any = importlib.import_module("numpy")
    if numpy.dtype(dtype).kind not in "biufcSU":
        raise ValueError(dtype)
    if numpy.dtype(dtype).kind == "c":
        data = [complex(*pair) for pair in data]
    return numpy.array(data, dtype=dtype).reshape(shape)[()]


class Remote:
    """What only the other side has. Equal to itself alone, whatever its class says of ==."""

    def __init__(self, codec: Codec, number: int, kind: str) -> None:
        for name, value in (("_codec", codec), ("_number", number), ("_kind", kind)):
            object.__setattr__(self, name, value)

    def __call__(self, *args: Any, **named: Any) -> Any:
        return _ask(self, "call", args, named)

    def __getattr__(self, name: str) -> Any:
        return _ask(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "set", name, value)

    def __getitem__(self, key: Any) -> Any:
        return _ask(self, "method", "__getitem__", (key,))

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask(self, "method", "__setitem__", (key, value))

    def __contains__(self, key: Any) -> bool:
        return bool(_ask(self, "method", "__contains__", (key,)))

    def __len__(self) -> int:
        return int(_ask(self, "method", "__len__", ()))

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return str(_ask(self, "method", "__str__", ()))

    def __iter__(self) -> Any:
        items = _ask(self, "iter")
        while chunk := _ask(items, "next", CHUNK):
            yield from chunk

    def __next__(self) -> Any:
        for item in _ask(self, "next", 1):
            return item
        raise StopIteration


def _ask(thing: Remote, what: str, *rest: Any) -> Any:
    inside = object.__getattribute__
    return inside(thing, "_codec").operate(what, inside(thing, "_number"), *rest)
