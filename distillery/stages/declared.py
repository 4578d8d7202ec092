"""A stage of its options; what it says of itself is looked at before anything runs.

In a user's own file a stage may say anything, and nothing else asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, TypeVar

import polars as pl

from distillery.config import build, identity
from distillery.errors import ConfigError
from distillery.hashing import Json, is_json
from distillery.installed.dotted import border
from distillery.stages.base import AnyStage, AskingStage, Source, Uses

T = TypeVar("T", bound=AnyStage)


def open_stage(cls: type[T], options: Any, *, use: str, where: str) -> T:
    """`use` is the name by which `cls` was found, `where` the place in the file."""
    with border(use, where=f"{where}: stage"):
        stage = build(cls, options, where=where)
        if ":" in use:
            _check(stage, f"{where}: stage {use!r}")
        return stage


def stamp_of(stage: AnyStage, *, use: str, where: str) -> Json:
    with border(use, where=f"{where}: stage"):
        stamp = stage.stamp()
    if not is_json(stamp):
        raise ConfigError(f"{where}: stage {use!r}: stamp() gives {stamp!r:.80}; it would be JSON, or None")
    return stamp


def _texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) and item for item in value)


def _columns(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and (isinstance(kind, pl.DataType) or _is_type(kind))
        for name, kind in value.items()
    )


def _is_type(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pl.DataType)


def _reasons(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, StrEnum) for item in value)


def _are_uses(value: Any) -> bool:
    return isinstance(value, Uses) and _texts(value.engines) and _texts(value.prompts)


def _count(value: Any) -> bool:
    return value is None or (type(value) is int and value >= 0)


_NAMES = 'a tuple of column names, such as ("question",)'
_SAID: dict[str, tuple[Callable[[Any], bool], str]] = {
    "key": (lambda value: isinstance(value, str) and value != "", "the name of a column"),
    "reads": (_texts, _NAMES),
    "also_reads": (lambda value: value is None or _texts(value), f"None, or {_NAMES}"),
    "writes": (_columns, 'columns with their types, such as {"chars": pl.UInt32()}'),
    "reasons": (_reasons, "the members of a StrEnum, tuple(Drop)"),
    "may_drop": (lambda value: isinstance(value, bool), "True or False"),
    "fan_out": (_count, "None, or a whole number of rows"),
    "limit": (_count, "None, or a whole number of rows"),
}


def _check(stage: AnyStage, where: str) -> None:
    for option in fields(stage):  # pyright: ignore[reportArgumentType]
        value = getattr(stage, option.name)
        if option.metadata.get("identity", True) and not is_json(identity(value)):
            right = "an option is what YAML can say: texts, numbers, lists, mappings"
            raise ConfigError(f"{where}: option {option.name} is {value!r:.80}; {right}")
    for name, (fits, right) in _SAID.items():
        missing = name not in dir(type(stage))
        if missing and not (name == "writes" and isinstance(stage, Source)):
            continue
        value = None if missing else getattr(stage, name)
        if not fits(value):
            raise ConfigError(f"{where}: {name} is {value!r:.80}; it would be {right}")
    uses = stage.uses()
    if not _are_uses(uses):
        right = "it would be Uses((engine, ...), (prompt, ...))"
        raise ConfigError(f"{where}: uses() gives {uses!r:.80}; {right}")
    if isinstance(stage, AskingStage) and not uses.engines:
        raise ConfigError(f"{where}: uses() names no engine, and the stage asks one")
    if not _texts(stage.code()):
        raise ConfigError(f"{where}: code() gives {stage.code()!r:.80}; it would be a tuple of module:name")
