"""What a kept column of theirs holds: as its source says, else as most of its first rows have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import polars as pl

from distillery.records import Columns
from distillery.stages.ingest.mapping.paths import at, exploded, exploded_types, type_at
from distillery.stages.ingest.mapping.row_options import RowOptions
from distillery.stages.ingest.mapping.texts import UnfitError, blank
from distillery.stages.ingest.mapping.values import OURS, Type, missing, plain, type_of

Rows = Sequence[Mapping[str, Any]]


def undecided(options: RowOptions) -> list[str]:
    """Kept columns whose type neither we nor the user say."""
    said = {*OURS, *options.types, *options.constants}
    return [name for name in options.kept if name not in said]


def by_schema(options: RowOptions, schema: Columns) -> dict[str, Type]:
    types = exploded_types(schema, options.explode)
    found = {name: type_at(types, path) for name in undecided(options) for path in options.paths(name)}
    return {name: kind for name, kind in found.items() if kind is not None}


def by_rows(options: RowOptions, rows: Rows, *, written: bool = False) -> dict[str, Type]:
    """Text where no row says anything. `written`: their values are all texts, as in csv, and a column is text
    where one of them reads as nothing else."""
    elements = [one for row in rows for one in _elements(row, options)]
    return {
        name: _most((at(row, path) for row in elements for path in options.paths(name)), written=written)
        for name in undecided(options)
    }


def schema_of(arrow: Any) -> Columns:
    frame = cast("pl.DataFrame", pl.from_arrow(arrow.empty_table()))
    return {name: plain(kind) for name, kind in frame.schema.items()}


def same_in_all(schemas: Iterable[Columns]) -> Columns:
    """Without the columns on whose type they differ."""
    merged: dict[str, set[pl.DataType]] = {}
    for schema in schemas:
        for name, kind in schema.items():
            merged.setdefault(name, set()).add(kind)
    return {name: next(iter(kinds)) for name, kinds in merged.items() if len(kinds) == 1}


def as_written(text: str) -> Any:
    """What a text of a csv reads as, if it is just how that is written: "007" and "1.50" are texts."""
    if blank(text):
        return None
    if text in ("true", "false", "True", "False"):
        return text in ("true", "True")
    for number in (int, float):
        try:
            if str(number(text)) == text:
                return number(text)
        except (ValueError, OverflowError):
            continue
    return text


def _elements(row: Mapping[str, Any], options: RowOptions) -> Rows:
    try:
        return exploded(row, options.explode, options.siblings) if options.explode else [row]
    except UnfitError:
        return []


def _most(values: Iterable[Any], *, written: bool) -> Type:
    counts = Counter(type_of(value) for value in values if not missing(value))
    if pl.Float64() in counts:
        counts[pl.Float64()] += counts.pop(pl.Int64(), 0)
    if not counts or (written and len(counts) > 1):
        return pl.String()
    return counts.most_common(1)[0][0]
