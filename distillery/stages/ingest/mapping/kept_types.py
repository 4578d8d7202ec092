"""What a kept column of theirs holds: as its source says, else as most of its first rows have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any, cast

import polars as pl

from distillery.records import Columns
from distillery.stages.ingest.mapping.paths import at, exploded, exploded_types, type_at
from distillery.stages.ingest.mapping.row_options import RowOptions
from distillery.stages.ingest.mapping.texts import UnfitError, blank
from distillery.stages.ingest.mapping.values import OURS, Kind, Type

Rows = Sequence[Mapping[str, Any]]


def undecided(options: RowOptions) -> list[str]:
    """Kept columns whose type neither we nor the user say."""
    return [name for name in options.kept if name not in OURS and name not in options.types]


def by_schema(options: RowOptions, schema: Columns) -> dict[str, Type]:
    types = exploded_types(schema, options.explode)
    found = {name: type_at(types, path) for name in undecided(options) for path in options.paths(name)}
    return {name: kind for name, kind in found.items() if kind is not None}


def by_rows(options: RowOptions, rows: Rows, *, written: bool = False) -> dict[str, Type]:
    """Text where no row says anything. `written`: their values are all texts, as in csv, and a column is text
    where one of them reads as nothing else."""
    elements = [one for row in rows for one in _elements(row, options.explode)]
    found: dict[str, Type] = {}
    for name in undecided(options):
        paths = options.paths(name)
        values = [at(row, path) for row in elements for path in paths]
        found[name] = _most(values if paths else [options.constants.get(name)], written=written)
    return found


def schema_of(arrow: Any) -> Columns:
    frame = cast("pl.DataFrame", pl.from_arrow(arrow.empty_table()))
    return {name: _plain(kind) for name, kind in frame.schema.items()}


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


def _elements(row: Mapping[str, Any], explode: tuple[str, ...]) -> Rows:
    try:
        return exploded(row, explode) if explode else [row]
    except UnfitError:
        return []


def _most(values: Iterable[Any], *, written: bool) -> Type:
    counts = Counter(_kind(value) for value in values if not _missing(value))
    if pl.Float64() in counts:
        counts[pl.Float64()] += counts.pop(pl.Int64(), 0)
    if not counts or (written and len(counts) > 1):
        return pl.String()
    return counts.most_common(1)[0][0]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


def _kind(value: Any) -> Type:
    match value:
        case bool():
            return pl.Boolean()
        case int():
            return pl.Int64()
        case float():
            return pl.Float64()
        case str():
            return pl.String()
        case dict() | list() | tuple():
            return Kind.JSON
        case _:
            return _plain(pl.Series([value]).dtype)


def _plain(kind: pl.DataType) -> pl.DataType:
    match kind:
        case pl.List() | pl.Array():
            return pl.List(_plain(cast("pl.DataType", kind.inner)))
        case pl.Struct():
            return pl.Struct({one.name: _plain(cast("pl.DataType", one.dtype)) for one in kind.fields})
        case pl.Categorical() | pl.Enum() | pl.Null():
            return pl.String()
        case _:
            return kind
