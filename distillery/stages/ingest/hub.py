"""ingest.hub: problems from a data set on the Hugging Face hub, or from a folder in its form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from distillery.hashing import Json
from distillery.hub import load_split
from distillery.records import Columns
from distillery.stages.base import Context, Output, Source, computed
from distillery.stages.ingest.problem_rows import RowMap, shards


@dataclass(frozen=True, kw_only=True)
class IngestHub(Source):
    """One split of what `datasets.load_dataset` finds. Pin `revision`: without it the rows may change unseen.

    The ledger's key of a bad row is "name:split:number", numbers from 1.
    """

    name: str
    """As on the hub ("openai/gsm8k"), a folder, or a format ("json", "parquet") with data_files."""
    config: str | None = None
    split: str = "train"
    """Slices too: "train[:1000]"."""
    revision: str | None = None
    """A commit, tag or branch."""
    data_files: str | list[str] | None = None
    streaming: bool = False
    """Read as it comes, nothing kept in the local cache."""
    columns: dict[str, str | dict[str, str]] = field(default_factory=dict)
    """Our column: theirs; see RowMap."""
    constants: dict[str, Any] = field(default_factory=dict)
    """Our column: its value in every row."""
    keep: tuple[str, ...] = ()
    """Further columns, as strings."""
    gold_pattern: str = ""
    """Regex whose group 1 is the gold."""
    shard_rows: Annotated[int, Field(ge=1)] = 1000
    limit: Annotated[int, Field(ge=1)] | None = None
    """Problems."""

    version = 2

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
