"""Blocks of anybody's rows as shards of problems and ledgers, in the order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import polars as pl

from distillery.records import LEDGER
from distillery.row_files import Block, Drop, Fault, Row
from distillery.stages.base import Output
from distillery.stages.ingest.mapping.by_columns import Mapped, by_columns, suits, texts_at
from distillery.stages.ingest.mapping.columns_seen import ColumnsSeen, with_golds_told
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.mapping.row_options import RESPONSE
from distillery.stages.ingest.seen_ids import SeenIds
from distillery.stages.note import NOT_TAKEN

_AT = "_at"  # where in its block a row stands
_AHEAD = {_AT: pl.Int64(), **LEDGER}

T = TypeVar("T")


@dataclass(frozen=True)
class _Part:
    """Of a block; each row of `kept` and of `dropped` has its place in `_AT`, rising in each of them."""

    kept: pl.DataFrame
    dropped: pl.DataFrame
    key: Callable[[int], str]
    ignored: int = 0
    """Values of its rows that have our column's name and are none of ours."""

    def cut(self, at: int) -> tuple[_Part, _Part]:
        """Up to this place, and behind it."""
        kept, dropped = (
            int(table[_AT].to_numpy().searchsorted(at, "right")) for table in (self.kept, self.dropped)
        )
        first = _Part(self.kept[:kept], self.dropped[:dropped], self.key, self.ignored)
        return first, _Part(self.kept[kept:], self.dropped[dropped:], self.key)

    @property
    def height(self) -> int:
        return self.kept.height + self.dropped.height


def in_shards(
    blocks: Iterable[Block],
    row_map: RowMap,
    ahead: Sequence[Row],
    *,
    shard_rows: int,
    limit: int | None = None,
) -> Iterator[Output]:
    """Tables of `shard_rows` kept rows, at least one, maybe empty. `ahead`: the first rows of all blocks."""
    first = [row for _, row in ahead if not isinstance(row, Fault)]
    columns, row_map = ColumnsSeen(row_map, first), with_golds_told(row_map, first)
    parts: list[_Part] = []
    have, begun = 0, False
    for part in _limited(_parts(blocks, row_map, columns), limit, columns):
        while have + part.kept.height >= shard_rows:
            full, part = part.cut(part.kept[_AT][shard_rows - have - 1])
            yield _output([*parts, full], row_map)
            parts, have, begun = [], 0, True
        parts.append(part)
        have += part.kept.height
    if not begun or any(part.height for part in parts):
        yield _output(parts, row_map)


def _limited(parts: Iterator[_Part], limit: int | None, columns: ColumnsSeen) -> Iterator[_Part]:
    """Up to the row that makes `limit` kept ones; only who reads to the end knows what no row has."""
    total = 0
    for part in parts:
        rest = None
        if limit is not None and total + part.kept.height >= limit:
            part, rest = part.cut(part.kept[_AT][limit - total - 1] if total < limit else -1)
        total += part.kept.height
        yield part
        if rest is not None and rest.height:
            return
    columns.end()


def _parts(blocks: Iterable[Block], row_map: RowMap, columns: ColumnsSeen) -> Iterator[_Part]:
    seen = SeenIds(digests=row_map.key == "problem_id")
    for block in in_advance(blocks):
        part = _mapped(block, row_map, columns)
        marks = _marks(part.kept)
        first = seen.first(part.kept[row_map.key], marks)
        if not first.all():
            again = part.kept.select(_AT, row_map.key, mark=marks).filter(~first)
            lost = [
                (at, part.key(at), (Drop.REPEATED if seen.same(name, mark) else Drop.ID_TAKEN).value, name)
                for at, name, mark in again.iter_rows()
            ]
            dropped = pl.concat([part.dropped, pl.DataFrame(lost, schema=_AHEAD, orient="row")]).sort(_AT)
            part = replace(part, kept=part.kept.filter(first), dropped=dropped)
        yield part


def _marks(kept: pl.DataFrame) -> pl.Series:
    """Of what each row says."""
    said = [name for name in ("question", *RESPONSE) if name in kept.columns]
    return kept.select(pl.col(said).str.strip_chars()).hash_rows()


def in_advance(items: Iterable[T]) -> Iterator[T]:
    """The next one is made while this one is used."""
    source = iter(items)
    done = object()
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, source, done)
        while (item := coming.result()) is not done:
            coming = beside.submit(next, source, done)
            yield item  # pyright: ignore[reportReturnType]


def _mapped(block: Block, row_map: RowMap, columns: ColumnsSeen) -> _Part:
    at_once = not columns.pending and suits(row_map)
    tables: list[pl.DataFrame] = []
    ignored = 0
    hard: list[int] = [*range(block.table.height)]
    if at_once and hard and (found := by_columns(block.table, row_map)):
        tables.append(_good(found, pl.Series(_AT, block.numbers, dtype=pl.Int64)))
        hard, ignored = found.hard.arg_true().to_list(), found.ignored
    rows = [(block.numbers[number], block.whole(number)) for number in hard]
    others = list(block.others)
    if at_once:
        others, more = _texts(others, row_map, tables)
        ignored += more
    rows = sorted([*rows, *others], key=lambda row: row[0])
    part = _with(tables, rows, block, row_map, columns)
    return replace(part, ignored=part.ignored + ignored)


def _texts(
    rows: list[tuple[int, Mapping[str, Any] | Fault]], row_map: RowMap, tables: list[pl.DataFrame]
) -> tuple[list[tuple[int, Mapping[str, Any] | Fault]], int]:
    """Those of which no table could be made; and what was ignored of the others."""
    whole = [(at, row) for at, row in rows if not isinstance(row, Fault)]
    paths = sorted({path for name in row_map.writes for path in row_map.paths(name)})
    table, good = texts_at([row for _, row in whole], paths)
    found = by_columns(table, row_map) if good else None
    if found is None:
        return rows, 0
    places = pl.Series(_AT, [whole[number][0] for number in good], dtype=pl.Int64)
    tables.append(_good(found, places))
    done = set(tables[-1][_AT])
    return [(at, row) for at, row in rows if at not in done], found.ignored


def _good(found: Mapped, places: pl.Series) -> pl.DataFrame:
    return found.ours.with_columns(places).filter(~found.hard)


def _with(
    tables: list[pl.DataFrame],
    rows: Sequence[tuple[int, Mapping[str, Any] | Fault]],
    block: Block,
    row_map: RowMap,
    columns: ColumnsSeen,
) -> _Part:
    """And these rows, each by itself. Where one may become several, no other is in `tables`, and places count
    these."""
    placed = bool(tables)
    kept: list[dict[str, Any]] = []
    dropped: list[tuple[int, str, str, str]] = []
    keys: list[str] = []
    ignored = 0
    for number, theirs in rows:
        place = block.place(number)
        if isinstance(theirs, Fault):
            ours = ((place, theirs),)
        else:
            columns.see(theirs)
            ignored += row_map.ignored(theirs)
            ours = row_map.rows(place, theirs)
        for key, row in ours:
            at = number if placed else len(keys)
            keys.append(key)
            if isinstance(row, Fault):
                dropped.append((at, key, row.reason.value, row.detail))
            else:
                kept.append({**row, _AT: at})
    schema = {**row_map.writes, _AT: pl.Int64()}
    tables = [*tables, pl.DataFrame(kept, schema=schema)] if kept or not tables else tables
    whole = tables[0] if len(tables) == 1 else pl.concat(tables).sort(_AT)
    ledger = pl.DataFrame(dropped, schema=_AHEAD, orient="row")
    return _Part(whole, ledger, block.place if placed else keys.__getitem__, ignored)


def _output(parts: Sequence[_Part], row_map: RowMap) -> Output:
    kept = pl.concat([pl.DataFrame(schema=row_map.writes), *(part.kept.drop(_AT) for part in parts)])
    dropped = pl.concat([pl.DataFrame(schema=LEDGER), *(part.dropped.drop(_AT) for part in parts)])
    ignored = sum(part.ignored for part in parts)
    return Output(kept, dropped, {NOT_TAKEN: float(ignored)} if ignored else {})
