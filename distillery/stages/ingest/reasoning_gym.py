"""ingest.reasoning_gym: puzzles made from a seed, each with its own checker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from distillery.errors import ConfigError
from distillery.hashing import Json
from distillery.installed.extras import require
from distillery.records import PROBLEM
from distillery.row_files import Drop
from distillery.stages.base import Context, Output, Source
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.problem_rows import shards


@dataclass(frozen=True, kw_only=True)
class IngestReasoningGym(Source):
    """Puzzles of one reasoning-gym task; the payload holds what the task's scorer needs.

    - id: puzzles
      use: ingest.reasoning_gym
      with: {task: zebra_puzzles, size: 500}
    """

    task: str
    """Its name in reasoning-gym: zebra_puzzles, countdown, ..."""
    size: Annotated[int, Field(ge=1)]
    """Puzzles to make."""
    seed: int = 0
    """Its own, so that a bench stays the same when the pipeline's seed changes."""
    options: dict[str, Any] = field(default_factory=dict)
    """The task's own, such as difficulty ranges."""
    domain: str = "logic"
    """The column `domain` of every row."""
    language: str = "en"
    """The language wanted of a thought; "": not checked."""
    shard_rows: Annotated[int, Field(ge=1)] = 1000
    """Rows of a shard."""

    version = 2
    reasons = tuple(Drop)
    writes = PROBLEM

    def stamp(self) -> Json:
        """The generator's version: another one may write other puzzles from the same seed."""
        from importlib.metadata import version

        require("reasoning_gym", "puzzles", where="ingest.reasoning_gym")
        return {"reasoning-gym": version("reasoning-gym")}

    def expected_rows(self) -> int | None:
        return self.size

    def shards(self, ctx: Context) -> Iterator[Output]:
        source = f"reasoning_gym.{self.task}"
        same = {"checker": "puzzle", "domain": self.domain, "language": self.language, "source": source}
        row_map = RowMap("ingest.reasoning_gym", {"gold": "answer"}, same)
        rows = ((f"{self.task}:{number}", row) for number, row in enumerate(self._rows(), start=1))
        yield from shards(rows, row_map, shard_rows=self.shard_rows)

    def _rows(self) -> Iterator[dict[str, Any]]:
        import reasoning_gym
        from reasoning_gym.factory import DATASETS

        if self.task not in DATASETS:
            raise ConfigError(
                f"ingest.reasoning_gym.task: unknown task {self.task!r}; {len(DATASETS)} are known, "
                f"such as {', '.join(sorted(DATASETS)[:5])}"
            )
        try:
            found = reasoning_gym.create_dataset(self.task, size=self.size, seed=self.seed, **self.options)
        except (TypeError, AssertionError, ValueError) as error:
            raise ConfigError(f"ingest.reasoning_gym.options: {error}") from None
        for entry in found:
            payload = {"task": self.task, "entry": dict(entry)}
            yield {"question": entry["question"], "answer": entry["answer"], "payload": payload}
