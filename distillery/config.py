"""From YAML to frozen dataclasses, with errors that say where, and back to the JSON that names their identity."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from distillery.errors import ConfigError
from distillery.hashing import Json

T = TypeVar("T")

_SETTING = re.compile(r"\A([\w.\-]+)=(.*)\Z", re.DOTALL)


def build(cls: type[T], options: Mapping[str, Any], *, where: str) -> T:
    """An instance of dataclass `cls` from `options`; `where` names the place in the file.

    Unknown names are errors at every depth, with the nearest known name. A group of options of which some are given
    (`sampling: {max_tokens: 64}`) keeps the rest of this class's own default for the group.
    """
    _reject_unknown(cls, options, where)
    try:
        return _adapter(cls).validate_python({**options, **_completed(cls, options)})
    except ValidationError as error:
        found = error.errors()
        first = next(
            (one for one in found if one["type"] == "value_error"), found[0]
        )  # a union gives one each
        place = ".".join(str(part) for part in (where, *first["loc"]))
        if first["type"] == "missing":
            raise ConfigError(f"{place}: this option is missing; it has no default") from None
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"{place}: {reason} (got {first['input']!r})") from None
    except PydanticUserError as error:
        raise TypeError(f"{cls.__name__} cannot be built from YAML: {error}") from error


@lru_cache(maxsize=256)
def _adapter(cls: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(cls)  # takes milliseconds to build, and a recipe names the same stages a hundred times


def _reject_unknown(cls: type[Any], options: Mapping[str, Any], where: str) -> None:
    known = {f.name for f in dataclasses.fields(cls) if f.init}
    for name in options:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = (
                f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(sorted(known)) or 'nothing'}"
            )
            raise ConfigError(f"{where}: unknown option {name!r}; {hint}")
    hints = typing.get_type_hints(cls)
    for name, value in options.items():
        for inner in _dataclasses_in(hints[name]):
            for place, item in _mappings_in(value, f"{where}.{name}"):
                _reject_unknown(inner, item, place)


def _completed(cls: type[Any], options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    defaults = {f.name: f.default for f in dataclasses.fields(cls) if dataclasses.is_dataclass(f.default)}
    return {
        name: {f.name: getattr(default, f.name) for f in dataclasses.fields(default)} | dict(value)
        for name, default in defaults.items()
        if isinstance(value := options.get(name), Mapping) and not isinstance(default, type)
    }


def _dataclasses_in(hint: Any) -> list[type[Any]]:
    """The dataclass a hint such as `X`, `X | None` or `tuple[X, ...]` is about; none where there are several."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return [hint]
    if typing.get_origin(hint) in (typing.Union, types.UnionType, tuple, list):
        inner = [cls for part in typing.get_args(hint) for cls in _dataclasses_in(part)]
        return inner if len(inner) == 1 and not _takes_mapping(hint) else []
    return []


def _takes_mapping(hint: Any) -> bool:
    return any(part is dict or typing.get_origin(part) in (dict, Mapping) for part in typing.get_args(hint))


def _mappings_in(value: Any, where: str) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        return [(where, value)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [(f"{where}[{n}]", item) for n, item in enumerate(value) if isinstance(item, Mapping)]
    return []


def identity(value: Any) -> Json:
    """`value` as JSON for a fingerprint, without the fields declared `metadata={"identity": False}`.

    A field declared `metadata={"identity": "changed"}` counts only where it differs from its default: an option that
    is new leaves the names of all earlier work as they were.
    """
    if dataclasses.is_dataclass(value):
        return {
            f.name: identity(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if f.metadata.get("identity", True)
            and not (f.metadata.get("identity") == "changed" and getattr(value, f.name) == f.default)
        }
    if isinstance(value, Mapping):
        return {str(name): identity(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [identity(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def apply_settings(raw: dict[str, Any], settings: Sequence[str]) -> None:
    """Changes `raw` in place by `a.b.c=value` settings; the value is read as YAML.

    In `stages.ID.option=v` and `engines.NAME.option=v`, `stages.ID` finds the stage with that id and its `with`.
    """
    import yaml

    for setting in settings:
        match = _SETTING.match(setting)
        if match is None:
            raise ConfigError(f"--set {setting}: no '=' in it; write it as stages.ID.option=value")
        path, text = match[1].split("."), match[2]
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {setting}: the value is not YAML ({error})") from None
        target: Any = raw
        for depth, name in enumerate(path[:-1]):
            target = _descend(target, name, f"--set {setting}: {'.'.join(path[: depth + 1])}")
        target[path[-1]] = value


def _descend(target: Any, name: str, where: str) -> Any:
    if isinstance(target, list):
        for entry in target:
            if isinstance(entry, dict) and entry.get("id") == name:
                return entry.setdefault("with", {})
        known = [entry.get("id") for entry in target if isinstance(entry, dict)]
        near = get_close_matches(name, [str(k) for k in known], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(str, known))}"
        raise ConfigError(f"{where}: no stage with this id; {hint}")
    if name not in target:
        if name in ("stages", "engines"):
            raise ConfigError(f"{where}: the file has no such part; it has {', '.join(map(str, target))}")
        target[name] = {}
    if not isinstance(target[name], (dict, list)):
        raise ConfigError(f"{where}: holds {target[name]!r}, which has no options inside")
    return target[name]
