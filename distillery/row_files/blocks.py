"""Rows of a file by the thousand, as columns where they are all plain values: the same rows as `read`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from distillery import shards
from distillery.row_files.csv_blocks import csv_tables
from distillery.row_files.faults import Fault, Row
from distillery.row_files.json_blocks import jsonl_tables
from distillery.row_files.names import format_of
from distillery.row_files.tables import arrow_rows, footed, read, whole_file
from distillery.row_files.unpacked import Dialect

_ROWS = 20_000
_GROUP = 50_000  # of parquet


@dataclass(frozen=True)
class Block:
    """Rows that follow one another. What stands in `table` stands not in `others`."""

    numbers: Sequence[int] = ()
    """Of the rows of `table`, rising."""
    table: pl.DataFrame = field(default_factory=pl.DataFrame)
    others: Sequence[tuple[int, Mapping[str, Any] | Fault]] = ()
    """With their numbers, which stand between those of `table`."""
    whole: Callable[[int], Mapping[str, Any]] = lambda _: {}
    """A row of `table` by its place there, as `read` gives it."""
    place: Callable[[int], str] = str
    """By number, as `read` names it."""


def blocks(file: Path, dialect: Dialect, names: Collection[str]) -> Iterator[Block]:
    """`names`: of the columns that are asked for; others may be left out."""

    def place(number: int) -> str:
        return f"{file}:{number}"

    with whole_file(file):
        match format_of(file):
            case ".parquet" if shards.base_of(footed(file)) is None:
                yield from _parquet(file, names, place)
            case ".jsonl":
                for numbers, table, others, whole in jsonl_tables(file, dialect, names):
                    yield Block(numbers, table, others, whole, place)
            case ".csv" | ".tsv":
                for numbers, table, others in csv_tables(file, dialect):
                    yield Block(
                        numbers, table, others, lambda n, table=table: table.row(n, named=True), place
                    )
            case _:
                yield from row_blocks(read(file, dialect))


def row_blocks(rows: Iterable[Row], size: int = _ROWS) -> Iterator[Block]:
    source = iter(rows)
    while some := list(islice(source, size)):
        places = [place for place, _ in some]
        yield Block(others=list(enumerate(row for _, row in some)), place=places.__getitem__)


def _parquet(file: Path, names: Collection[str], place: Callable[[int], str]) -> Iterator[Block]:
    known = pq.read_schema(file).names
    asked = [name for name in known if name in names]
    begin = 1
    for batch in pq.ParquetFile(file).iter_batches(batch_size=_GROUP, columns=asked):
        numbers = range(begin, begin + batch.num_rows)
        begin += batch.num_rows
        try:
            batch.validate(full=True)  # polars believes that a text is UTF-8
        except pa.ArrowInvalid as why:
            if "UTF8" not in str(why):
                raise
            yield Block(others=[*zip(numbers, arrow_rows(batch), strict=True)], place=place)
            continue
        table = pl.from_arrow(batch) if asked else pl.DataFrame(height=batch.num_rows)
        assert isinstance(table, pl.DataFrame)

        def whole(number: int, batch: Any = batch) -> Mapping[str, Any]:
            return batch.slice(number, 1).to_pylist()[0]

        yield Block(numbers, table, (), whole, place)
