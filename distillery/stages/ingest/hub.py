"""ingest.hub: problems from a data set on the Hugging Face hub, or from a folder in its form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from distillery.hashing import Json
from distillery.hub import load_split
from distillery.records import Columns
from distillery.row_files import Drop
from distillery.stages.base import Context, Output, Source, computed
from distillery.stages.ingest.problem_rows import RowMap, shards


@dataclass(frozen=True, kw_only=True)
class IngestHub(Source):
    r"""One split of what `datasets.load_dataset` finds. Pin `revision`: without it the rows may change unseen.

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
    columns: dict[str, str | dict[str, str]] = field(default_factory=dict)
    """Our column: theirs; a dot goes into nested values. For `payload` a mapping of its keys to their
    columns."""
    constants: dict[str, Any] = field(default_factory=dict)
    """Our column: its value in every row."""
    keep: tuple[str, ...] = ()
    """Further columns to take along, as text."""
    gold_pattern: str = ""
    """A regex whose group 1 is the gold; "": the whole column."""
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
        return RowMap("ingest.hub", self.columns, self.constants, self.keep, self.gold_pattern)

    @computed
    def writes(self) -> Columns:
        return self._map.writes

    def stamp(self) -> Json:
        return {"name": self.name, "config": self.config, "split": self.split, "revision": self.revision}

    def shards(self, ctx: Context) -> Iterator[Output]:
        rows = (
            (f"{self.name}:{self.split}:{number}", row) for number, row in enumerate(self._load(), start=1)
        )
        yield from shards(rows, self._map, shard_rows=self.shard_rows, limit=self.limit)

    def _load(self) -> Any:
        return load_split(
            self.name,
            where="ingest.hub",
            config=self.config,
            split=self.split,
            revision=self.revision,
            data_files=self.data_files,
            streaming=self.streaming,
        )
