"""From YAML to frozen dataclasses, with errors that say where, and back to the JSON of their identity."""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from distillery.errors import ConfigError
from distillery.hashing import Json

T = TypeVar("T")


def build(cls: type[T], options: Any, *, where: str) -> T:
    """An instance of dataclass `cls` from `options`; `where` names the place in the file.

    Unknown names are errors at every depth, with the nearest known name. A group of options of which some are
    given (`sampling: {max_tokens: 64}`) keeps the rest of this class's own default for the group.
    """
    if not isinstance(options, Mapping):
        raise ConfigError(f"{where}: is {options!r}; options are a mapping of name to value")
    for fault in (*_unknown(cls, options, where), *_endless(options, where)):
        raise ConfigError(fault)
    try:
        return _adapter(cls).validate_python({**options, **_completed(cls, options)})
    except ConfigError as error:  # what a class says of its own options
        raise ConfigError(f"{where}: {error}") from None
    except ValidationError as error:
        found = error.errors()
        # a union gives one each, and which of its parts was meant is the one that was got into furthest
        deepest = max(found, key=lambda one: len(one["loc"]))
        first = next((one for one in found if one["type"] == "value_error"), deepest)
        place = ".".join(
            str(part) for part in (where, *(part for part in first["loc"] if "[" not in str(part)))
        )
        if first["type"] == "missing":
            raise ConfigError(f"{place}: this option is missing; it has no default") from None
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"{place}: {reason} (got {first['input']!r})") from None
    except PydanticUserError as error:
        which = ", ".join(_not_buildable(cls)) or error.message
        raise TypeError(f"{cls.__name__} cannot be built from YAML: {which}") from error


def _not_buildable(cls: type[Any]) -> Iterator[str]:
    for name, hint in (_options_of(cls) or {}).items():
        try:
            TypeAdapter(hint)
        except PydanticUserError:
            yield f"option {name} has a type that it cannot read, {getattr(hint, '__name__', hint)}"


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """The end of a message about an unknown name; `otherwise` where none is near."""
    near = get_close_matches(name, [*known], n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


@lru_cache(maxsize=256)
def _adapter(cls: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(cls)  # takes milliseconds to build, and a recipe names the same stages a hundred times


def _unknown(hint: Any, value: Any, where: str) -> Iterator[str]:
    """What to say of each name in `value` that `hint` does not know, however deep inside either."""
    kind, parts = typing.get_origin(hint) or hint, typing.get_args(hint)
    known = _options_of(kind)
    if kind in (typing.Union, types.UnionType):
        found = [list(_unknown(part, value, where)) for part in parts if _takes(part, value)]
        yield from min(found, key=len, default=())
    elif known is not None and isinstance(value, Mapping):
        for name, item in value.items():
            if name in known:
                yield from _unknown(known[name], item, f"{where}.{name}")
                continue
            takes = f"it takes {', '.join(sorted(known)) or 'nothing'}"
            yield f"{where}: unknown option {name!r}; {did_you_mean(str(name), known, takes)}"
    elif len(parts) == 2 and isinstance(value, Mapping):
        for name, item in value.items():
            yield from _unknown(parts[1], item, f"{where}.{name}")
    elif parts and isinstance(value, (list, tuple)):
        each = parts if kind is tuple and parts[-1] is not ... else [parts[0]] * len(value)
        for number, (part, item) in enumerate(zip(each, value, strict=False)):
            yield from _unknown(part, item, f"{where}[{number}]")


def _endless(value: Any, where: str) -> Iterator[str]:
    """What to say of each number that is none: a fingerprint is JSON, which has no such numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{where}: is {value}; a finite number is expected"
    named = value.items() if isinstance(value, Mapping) else ()
    listed = enumerate(value) if isinstance(value, (list, tuple)) else ()
    for name, item in (*named, *listed):
        yield from _endless(item, f"{where}.{name}")


def _options_of(kind: Any) -> dict[str, Any] | None:
    """Names and hints of what has a fixed set of names: a dataclass or a TypedDict."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return {f.name: hints[f.name] for f in dataclasses.fields(kind) if f.init}
    return typing.get_type_hints(kind) if hasattr(kind, "__required_keys__") else None


def _takes(part: Any, value: Any) -> bool:
    """Whether this part of a union is one for mappings, or for lists, as `value` is."""
    kind = typing.get_origin(part) or part
    if kind is Any or not isinstance(kind, type):
        return kind is Any
    if isinstance(value, Mapping):
        return dataclasses.is_dataclass(kind) or issubclass(kind, Mapping)
    return issubclass(kind, (Sequence, Set)) and kind is not str


def _completed(cls: type[Any], options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    defaults = {f.name: f.default for f in dataclasses.fields(cls) if dataclasses.is_dataclass(f.default)}
    return {
        name: {f.name: getattr(default, f.name) for f in dataclasses.fields(default)} | dict(value)
        for name, default in defaults.items()
        if isinstance(value := options.get(name), Mapping) and not isinstance(default, type)
    }


def identity(value: Any) -> Json:
    """`value` as JSON for a fingerprint, without the fields declared `metadata={"identity": False}`.

    One declared `metadata={"identity": "changed"}` counts only where it differs from its default: a new
    option
    leaves the names of all earlier work as they were.
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


def read_yaml(text: str) -> Any:
    """Raises yaml.YAMLError, also where a name stands twice in a mapping: one of its values would be lost."""
    import yaml

    class OnceEach(yaml.SafeLoader): ...

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        names = Counter(name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode))
        if twice := [name for name, number in names.items() if number > 1]:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: {twice[0]!r} stands twice in one mapping")
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    OnceEach.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return yaml.load(text, OnceEach)


def read_setting(setting: str, form: str, where: str = "--set") -> tuple[str, Any]:
    """Name and value, read as YAML, of `name=value`; `form` is how a name looks."""
    import yaml

    match = re.fullmatch(r"([\w.\-]+)=(.*)", setting, re.DOTALL)
    if match is None:
        raise ConfigError(f"{where} {setting.partition('=')[0]}: no '=' in it; write it as {form}=value")
    try:
        return match[1], read_yaml(match[2])
    except yaml.YAMLError as error:
        raise ConfigError(f"{where} {match[1]}: the value is not YAML ({yaml_problem(error)})") from None


def yaml_problem(error: Any) -> str:
    """What a YAMLError says, and where; without the text there, which may be a secret."""
    mark = getattr(error, "problem_mark", None)
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or error}{place}"


def apply_settings(raw: dict[str, Any], settings: Sequence[str]) -> None:
    """Changes `raw` in place by settings `a.b.c=value`; `stages.ID` is the `with` of the stage of that id."""
    for setting in settings:
        name, value = read_setting(setting, "stages.ID.option")
        path, where = name.split("."), f"--set {name}"  # the value may be a secret
        target: Any = raw
        if path == ["stages"]:
            raise ConfigError(f"{where}: is all stages; write stages.ID.OPTION=value")
        for depth, name in enumerate(path[:-1]):
            target = _descend(target, name, f"{where}: {'.'.join(path[: depth + 1])}")
        if isinstance(target, list):
            raise ConfigError(f"{where}: is a whole stage; write stages.{path[-1]}.OPTION=value")
        target[path[-1]] = value


def _descend(target: Any, name: str, where: str) -> Any:
    if isinstance(target, list):
        for entry in target:
            if isinstance(entry, dict) and entry.get("id") == name:
                return entry.setdefault("with", {})
        known = [str(entry.get("id")) for entry in target if isinstance(entry, dict)]
        hint = did_you_mean(name, known, f"there are {', '.join(known)}")
        raise ConfigError(f"{where}: no stage with this id; {hint}")
    if name not in target:
        if name in ("stages", "engines"):
            raise ConfigError(f"{where}: the file has no such part; it has {', '.join(map(str, target))}")
        if where.endswith(f": engines.{name}"):
            hint = did_you_mean(name, map(str, target), f"there are {', '.join(map(str, target))}")
            raise ConfigError(f"{where}: no engine of this name; {hint}")
        target[name] = {}
    if not isinstance(target[name], (dict, list)):
        raise ConfigError(f"{where}: holds {target[name]!r}, which has no options inside")
    return target[name]
