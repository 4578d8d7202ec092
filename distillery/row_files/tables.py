"""Rows and whole tables of one file, whatever its format."""

from __future__ import annotations

import csv
import gzip
import json
import os
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.exceptions import PolarsError

from distillery import shards
from distillery.errors import ConfigError
from distillery.records import JUDGEMENT, TRACE, VERDICT
from distillery.row_files.csv_rows import csv_rows, delimiter_of, numbered_records
from distillery.row_files.faults import Fault, Row, malformed
from distillery.row_files.json_rows import array, jsonl, numbered_items, numbered_lines
from distillery.row_files.names import WRITTEN, ending, format_of
from distillery.row_files.unpacked import Dialect

_DAMAGE = (EOFError, OSError, UnicodeDecodeError, csv.Error, zlib.error, pa.ArrowException, PolarsError)
_KNOWN = TRACE | VERDICT | JUDGEMENT
_EXPECTED = {".csv": "each row has a field for each column", ".tsv": "each row has a field for each column"}
_AS_WRITTEN = Dialect()


def read(file: Path, dialect: Dialect = _AS_WRITTEN) -> Iterator[Row]:
    """Each row with its place, "file:line" (parquet, and an array of json: the row's number, from 1)."""
    with whole_file(file):
        match format_of(file):
            case ".parquet":
                yield from _parquet(file)
            case ".csv" | ".tsv":
                yield from csv_rows(file, dialect)
            case ".json":
                yield from array(file, dialect)
            case _:
                yield from jsonl(file, dialect)


def rows(file: Path, dialect: Dialect = _AS_WRITTEN) -> Iterator[tuple[str, dict[str, Any]]]:
    """As `read`, without faults. A nested `payload` is JSON text: those of a file may differ in shape."""
    for place, row in read(file, dialect):
        if isinstance(row, Fault):
            right = _EXPECTED.get(format_of(file), "one object a line")
            raise ConfigError(f"{place}: {row.detail}; {right} is expected")
        payload = row.get("payload")
        nested = isinstance(payload, (dict, list))
        yield place, {**row, "payload": json.dumps(payload, ensure_ascii=False)} if nested else dict(row)


def table(file: Path, dialect: Dialect = _AS_WRITTEN) -> pl.DataFrame:
    """All rows. Text of a csv becomes numbers in the columns of `distillery.records` that are numbers."""
    with whole_file(file):
        kind = format_of(file)
        if kind == ".parquet":
            alone = shards.base_of(footed(file)) is None
            return pl.read_parquet(file, glob=False) if alone else shards.read(file)
    found = [row for _, row in rows(file, dialect)]
    try:
        frame = pl.DataFrame(found, infer_schema_length=None, strict=False)
        if kind not in (".csv", ".tsv"):
            return _nothing_lost(frame, found, file)
        kinds = {name: kind for name, kind in _KNOWN.items() if name in frame.columns and kind != pl.String}
        values = {name: pl.col(name).replace("", None).str.to_lowercase() for name in kinds}
        return frame.with_columns(value.str.json_decode(kinds[name]) for name, value in values.items())
    except (PolarsError, TypeError) as error:  # the latter of a list beside what is none
        why = str(error).partition("\n")[0]
        raise ConfigError(f"{file}: no table ({why}); a column must hold values of one kind") from None


def count(file: Path, dialect: Dialect = _AS_WRITTEN) -> int:
    """How many rows `read` would give, good or bad, without looking into them."""
    with whole_file(file):
        match format_of(file):
            case ".parquet":
                return shards.rows(footed(file))
            case ".csv" | ".tsv":
                records = numbered_records(file, dialect, delimiter_of(file, dialect))
                return max(0, sum(1 for _ in records) - 1)
            case ".json":
                return sum(1 for _ in numbered_items(file, dialect))
            case _:
                return sum(1 for _ in numbered_lines(file, dialect))


def write(frame: pl.DataFrame, file: Path) -> None:
    """Appears whole, by rename."""
    kind = ending(file, WRITTEN)
    file.parent.mkdir(parents=True, exist_ok=True)
    if kind == ".parquet":
        shards.write(file, frame)
        return
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        if kind == ".jsonl":
            frame.write_ndjson(temporary)
        else:
            temporary.write_bytes(gzip.compress(frame.write_ndjson().encode(), mtime=0))
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_file(file: Path) -> Generator[None]:
    if not file.is_file():
        raise ConfigError(f"{file}: no such file (working directory: {Path.cwd()})")
    try:
        yield
    except _DAMAGE as error:
        words = f"not readable to its end, or not {ending(file)[1:]} at all ({error})"
        raise ConfigError(f"{file}: {words}; is it whole?") from None


def _nothing_lost(frame: pl.DataFrame, found: list[dict[str, Any]], file: Path) -> pl.DataFrame:
    """`frame`, if each value of `found` is in it as it was: polars makes null of what it cannot hold."""
    for name, kind in frame.schema.items():
        values = [row.get(name) for row in found]
        most = 2**53 if kind.is_float() else 2**127
        if huge := next((n for value in values for n in _integers(value) if abs(n) > most), None):
            raise ConfigError(f"{file}: {name} holds {huge}, which would not stay exact; write it as text")
        if frame[name].null_count() != sum(value is None for value in values):
            raise ConfigError(f"{file}: {name} has values of several kinds; it must hold values of one kind")
    return frame


def _integers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _integers(item)


def footed(file: Path) -> Path:
    """`file`, whose footer can be read: `shards` would call a damaged one a fault of the store."""
    names = pq.read_metadata(file).schema.to_arrow_schema().names
    if twice := [name for name, many in Counter(names).items() if many > 1]:
        raise ConfigError(f"{file}: several columns have the name {twice[0]!r}; each must have its own")
    return file


def _parquet(file: Path) -> Iterator[Row]:
    if shards.base_of(footed(file)) is None:
        batches = pq.ParquetFile(file).iter_batches(batch_size=1000)
    else:
        batches = shards.read(file).to_arrow().to_batches(1000)
    for number, row in enumerate((row for batch in batches for row in arrow_rows(batch)), start=1):
        yield f"{file}:{number}", row


def arrow_rows(batch: Any) -> list[dict[str, Any] | Fault]:
    """Arrow calls any bytes a text: a row with one that is no UTF-8 is a fault, and no other."""
    try:
        return batch.to_pylist()
    except UnicodeDecodeError as why:
        if batch.num_rows == 1:
            return [malformed(f"not UTF-8: {why}")]
    half = batch.num_rows // 2
    return [*arrow_rows(batch.slice(0, half)), *arrow_rows(batch.slice(half))]
