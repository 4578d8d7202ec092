"""ingest.hub: problems from a data set on the Hugging Face hub, or from a folder in its form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from distillery.hashing import Json
from distillery.hub import load_split
from distillery.row_files import Row
from distillery.stages.ingest.problem_rows import ProblemSource


@dataclass(frozen=True, kw_only=True)
class IngestHub(ProblemSource):
    r"""A split of what `datasets.load_dataset` finds. Pin `revision`: without it the rows may change unseen.

    The ledger's key of a bad row is "name:split:number", numbers from 1.

        - id: problems
          use: ingest.hub
          with:
            name: openai/gsm8k
            config: main
            columns: {gold: answer}
            gold_pattern: '####\s*(.+)'
            constants: {checker: math, domain: math}
    """

    name: str
    """As on the hub (openai/gsm8k), a folder, or a format (json, parquet) with data_files."""
    config: str | None = None
    """Of the data set; null: its only or default one."""
    split: str = "train"
    """Of the data set; slices too: "train[:1000]"."""
    revision: str | None = None
    """A commit, tag or branch; null: the newest."""
    data_files: str | list[str] | None = None
    """Files of the data set, or of the format; null: as the data set says."""
    streaming: bool = False
    """Read as it comes, nothing kept in the local cache."""

    use = "ingest.hub"

    def stamp(self) -> Json:
        return {"name": self.name, "config": self.config, "split": self.split, "revision": self.revision}

    def rows(self) -> Iterator[Row]:
        rows = load_split(
            self.name,
            where=self.use,
            config=self.config,
            split=self.split,
            revision=self.revision,
            data_files=self.data_files,
            streaming=self.streaming,
        )
        return ((f"{self.name}:{self.split}:{number}", row) for number, row in enumerate(rows, start=1))
