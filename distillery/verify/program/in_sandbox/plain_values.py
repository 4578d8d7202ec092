"""Runs inside the sandbox, sent there as text: the plain form of values that JSON does not know, and back.

What comes back is ours alone: it holds nothing of the program's but what is written there.
"""

from __future__ import annotations

import builtins
import collections
import datetime
import decimal
import fractions
import functools
import importlib
from typing import Any

SCALARS = frozenset({type(None), bool, int, float, str})
EXACT = frozenset({type(None), bool, float, str})
MANY = {"tuple": tuple, "set": set, "frozenset": frozenset}
DICTS = {"dict": dict, "Counter": collections.Counter, "OrderedDict": collections.OrderedDict}
DATES = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}
NUMPY = "biufcU"  # kinds of arrays that have a plain form
TYPES = {name: it for name, it in vars(builtins).items() if isinstance(it, type)}
TEST = "test"


def adopt(old: Any, new: Any) -> None:
    """What a function that returns nothing did to its arguments."""
    if isinstance(old, tuple) and isinstance(new, tuple):
        for one, other in zip(old, new, strict=False):
            adopt(one, other)
    elif type(old) is not type(new):
        return
    elif isinstance(old, list):
        old[:] = new
    elif isinstance(old, dict | set):
        old.clear()
        old.update(new)
    elif isinstance(old, collections.deque):
        old.clear()
        old.extend(new)
    elif type(old).__module__ == TEST:
        restore(old, state_of(new))


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
    if kind.__module__ == "numpy" and hasattr(value, "dtype") and value.dtype.kind in NUMPY:
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
            return TYPES[value]
        case "numpy":
            return unpack_numpy(*value)
        case _:
            raise ValueError(kind)


def unpack_numpy(dtype: str, shape: list[int], data: list[Any]) -> Any:
    numpy: Any = importlib.import_module("numpy")
    if numpy.dtype(dtype).kind not in NUMPY:
        raise ValueError(dtype)
    if numpy.dtype(dtype).kind == "c":
        data = [complex(*pair) for pair in data]
    found = numpy.array(data, dtype=dtype).reshape(shape)[()]
    return found if found.size == 0 else safe(numpy, found)


def safe(numpy: Any, found: Any) -> Any:
    """Numbers with which a comparison neither overflows nor rounds what it compares them with."""
    kind, size = found.dtype.kind, found.dtype.itemsize
    if kind == "f" and (size < 4 or not numpy.isfinite(found).all()):
        return found.astype("f8")  # 70000 is infinity at half precision
    if kind in "iu" and (found.shape == () or size == 8):
        most = int(numpy.iinfo(found.dtype).max) // 2
        if not -most < int(found.min()) <= int(found.max()) < most:
            return int(found) if found.shape == () else found.astype(object)
    return found


@functools.cache
def named_tuple(name: str, *fields: str) -> Any:
    return collections.namedtuple(name, fields)  # pyright: ignore[reportUntypedNamedTuple] -- the names are data


def named(value: Any) -> dict[str, Any]:
    """What the form of a tuple holds besides its items."""
    return {"n": [type(value).__name__, *fields]} if (fields := getattr(value, "_fields", None)) else {}


def defaulting(value: dict[Any, Any]) -> dict[str, Any]:
    """What the form of a dictionary holds besides its items; a default that is no built-in type is lost."""
    name = getattr(getattr(value, "default_factory", None), "__name__", "")
    return {"d": name} if type(value) is collections.defaultdict and name in TYPES else {}


def by_value(value: Any, classes: dict[str, type]) -> bool:
    """Whether it is an instance of a class that both sides have."""
    kind = type(value)
    return classes.get(kind.__name__) is kind and (hasattr(value, "__dict__") or hasattr(kind, "__slots__"))


def state_of(thing: Any) -> dict[str, Any]:
    if hasattr(thing, "__dict__"):
        return vars(thing)
    slots = type(thing).__slots__
    names = [slots] if isinstance(slots, str) else slots
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def restore(thing: Any, state: dict[str, Any]) -> None:
    """A state with something that can be called in place of a method is none."""
    for name, value in state.items():
        if callable(getattr(type(thing), name, None)):
            raise ValueError(name)  # noqa: TRY004 -- it is the name that is wrong
        if hasattr(thing, "__dict__"):
            vars(thing)[name] = value
        else:
            object.__setattr__(thing, name, value)
