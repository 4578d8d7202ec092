"""ingest.file: problems from files on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from distillery.hashing import Json, sha256
from distillery.records import Columns
from distillery.row_files import Drop, count, files, read
from distillery.stages.base import Context, Output, Source, computed
from distillery.stages.ingest.problem_rows import RowMap, shards


@dataclass(frozen=True, kw_only=True)
class IngestFile(Source):
    """Problems from jsonl, jsonl.gz, parquet and csv files, told by their ending; read as a stream.

    The ledger's key of a bad row is "file:line" (parquet: the row's number, from 1).

        - id: problems
          use: ingest.file
          with: {path: my/*.jsonl, columns: {question: problem, gold: answer}, constants: {checker: math}}
    """

    path: str | list[str]
    """A file, or a pattern as problems/*.jsonl, or a list of them."""
    columns: dict[str, str | dict[str, str]] = field(default_factory=dict)
    """Our column: theirs; a dot goes into nested values. For `payload` a mapping of its keys to their
    columns."""
    constants: dict[str, Any] = field(default_factory=dict)
    """Our column: its value in every row."""
    keep: tuple[str, ...] = ()
    """Further columns to take along, as text."""
    gold_pattern: str = ""
    r"""A regex whose group 1 is the gold, as `####\s*(.+)` for GSM8K; "": the whole column."""
    shard_rows: Annotated[int, Field(ge=1)] = 1000
    """Rows of a shard."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Problems to take; null: all."""

    version = 2
    reasons = tuple(Drop)

    def __post_init__(self) -> None:
        _ = self._map

    @property
    def _map(self) -> RowMap:
        return RowMap("ingest.file", self.columns, self.constants, self.keep, self.gold_pattern)

    @computed
    def writes(self) -> Columns:
        return self._map.writes

    def stamp(self) -> Json:
        """sha256 of each file's bytes; where the files lie does not count."""
        return [sha256(file) for file in files(self.path, where="ingest.file")]

    def expected_rows(self) -> int:
        return sum(count(file) for file in files(self.path, where="ingest.file"))

    def shards(self, ctx: Context) -> Iterator[Output]:
        rows = (row for file in files(self.path, where="ingest.file") for row in read(file))
        yield from shards(rows, self._map, shard_rows=self.shard_rows, limit=self.limit)
