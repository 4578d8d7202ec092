"""Which published form some rows have, and the options of an ingest stage that takes them in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from distillery.curate.publish.hub_rows import SCHEMAS
from distillery.installed.word_lists import word_lists
from distillery.stages.ingest.mapping.our_configs import OUR_CONFIGS
from distillery.stages.ingest.mapping.paths import at
from distillery.starter.kinds import KINDS

Row = Mapping[str, Any]
_NOTHING = (None, "", [])
_MADE = ("trace_id", "sample", "text", "reasoning", "answer")  # of a response
_MOSTLY = 0.9  # of the values of a column
_NAME = re.compile(r"\$(\w+)")


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
    held = {name: [row[name] for row in rows if row.get(name) not in _NOTHING] for name in names}
    return {name: values for name, values in held.items() if values}


def _fitting(form: Mapping[str, Any], values: Mapping[str, list[Any]]) -> Shape | None:
    found = _found(form["needs"], values, values)
    if not all(found.values()):
        return None
    for name, pattern in form.get("says", {}).items():
        if not _mostly(values[found[name]], lambda value, says=pattern: bool(re.search(says, _text(value)))):
            return None
    left = {name: had for name, had in values.items() if name not in found.values()}
    found |= _found(form.get("may", {}), left, values)
    columns = {name: column for name, column in found.items() if column}
    told = {*form.get("knows", ())} - {*columns.values()}
    options = _filled(form["with"], columns)
    if kept := options.get("keep"):
        options["keep"] = [one for one in kept if one in {*_MADE, *options.get("columns", ()), *values}]
    if len(joined := options.get("columns", {}).get("question", "")) == 1 and isinstance(joined, list):
        options["columns"]["question"] = joined[0]
    return Shape(form["name"], columns, len(columns) + len(told & {*values}), len(found) + len(told), options)


def _found(
    asked: Mapping[str, Any], left: Mapping[str, list[Any]], values: Mapping[str, list[Any]]
) -> dict[str, str]:
    """The column of each name, of those that are left, none of them twice; a path goes into any."""
    found = dict[str, str]()
    for name, is_ in asked.items():
        free = {column: held for column, held in left.items() if column not in found.values()}
        found[name] = _find(name, is_, free, values)
    return found


def _find(
    name: str,
    is_: str | Mapping[str, Any],
    left: Mapping[str, list[Any]],
    values: Mapping[str, list[Any]],
) -> str:
    """The likeliest column; "" where there is none."""
    kind, names = (is_, [name]) if isinstance(is_, str) else (str(is_["kind"]), is_["names"])
    spelled = {column.lower(): column for column in left}
    for one in names:
        column = one if one in left else spelled.get(one.lower(), "")
        head, dot, rest = one.partition(".")
        if column and _mostly(left[column], KINDS[kind]):
            return column
        inner = [had for value in values.get(head, ()) if dot and (had := at(value, rest)) not in _NOTHING]
        if inner and _mostly(inner, KINDS[kind]):
            return one
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


def taken(options: Mapping[str, Any]) -> list[str]:
    """Their columns, or paths into them, that these options read."""
    return list(dict.fromkeys(one for one in _leaves([*_read(options)]) if one))


def _read(options: Mapping[str, Any]) -> Iterator[Any]:
    """Without the lists that are made of several columns."""
    explode = options.get("explode", ())
    made = {*explode} if isinstance(explode, dict) else set[str]()
    yield options.get("messages")
    yield from (path for path in options.get("columns", {}).values() if path not in [*made])
    yield from (options.get("choices"), explode)


def _leaves(value: Any) -> Iterator[Any]:
    items = value.values() if isinstance(value, dict) else [value] if isinstance(value, str | None) else value
    for item in items:
        if isinstance(item, str | None):
            yield item
        else:
            yield from _leaves(item)
