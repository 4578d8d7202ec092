"""Dotted paths into a row: `messages.0.content`, also into JSON text. A column's whole name goes first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import polars as pl

from distillery.row_files import Drop
from distillery.stages.ingest.mapping.texts import UnfitError


def at(row: Any, path: str) -> Any:
    """The value; None when absent."""
    if isinstance(row, dict) and path in row:
        return cast("dict[str, Any]", row)[path]
    head, dot, rest = path.partition(".")
    inner = _step(row, head)
    return at(inner, rest) if dot and inner is not None else inner


def there(row: Any, path: str) -> bool | None:
    """Whether the row has it, null or not; None: a null stands before it, or a list that is too short."""
    if isinstance(row, dict) and path in row:
        return True
    row = _opened(row)
    head, dot, rest = path.partition(".")
    if row is None or (isinstance(row, list) and head.isdigit() and int(head) >= len(cast("list[Any]", row))):
        return None
    known = head in row if isinstance(row, dict) else isinstance(row, list) and head.isdigit()
    return known and (not dot or there(_step(row, head), rest))


def names(row: Mapping[str, Any]) -> Iterator[str]:
    """Every path to a key."""
    for name, value in row.items():
        yield str(name)
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in names(cast("dict[str, Any]", value)))


def type_at(types: Mapping[str, pl.DataType], path: str) -> pl.DataType | None:
    """As `at`, of a table's types."""
    if path in types:
        return types[path]
    head, dot, rest = path.partition(".")
    kind = types.get(head)
    while dot and isinstance(kind, pl.List) and rest.partition(".")[0].isdigit():
        kind, (_, dot, rest) = cast("pl.DataType", kind.inner), rest.partition(".")
    if not dot:
        return kind
    inside = {one.name: one.dtype for one in kind.fields} if isinstance(kind, pl.Struct) else {}
    return type_at(cast("Mapping[str, pl.DataType]", inside), rest)


def gathered(row: Mapping[str, Any], siblings: Mapping[str, tuple[str, ...]]) -> Mapping[str, Any]:
    """With a list of each group of columns that are siblings."""
    if taken := [name for name in siblings if name in row]:
        raise UnfitError(f"explode: {taken[0]!r} is a column already; call the list of its columns otherwise")
    return {**row, **{name: [at(row, path) for path in paths] for name, paths in siblings.items()}}


def exploded(
    row: Mapping[str, Any], paths: tuple[str, ...], siblings: Mapping[str, tuple[str, ...]]
) -> list[Mapping[str, Any]]:
    """A row for each element of the lists, the values side by side; of a list that is null, nulls."""
    row = gathered(row, siblings)
    lists = {path: at(row, path) for path in paths}
    for path, value in lists.items():
        if not isinstance(value, list | None):
            raise UnfitError(f"explode: {path} is no list")
    sizes = {path: len(value) for path, value in lists.items() if value is not None}
    if len({*sizes.values()}) > 1:
        raise UnfitError(
            f"explode: lists of different length: {', '.join(f'{p} {n}' for p, n in sizes.items())}"
        )
    if not any(sizes.values()):
        raise UnfitError(f"explode: {paths[0]} is {'empty' if sizes else 'null'}", Drop.NO_TEXT)
    rows = [row] * next(iter(sizes.values()))
    for path, value in lists.items():
        given = [None] * len(rows) if value is None else value
        rows = [_put(one, path, item) for one, item in zip(rows, given, strict=True)]
    return rows


def exploded_types(types: Mapping[str, pl.DataType], paths: tuple[str, ...]) -> dict[str, pl.DataType]:
    """With what an element has, under the list's whole name."""
    lists = {path: type_at(types, path) for path in paths}
    return {**types, **{p: cast("pl.DataType", k.inner) for p, k in lists.items() if isinstance(k, pl.List)}}


def _opened(value: Any) -> Any:
    """JSON text of an object or a list as what it says."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _step(row: Any, head: str) -> Any:
    row = _opened(row)
    if isinstance(row, dict):
        return cast("dict[str, Any]", row).get(head)
    if isinstance(row, list) and head.isdigit() and int(head) < len(cast("list[Any]", row)):
        return row[int(head)]
    return None


def _put(row: Mapping[str, Any], path: str, value: Any) -> Mapping[str, Any]:
    head, dot, rest = path.partition(".")
    if path in row or not dot or not isinstance(row.get(head), dict):
        return {**row, path: value}
    return {**row, head: _put(row[head], rest, value)}
