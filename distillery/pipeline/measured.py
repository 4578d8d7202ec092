"""What the store already knows of a stage: rows in and out, tokens, bytes; of all of it or a part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from distillery import shards
from distillery.store.stage_dir import StageDir


@dataclass(frozen=True, kw_only=True)
class Measured:
    done: bool
    rows_in: int
    rows_out: int
    counts: Mapping[str, float]  # what the stage counted, added up over shards
    prompt_tokens: float | None  # mean of the rows that have any
    completion_tokens: float | None
    bytes: int
    model: bool = False  # it made a model, not a table

    @property
    def keep(self) -> float | None:
        """Rows out for each row in: a share, or for a stage that samples, a multiple."""
        return self.rows_out / self.rows_in if self.rows_in else None


def measure(folder: StageDir) -> Measured | None:
    """None where the folder holds no finished shard and no finished model."""
    note = folder.done()
    numbers = folder.on_disk() if note is None else range(note.shards)
    if note is None and not numbers:
        return None
    sums = note or folder.sums(numbers)
    files = [folder.shard(number) for number in numbers]
    return Measured(
        done=note is not None,
        rows_in=sums.rows_in,
        rows_out=sums.rows_out,
        counts=sums.counts,
        prompt_tokens=_mean(files, "prompt_tokens"),
        completion_tokens=_mean(files, "completion_tokens"),
        bytes=sum(file.stat().st_size for file in folder.path.rglob("*") if file.is_file()),
        model=note is not None and note.model,
    )


def _mean(files: list[Path], column: str) -> float | None:
    """Over all rows; null where the column is missing or empty."""
    total, count = 0.0, 0
    for file in files:
        if column in shards.schema(file):
            values = shards.read(file, [column])[column]
            total, count = total + float(values.sum() or 0), count + values.count()
    return total / count if count else None
