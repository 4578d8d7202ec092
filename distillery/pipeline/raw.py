"""A pipeline file as written: YAML, settings from the command line, and `foreach` written out.

`foreach: {model: [zero, teacher]}` beside `stages:` repeats those stages with `${model}` filled in; with
several
names the lists are walked side by side. A text that is nothing but `${name}` keeps the value's type.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from distillery import config
from distillery.config import apply_settings, did_you_mean, yaml_problem
from distillery.errors import ConfigError
from distillery.pipeline.secrets import refuse_secrets

_PARTS = {"pipeline", "seed", "engines", "stages", "workers", "budget", "about"}
_ENTRY = {"id", "use", "from", "with", "expect"}
_ID = re.compile(r"\w[\w.\-]*")
_NAME = re.compile(r"[^\s./\\][^/\\\x00-\x1f\x7f]*")
_SLOT = re.compile(r"\$\{([\w.]+)\}")


def read_pipeline(file: Path, settings: Sequence[str] = ()) -> dict[str, Any]:
    """The file as a mapping with `stages` written out flat; nothing in it is resolved yet."""
    if not file.is_file():
        raise ConfigError(f"{file}: no such pipeline file (working directory: {Path.cwd()})")
    raw = read_yaml(file)
    if not isinstance(raw, dict) or not isinstance(raw.get("stages"), list) or not raw["stages"]:
        right = "a pipeline is a mapping with a list of `stages`; see pipelines/quickstart.yaml"
        raise ConfigError(f"{file}: {right}")
    _only_parts(raw, str(file))
    raw.setdefault("pipeline", file.stem)
    raw["stages"] = _write_out(raw["stages"], {}, str(file))
    refuse_secrets(raw, str(file))  # before a message shows what is wrong with a value
    for setting in settings:
        apply_settings(raw, [setting])
        refuse_secrets(raw, f"{file}: --set {setting.partition('=')[0]}")
        _only_parts(raw, f"--set {setting}")
    _check_parts(raw, str(file))
    return raw


def _only_parts(raw: Mapping[str, Any], where: str) -> None:
    for name in raw:
        if name not in _PARTS:
            hint = did_you_mean(str(name), _PARTS, f"a pipeline has {', '.join(sorted(_PARTS))}")
            raise ConfigError(f"{where}: unknown part {name!r}; {hint}")


def _check_parts(raw: Mapping[str, Any], where: str) -> None:
    name, engines = raw["pipeline"], raw.get("engines") or {}
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        right = "it names a folder: no '/', '\\' or control character in it, no '.' at its beginning"
        raise ConfigError(f"{where}: pipeline is {name!r}; {right}")
    if not isinstance(engines, dict):
        raise ConfigError(f"{where}: engines is {engines!r}; it is a mapping of name to options")
    for engine, options in engines.items():
        if not isinstance(options, dict):
            raise ConfigError(f"{where}: engines.{engine} is {options!r}; an engine is a mapping with `kind`")


def read_yaml(file: Path) -> Any:
    try:
        return config.read_yaml(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not YAML: {yaml_problem(error)}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text ({error.reason} at byte {error.start})") from None


def _write_out(entries: Sequence[Any], values: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for number, entry in enumerate(entries):
        place = f"{where}: stages[{number}]"
        if not isinstance(entry, dict):
            raise ConfigError(f"{place}: is {entry!r}; a stage is a mapping with `id` and `use`")
        if "foreach" in entry:
            for row in _rows(entry, place):
                out.extend(_write_out(entry["stages"], {**values, **row}, place))
            continue
        entry = _fill(copy.deepcopy(entry), values, place)
        for name in entry:
            if name not in _ENTRY:
                raise ConfigError(f"{place}: unknown key {name!r}; a stage has {', '.join(sorted(_ENTRY))}")
        for name in ("id", "use"):
            if not isinstance(entry.get(name), str):
                raise ConfigError(f"{place}: has no {name!r}; a stage needs `id` and `use`")
        if not _ID.fullmatch(entry["id"]):
            right = "letters, digits, '_', and inside also '-' and '.'"
            raise ConfigError(f"{place}: the id is {entry['id']!r}; it has {right}")
        out.append(entry)
    return out


def _rows(entry: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    loops = entry["foreach"]
    if set(entry) != {"foreach", "stages"} or not isinstance(loops, dict) or not loops:
        raise ConfigError(f"{place}: `foreach` is a mapping of name to list and stands beside `stages` alone")
    lengths = {name: len(items) for name, items in loops.items() if isinstance(items, list)}
    if len(lengths) != len(loops) or len(set(lengths.values())) != 1:
        raise ConfigError(f"{place}: foreach needs lists of one length, has {lengths or loops!r}")
    names = list(loops)
    return [dict(zip(names, row, strict=True)) for row in zip(*loops.values(), strict=True)]


def _fill(value: Any, values: Mapping[str, Any], place: str) -> Any:
    if isinstance(value, dict):
        return {name: _fill(item, values, place) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, values, place) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = _SLOT.fullmatch(value)
    if whole is not None:
        return copy.deepcopy(_look_up(whole[1], values, place))
    return _SLOT.sub(lambda slot: str(_look_up(slot[1], values, place)), value)


def _look_up(path: str, values: Mapping[str, Any], place: str) -> Any:
    found: Any = values
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            gives = ", ".join(values) or "nothing"
            raise ConfigError(f"{place}: ${{{path}}} names nothing; foreach gives {gives}")
        found = found[name]
    return found
