"""ingest.hub: problems from a data set on the Hugging Face hub, or from a folder in its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from distillery.errors import ConfigError
from distillery.hashing import Json
from distillery.hub import features, load_split, offline_where_no_hub_answers
from distillery.records import Columns
from distillery.row_files import Row
from distillery.stages.ingest.mapping.kept_types import by_rows, schema_of, undecided
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.mapping.values import Type
from distillery.stages.ingest.problem_rows import LOOK_AHEAD, ProblemSource


@dataclass(frozen=True, kw_only=True)
class IngestHub(ProblemSource):
    r"""A split of what `datasets.load_dataset` finds. Pin `revision`: without it the rows may change unseen.

    The ledger's key of a bad row is "name:split:number", numbers from 1. A config that export.hub has
    published needs `name` and `config` alone: it is told by its columns, and its card says what it lacks.

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
        rows = self._load(self.split, streaming=self.streaming)
        return ((f"{self.name}:{self.split}:{number}", row) for number, row in enumerate(rows, start=1))

    def schema(self) -> Columns:
        """The set's features, where it or the hub tells them without its rows."""
        found = features(self.name, config=self.config, revision=self.revision, data_files=self.data_files)
        return {} if found is None else schema_of(found)

    def told(self, row_map: RowMap) -> Mapping[str, Type]:
        """By rows that come as a stream: a plan fetches no whole set."""
        try:
            with offline_where_no_hub_answers():
                rows = self._load(self.split.partition("[")[0], streaming=True)
                return by_rows(row_map, list(islice(rows, LOOK_AHEAD)))
        except ConfigError as error:
            names = ", ".join(f"{name}: TYPE" for name in undecided(row_map))
            right = f"say it: keep: {{{names}}}, with int, float, bool, text or json"
            raise ConfigError(
                f"{self.use}.keep: no type can be told before the run ({error}); {right}"
            ) from None

    def _load(self, split: str, *, streaming: bool) -> Any:
        return load_split(
            self.name,
            where=self.use,
            config=self.config,
            split=split,
            revision=self.revision,
            data_files=self.data_files,
            streaming=streaming,
        )
