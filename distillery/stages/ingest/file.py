"""ingest.file: problems from files on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distillery import shards
from distillery.errors import StoreError
from distillery.hashing import Json, sha256
from distillery.records import Columns
from distillery.row_files import Dialect, Fault, Row, blocks, count, files, format_of, read
from distillery.stages.base import Context, Output
from distillery.stages.ingest.in_shards import in_shards
from distillery.stages.ingest.mapping.kept_types import as_written, by_rows, same_in_all, schema_of
from distillery.stages.ingest.mapping.our_configs import config_of
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.mapping.values import Type
from distillery.stages.ingest.problem_rows import LOOK_AHEAD, ProblemSource

_WRITTEN = (".csv", ".tsv")  # all their values are texts


@dataclass(frozen=True, kw_only=True)
class IngestFile(ProblemSource):
    """Problems from jsonl (or ndjson), json, csv, tsv and parquet files, told by their ending.

    Each but parquet also packed, as .gz or .zst; all are read as a stream. A .json is an array of objects or
    one object a line. Parquet files of a config that export.hub has published need `path` alone, as with
    ingest.hub. The ledger's key of a bad row is "file:line" (parquet and arrays: the row's number, from 1).

        - id: problems
          use: ingest.file
          with: {path: my/*.jsonl, columns: {question: problem, gold: answer}, constants: {checker: math}}

        - id: traces
          use: ingest.file
          with:
            path: openr1/*.parquet
            explode: [generations, correctness_math_verify]
            columns: {question: problem, gold: answer, text: generations, outcome: correctness_math_verify}
            keep: [text, outcome]
    """

    path: str | list[str]
    """A file, a folder, or a pattern as problems/**/*.jsonl, or a list of them. Of a folder all files in it
    and below are taken, which must be of one format."""
    delimiter: str = ""
    """What parts the columns of a csv or tsv; "": as its ending and its header say."""
    encoding: str = ""
    """Of text, as utf-16, cp1252 or gb18030; "": UTF-8, or what the file's byte order mark says."""

    use = "ingest.file"

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self._dialect

    @property
    def _dialect(self) -> Dialect:
        return Dialect(self.delimiter, self.encoding, where=f"{self.use}.")

    def stamp(self) -> Json:
        """sha256 of each file's bytes; where the files lie does not count."""
        return [sha256(file) for file in self._files()]

    def expected_rows(self) -> int | None:
        return None if self.row_map.explode else sum(count(file, self._dialect) for file in self._files())

    def rows(self) -> Iterator[Row]:
        return (row for file in self._files() for row in read(file, self._dialect))

    def schema(self) -> Columns:
        """Of parquet."""
        return same_in_all(self._schemas())

    def our_configs(self) -> set[str]:
        """Of each file: columns that only all of them have together are nobody's."""
        return {config_of(schema) for schema in self._schemas()}

    def told(self, row_map: RowMap) -> Mapping[str, Type]:
        found = self._files()
        written = any(format_of(file) in _WRITTEN for file in found)
        given = ((format_of(file) in _WRITTEN, row) for file in found for _, row in read(file, self._dialect))
        ahead = islice(((text, row) for text, row in given if not isinstance(row, Fault)), LOOK_AHEAD)
        rows = [{n: as_written(v) for n, v in row.items()} if text else row for text, row in ahead]
        return by_rows(row_map, rows, written=written)

    def _schemas(self) -> list[Columns]:
        found = self._files()
        if any(format_of(file) != ".parquet" for file in found):
            return []
        try:
            return [_schema(file) for file in found]
        except (pa.ArrowException, OSError, StoreError):
            return []  # reading the rows says what is wrong

    def shards(self, ctx: Context) -> Iterator[Output]:
        row_map = self.row_map
        found = (block for file in self._files() for block in blocks(file, self._dialect, row_map.reads))
        ahead = list(islice(self.rows(), LOOK_AHEAD))
        yield from in_shards(found, row_map, ahead, shard_rows=self.shard_rows, limit=self.limit)

    def _files(self) -> list[Path]:
        return files(self.path, where=self.use)


def _schema(file: Path) -> Columns:
    return schema_of(pq.read_schema(file)) if shards.base_of(file) is None else shards.schema(file)
