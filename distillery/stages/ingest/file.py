"""ingest.file: problems from files on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from distillery.hashing import Json, sha256
from distillery.row_files import Row, count, files, read
from distillery.stages.ingest.problem_rows import ProblemSource


@dataclass(frozen=True, kw_only=True)
class IngestFile(ProblemSource):
    """Problems from jsonl, jsonl.gz, parquet and csv files, told by their ending; read as a stream.

    The ledger's key of a bad row is "file:line" (parquet: the row's number, from 1).

        - id: problems
          use: ingest.file
          with: {path: my/*.jsonl, columns: {question: problem, gold: answer}, constants: {checker: math}}
    """

    path: str | list[str]
    """A file, or a pattern as problems/*.jsonl, or a list of them."""

    use = "ingest.file"

    def stamp(self) -> Json:
        """sha256 of each file's bytes; where the files lie does not count."""
        return [sha256(file) for file in files(self.path, where=self.use)]

    def expected_rows(self) -> int:
        return sum(count(file) for file in files(self.path, where=self.use))

    def rows(self) -> Iterator[Row]:
        return (row for file in files(self.path, where=self.use) for row in read(file))
