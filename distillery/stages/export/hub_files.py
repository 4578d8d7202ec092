"""Files of a published set: fixed features, parquet shards of a fixed number of rows, grouping on disk.

Only a shard or a group of problems is ever in memory, so that millions of rows fit a laptop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from distillery import shards
from distillery.curate.publish.masked import given, told
from distillery.records import Columns

_MOST_READS = 3  # of each file of samples, before grouping them on disk is cheaper
_TOLD, _GIVEN = ("model", "prompt", "sampling"), ("source", "domain")
_ROW_GROUP = 1_000  # rows; what the hub's viewer reads at a time


def features(columns: Columns) -> Any:
    """`datasets.Features`, never inferred: a first shard of nulls must not decide a column's type."""
    from datasets import Features

    return Features({name: _feature(kind) for name, kind in columns.items()})


def _feature(kind: Any) -> Any:
    from datasets import List, Value

    if isinstance(kind, pl.List):
        return List(_feature(kind.inner))
    if isinstance(kind, pl.Struct):
        return {field.name: _feature(field.dtype) for field in kind.fields}
    return Value("bool" if kind == pl.Boolean else str(kind).lower())


class ShardedWriter:
    """Cuts a stream of tables into `train-00000-of-0000N.parquet`, whatever pieces they come in.

    At most a row group is held back. Without rows there is no file: `datasets` loads no empty split.
    """

    def __init__(self, folder: Path, columns: Columns, *, rows: int, rows_per_shard: int) -> None:
        self._folder = folder
        self._schema: pa.Schema = features(columns).arrow_schema
        self._rows_per_shard = rows_per_shard
        self._files = -(-rows // rows_per_shard)
        self._buffer: list[pl.DataFrame] = []
        self._buffered = 0  # rows
        self._number = 0  # of the file
        self._in_file = 0  # rows
        self._file: pq.ParquetWriter | None = None

    def add(self, table: pl.DataFrame) -> None:
        while table.height:
            room = min(_ROW_GROUP, self._rows_per_shard - self._in_file) - self._buffered
            self._buffer.append(table.head(room))
            self._buffered += min(room, table.height)
            if table.height >= room:
                self._flush()
            table = table.slice(room)

    def close(self) -> None:
        if self._buffered:
            self._flush()
        self._end_file()

    def _flush(self) -> None:
        """Writes the buffer as one row group, wherever the pieces were cut that it came in."""
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            name = f"train-{self._number:05d}-of-{self._files:05d}.parquet"
            self._file = pq.ParquetWriter(
                self._folder / name,
                self._schema,
                compression="zstd",
                compression_level=3,
                use_dictionary=False,
            )
        tables = [piece.to_arrow().cast(self._schema) for piece in self._buffer]
        self._file.write_table(pa.concat_tables(tables).combine_chunks(), row_group_size=_ROW_GROUP)
        self._in_file += self._buffered
        self._buffer, self._buffered = [], 0
        if self._in_file == self._rows_per_shard:
            self._end_file()

    def _end_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file, self._in_file, self._number = None, 0, self._number + 1


def read(
    files: Sequence[Path], columns: Collection[str], private: Sequence[str] = ()
) -> Iterator[pl.DataFrame]:
    """Each file's table, with those of `columns` that it has, without what is private in them."""
    for file in files:
        table = shards.read(file, [name for name in shards.schema(file) if name in columns])
        yield without_private(table, private)


def without_private(table: pl.DataFrame, private: Sequence[str]) -> pl.DataFrame:
    """A row's texts are data and stay; what the line says of them names no place of this machine."""
    return table.with_columns(
        *(told(table[name], private) for name in _TOLD if name in table.columns),
        *(given(table[name], private) for name in _GIVEN if name in table.columns),
    )


def nearby(tables: Sequence[Path], samples: Sequence[Path]) -> list[list[Path]] | None:
    """For each table the files with all samples of problems that begin in it; None if they are scattered."""
    begun = _problems(tables).unique("problem_id", keep="first", maintain_order=True)
    places = _problems(samples)
    found = begun.join(places, on="problem_id", suffix="_samples").select("file", "file_samples").unique()
    if found.height > _MOST_READS * len(samples):
        return None
    near: list[list[Path]] = [[] for _ in tables]
    for table, file in found.sort("file", "file_samples").iter_rows():
        near[table].append(samples[file])
    return near


def _problems(files: Sequence[Path]) -> pl.DataFrame:
    """Columns problem_id and file, its number; each pair once."""
    parts = [
        shards.read(file, ["problem_id"]).unique().with_columns(file=pl.lit(number, pl.Int32))
        for number, file in enumerate(files)
    ]
    return pl.concat(parts)


def row_count(files: Sequence[Path]) -> int:
    return sum(map(shards.rows, files))


def split_by_group(tables: Iterable[pl.DataFrame], groups: pl.DataFrame, folder: Path) -> None:
    """Writes each row to `folder`/<group>.parquet, in order; `groups` has problem_id and group.

    A row whose problem is in no group is left out.
    """
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        writers: dict[int, pq.ParquetWriter] = {}
        for table in tables:
            placed = table.join(groups, on="problem_id", how="inner", maintain_order="left")
            for (group,), rows in placed.partition_by("group", as_dict=True, maintain_order=True).items():
                piece = rows.drop("group").to_arrow()
                if group not in writers:
                    file = folder / f"{group}.parquet"
                    writers[group] = stack.enter_context(
                        pq.ParquetWriter(file, piece.schema, compression="lz4")
                    )
                writers[group].write_table(piece)


def read_group(folder: Path, group: int, columns: Columns) -> pl.DataFrame:
    file = folder / f"{group}.parquet"
    return pl.read_parquet(file, memory_map=False) if file.exists() else pl.DataFrame(schema=dict(columns))
