"""Tables on disk. A shard is a parquet file; one that only drops rows or adds columns repeats no texts.

Such a shard holds its own columns and, in `_row`, which rows of its base they belong to; that may be one too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from distillery.errors import StoreError

ROW = "_row"
_NOTE = "distillery"
_FOOTER = 8  # bytes at the end of a parquet file: the footer's length, and a magic number


@dataclass(frozen=True)
class Base:
    """What a shard stands on."""

    file: Path
    mark: str  # of the base's footer, which has the size and the statistics of every column chunk
    columns: tuple[str, ...]  # of the whole table, in order


@dataclass(frozen=True)
class Over:
    """What is to be written over a base."""

    base: Path
    chosen: pl.Series  # numbers of its rows
    added: pl.DataFrame  # beside them, and instead of columns of those names
    columns: tuple[str, ...]  # of the whole table, in order


def read(file: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """The whole table, or these of its columns in this order."""
    base = base_of(file)
    if base is None:
        return _table(file, columns)
    wanted = list(base.columns if columns is None else columns)
    own = set(pl.read_parquet_schema(file))
    over = _table(file, [ROW, *(name for name in wanted if name in own)])
    inherited = [name for name in wanted if name not in own]
    if not inherited:
        return over.select(wanted)
    _check(file, base)
    return read(base.file, inherited)[over[ROW]].hstack(over.drop(ROW)).select(wanted)


def scan(files: Sequence[Path]) -> pl.LazyFrame:
    """All rows of several shards, of which only what is asked for is read."""
    return pl.concat([_scan(file) for file in files], how="vertical")


def _scan(file: Path) -> pl.LazyFrame:
    base = base_of(file)
    if base is None:
        return pl.scan_parquet(file)
    _check(file, base)
    own = set(pl.read_parquet_schema(file))
    below = _scan(base.file).select(pl.exclude(own)).with_row_index(ROW)
    return pl.scan_parquet(file).join(below, on=ROW, how="left", maintain_order="left").select(base.columns)


def schema(file: Path) -> dict[str, pl.DataType]:
    own = dict(pl.read_parquet_schema(file))
    base = base_of(file)
    if base is None:
        return own
    _check(file, base)
    below = schema(base.file)
    return {name: own[name] if name in own else below[name] for name in base.columns}


def rows(file: Path) -> int:
    return _footer(file).num_rows


def weight(file: Path, columns: Collection[str] | None = None) -> int:
    """Uncompressed bytes of these columns, or of all, wherever they lie, from footers alone."""
    base = base_of(file)
    footer = _footer(file)
    own = set(footer.schema.to_arrow_schema().names)
    total = 0
    for group in range(footer.num_row_groups):
        for number in range(footer.num_columns):
            column: Any = footer.row_group(group).column(number)
            name = str(column.path_in_schema).partition(".")[0]
            if name != ROW and (columns is None or name in columns):
                total += int(column.total_uncompressed_size)
    if base is not None:
        wanted = base.columns if columns is None else columns
        total += weight(base.file, [name for name in wanted if name not in own])
    return total


def root(file: Path) -> Path:
    """The file at the bottom, which stands on no other."""
    base = base_of(file)
    return file if base is None else root(base.file)


def write(file: Path, table: pl.DataFrame) -> None:
    """Appears whole, by rename."""
    _replace(file, table)


def write_over(file: Path, over: Over) -> None:
    """Appears whole, by rename."""
    note = {
        "base": os.path.relpath(over.base, file.parent),
        "mark": _mark(over.base),
        "columns": list(over.columns),
    }
    own = pl.DataFrame({ROW: over.chosen.cast(pl.get_index_type())}).hstack(over.added)
    _replace(file, own, metadata={_NOTE: json.dumps(note)})


def base_of(file: Path) -> Base | None:
    note = (_footer(file).metadata or {}).get(_NOTE.encode())
    if note is None:
        return None
    known = json.loads(note)
    return Base(Path(os.path.normpath(file.parent / known["base"])), known["mark"], tuple(known["columns"]))


def _footer(file: Path) -> Any:
    try:
        return pq.read_metadata(file)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # pyarrow says ValueError of what is no parquet
        raise StoreError(f"{file}: not readable as parquet ({error}); delete its folder to redo") from None


def _check(file: Path, base: Base) -> None:
    if not base.file.exists():
        raise StoreError(
            f"{file}: it stands on {base.file}, which is gone; run the pipeline again to make both anew"
        )
    if _mark(base.file) != base.mark:
        raise StoreError(
            f"{file}: it stands on {base.file}, which is not what it was; delete {file.parent} to redo it"
        )


def _mark(file: Path) -> str:
    with file.open("rb") as data:
        data.seek(-_FOOTER, os.SEEK_END)
        size = int.from_bytes(data.read(4), "little")
        data.seek(-_FOOTER - size, os.SEEK_END)
        return hashlib.sha256(data.read(size)).hexdigest()[:16]


def _table(file: Path, columns: Sequence[str] | None) -> pl.DataFrame:
    try:
        return pl.read_parquet(file, columns=None if columns is None else list(columns), memory_map=False)
    except pl.exceptions.PolarsError as error:
        raise StoreError(f"{file}: not readable as parquet ({error}); delete its folder to redo") from None


def _replace(file: Path, table: pl.DataFrame, metadata: dict[str, str] | None = None) -> None:
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        table.write_parquet(temporary, compression="zstd", metadata=metadata)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    temporary.replace(file)
