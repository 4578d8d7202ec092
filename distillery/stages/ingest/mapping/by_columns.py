"""`RowMap.row` for many rows at once, where their values are plain and need no second look.

What does need one (a value that is nested, missing or unfit, a question that might be blank) is left to
`RowMap.row`, so that there is one place that says what such a row is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import polars as pl

from distillery.records import Problem, problem_ids
from distillery.stages.ingest.mapping.own_names import GUARDED, says
from distillery.stages.ingest.mapping.paths import at
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.mapping.row_options import FIELDS
from distillery.stages.ingest.mapping.texts import UnfitError
from distillery.stages.ingest.mapping.values import OURS, Kind

_TEXTS = ("question", "gold", "checker", "domain", "source")
_PLAIN = (pl.String(), pl.Boolean(), pl.Float64(), pl.Int64())
_SEEN = r"[0-9A-Za-z\p{L}\p{N}]"  # a text with one of these is not blank
_DEFAULTS = {"gold": "", **{f.name: f.default for f in fields(Problem) if isinstance(f.default, str)}}


class Mapped(NamedTuple):
    ours: pl.DataFrame  # of all rows, also the hard ones
    hard: pl.Series
    ignored: int  # values under our names, of the others, that are none of ours


class _Column(NamedTuple):
    values: pl.Series
    hard: pl.Series | None = None


def suits(row_map: RowMap) -> bool:
    """Whether there is a row of this mapping that needs no second look."""
    whole = all(isinstance(path, str) for path in row_map.columns.values())
    made = row_map.explode or row_map.messages or row_map.choices or row_map.response
    plain = whole and not made and row_map.key != "trace_id"
    return bool(plain and ("payload" not in row_map.constants or _same_id(row_map.constant("payload"))))


def by_columns(table: pl.DataFrame, row_map: RowMap) -> Mapped | None:
    """Of a mapping that `suits`. A column of `table` has a path for its name; None: one has another type."""
    found: dict[str, _Column] = {}
    for name in (*FIELDS, *row_map.kept):
        column = _column(table, row_map, name)
        if column is None:
            return None
        found[name] = column
    hard = pl.repeat(False, table.height, dtype=pl.Boolean, eager=True)
    for column in found.values():
        hard = hard if column.hard is None else hard | column.hard.fill_null(value=False)
    ours = {name: column.values.alias(name) for name, column in found.items()}
    hard |= ours["question"].is_null() | ~ours["question"].str.contains(_SEEN).fill_null(value=True)
    ignored = sum(_not_taken(table, ours[name], hard) for name in row_map.unmapped & {*GUARDED})
    for name, default in _DEFAULTS.items():
        ours[name] = ours[name].fill_null(default)
    if row_map.gold:
        matches = [row_map.gold.search(gold) for gold in ours["gold"]]
        golds = [None if match is None else (match[1] or "").strip() for match in matches]
        ours["gold"] = pl.Series("gold", golds, dtype=pl.String)
        hard |= ours["gold"].is_null()
    ours["problem_id"] = problem_ids(ours["question"].fill_null(""))
    return Mapped(pl.DataFrame({name: ours[name] for name in row_map.writes}), hard, ignored)


def _not_taken(table: pl.DataFrame, ours: pl.Series, hard: pl.Series) -> int:
    if ours.name not in table.columns:
        return 0
    left = table[ours.name].filter(ours.is_null() & ~hard).drop_nulls()
    return sum(says(value) for value in left)


def texts_at(rows: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> tuple[pl.DataFrame, list[int]]:
    """A table of the rows that have texts or nothing at these paths, and which rows these are."""
    values = [tuple(at(row, path) for path in paths) for row in rows]
    good = [
        number
        for number, row in enumerate(values)
        if all(value is None or isinstance(value, str) for value in row)
    ]
    try:
        table = pl.DataFrame(
            [values[n] for n in good], schema=dict.fromkeys(paths, pl.String()), orient="row"
        )
    except UnicodeEncodeError:  # half of a surrogate pair in a row that no file holds
        return pl.DataFrame(schema=dict.fromkeys(paths, pl.String())), []
    return table, good


def _same_id(payload: str | None) -> bool:
    """Whether it says nothing of what the id is made of."""
    problem = Problem("", "", payload=payload or "{}")
    try:
        return not (problem.options and (problem.history or problem.system))
    except (ValueError, RecursionError):
        return False


def _column(table: pl.DataFrame, row_map: RowMap, name: str) -> _Column | None:
    kind = row_map.writes[name]
    if name in row_map.constants:
        return _Column(pl.repeat(row_map.constant(name), table.height, dtype=kind, eager=True))
    path = next(iter(row_map.paths(name)), "")
    head = path.partition(".")[0]
    if path not in table.columns and head in table.columns and table.schema[head] == pl.String():
        return None  # JSON may lie in it
    if path not in table.columns and (head not in table.columns or not table.schema[head].is_nested()):
        return _Column(pl.repeat(None, table.height, dtype=kind, eager=True))
    given = table[path] if path in table.columns else table[head]
    if given.dtype == pl.Null:
        return _Column(given.cast(kind))
    if given.dtype not in _PLAIN:
        return None
    theirs = name not in OURS and name not in FIELDS and row_map.types.get(name) is not Kind.JSON
    if given.dtype == kind and (theirs or (name in _TEXTS and name != "checker")):
        return _Column(given, given.str.contains("\0", literal=True) if kind == pl.String else None)
    if given.dtype == pl.Int64 and name in _TEXTS and name != "checker":
        return _Column(given.cast(pl.String))
    return _one_by_one(given, row_map, name)


def _one_by_one(given: pl.Series, row_map: RowMap, name: str) -> _Column:
    """Each different value once, by the row's own reader."""
    different = given.drop_nulls().unique()
    ours: list[Any] = []
    unfit: list[Any] = []
    for value in different:
        try:
            ours.append(_simple(name, row_map.take(name)(value)))
        except UnfitError:
            ours.append(None)
            unfit.append(value)
    kind = row_map.writes[name]
    values = given.replace_strict(
        different, pl.Series(ours, dtype=kind, strict=True), default=None, return_dtype=kind
    )
    return _Column(values, given.is_in(pl.Series(unfit, dtype=given.dtype).implode()) if unfit else None)


def _simple(name: str, value: Any) -> Any:
    """A payload that may change the problem's id, or is none, is looked at again."""
    if name == "payload" and value is not None:
        raise UnfitError("")
    return value
