"""Runs inside the sandbox, sent there as text: what one side may do with a thing of the other's."""

from __future__ import annotations

import functools
import importlib
import itertools
import re
import types
from typing import Any

SPECIAL = frozenset({"__getitem__", "__setitem__", "__contains__", "__len__", "__str__"})
INSIDE = re.compile(r"_|(?:gi|cr|ag|tb|co|f|func)_")  # ways from a thing to the frames and globals around it
WAYS_IN = (eval, exec, compile, getattr, setattr, vars, globals, locals, __import__, open, str.format)


def refuse_inside(what: str, thing: Any, rest: list[Any]) -> None:
    """From a function there is a way to its globals, and from these to all by which the test judges."""
    name = rest[0] if rest else ""
    match what:
        case "get" | "set":
            inside = type(name) is not str or INSIDE.match(name) is not None
            if what == "set":
                inside = inside or isinstance(thing, type) or callable(getattr(type(thing), name, None))
        case "method":
            inside = name not in SPECIAL
        case _:
            inside = any(thing is way for way in WAYS_IN)
    if inside or isinstance(thing, types.ModuleType):
        raise AttributeError(f"{what} {rest[:1]} of a thing of the test's")


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
        case "await":
            return loop().run_until_complete(thing)
        case "anext":
            return loop().run_until_complete(following(thing))
        case _:
            raise TypeError(what)


@functools.cache
def loop() -> Any:
    """That in which all coroutines of this side run."""
    return importlib.import_module("asyncio").new_event_loop()


async def following(items: Any) -> list[Any]:
    """The next item, or nothing."""
    async for item in items:
        return [item]
    return []


class Items:
    """An iterator that no codec takes for a plain value."""

    def __init__(self, items: Any) -> None:
        self._items = items

    def __iter__(self) -> Any:
        return self._items
