"""Which published form some rows have, and the options of an ingest stage that takes them in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from distillery.curate.publish.hub_rows import SCHEMAS
from distillery.installed.word_lists import word_lists
from distillery.stages.ingest.mapping.choices import choices
from distillery.stages.ingest.mapping.our_configs import OUR_CONFIGS
from distillery.stages.ingest.mapping.texts import UnfitError

Row = Mapping[str, Any]
_MOSTLY = 0.9  # of the values of a column
_TURN = ({"role", "content"}, {"role", "tool_calls"}, {"from", "value"})  # names that make one
_NAME = re.compile(r"\$(\w+)")


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _turns(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_turn, value))


def _turn(value: Any) -> bool:
    return isinstance(value, dict) and any({*value} >= names for names in _TURN)


def _choices(value: Any) -> bool:
    try:
        return bool(choices(value).texts)
    except UnfitError:
        return False


_KINDS: dict[str, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "texts": _texts,
    "scalar": lambda value: isinstance(value, (str, int, float)),
    "number": lambda value: isinstance(value, (int, float)),
    "mapping": lambda value: isinstance(value, dict),
    "turns": _turns,
    "choices": _choices,
}


@dataclass(frozen=True)
class Shape:
    """A form, found in some rows: `columns` name theirs for each of its own names."""

    name: str
    columns: Mapping[str, str]
    known: int
    """Columns of the form that the rows have."""
    of: int
    """Columns of the form."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of an ingest stage."""


def published(config: str) -> Shape:
    """A config of export.hub, which is told by all its columns."""
    options, of = OUR_CONFIGS[config], len(SCHEMAS[config])
    messages = options.get("messages")
    columns = {**options["columns"], **({"messages": messages} if messages else {})}
    return Shape(f"the config {config} of export.hub", columns, of, of)


def shape_of(rows: Sequence[Row]) -> Shape | None:
    """The first form that fits; None where none does."""
    values = _columns(rows)
    for form in word_lists(__file__)["forms"]:
        if shape := _fitting(form, values):
            return shape
    return None


def _columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """What each column holds where it holds anything."""
    names = dict.fromkeys(name for row in rows for name in row)
    held = {name: [row[name] for row in rows if row.get(name) not in (None, "", [])] for name in names}
    return {name: values for name, values in held.items() if values}


def _fitting(form: Mapping[str, Any], values: Mapping[str, list[Any]]) -> Shape | None:
    found = _found(form["needs"], values)
    if not all(found.values()):
        return None
    for name, pattern in form.get("says", {}).items():
        if not _mostly(values[found[name]], lambda value, says=pattern: bool(re.search(says, _text(value)))):
            return None
    left = {name: had for name, had in values.items() if name not in found.values()}
    found |= _found(form.get("may", {}), left)
    columns = {name: column for name, column in found.items() if column}
    told = {*form.get("knows", ())} - {*columns.values()}
    options = _filled(form["with"], columns)
    if len(joined := options.get("columns", {}).get("question", "")) == 1 and isinstance(joined, list):
        options["columns"]["question"] = joined[0]
    return Shape(form["name"], columns, len(columns) + len(told & {*values}), len(found) + len(told), options)


def _found(asked: Mapping[str, Any], values: Mapping[str, list[Any]]) -> dict[str, str]:
    """The column of each name, none of them twice."""
    left, found = dict(values), dict[str, str]()
    for name, is_ in asked.items():
        found[name] = _find(name, is_, left)
        left.pop(found[name], None)
    return found


def _find(name: str, is_: str | Mapping[str, Any], values: Mapping[str, list[Any]]) -> str:
    """The likeliest column; "" where there is none."""
    kind, names = (is_, [name]) if isinstance(is_, str) else (str(is_["kind"]), is_["names"])
    spelled = {column.lower(): column for column in values}
    for one in names:
        column = one if one in values else spelled.get(one.lower(), "")
        if column and _mostly(values[column], _KINDS[kind]):
            return column
    return ""


def _mostly(values: Sequence[Any], test: Callable[[Any], bool]) -> bool:
    return sum(map(test, values)) >= _MOSTLY * len(values)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _filled(given: Any, columns: Mapping[str, str]) -> Any:
    """`given` with the columns in place of their names; what names one that is not there is left out."""
    if isinstance(given, str):
        name = _NAME.match(given)
        return given if not name else columns[name[1]] + given[name.end() :] if name[1] in columns else None
    if isinstance(given, list):
        return [one for item in given if (one := _filled(item, columns)) is not None]
    if isinstance(given, dict):
        filled = {key: _filled(item, columns) for key, item in given.items()}
        return {key: one for key, one in filled.items() if one not in (None, {}, [])}
    return given
