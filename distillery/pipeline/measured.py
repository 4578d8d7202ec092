"""What the store already knows of a stage: rows in and out, tokens, bytes; of a finished folder or a part of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

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
    if note is None:
        return _part(folder)
    files = folder.shards()
    return Measured(
        done=True,
        rows_in=note.rows_in,
        rows_out=note.rows_out,
        counts=note.counts,
        prompt_tokens=_mean(files, "prompt_tokens"),
        completion_tokens=_mean(files, "completion_tokens"),
        bytes=_bytes(folder),
        model=note.model,
    )


def _part(folder: StageDir) -> Measured | None:
    numbers = folder.on_disk()
    if not numbers:
        return None
    sums = folder.sums(numbers)
    files = [folder.shard(number) for number in numbers]
    return Measured(
        done=False,
        rows_in=sums.rows_in,
        rows_out=sums.rows_out,
        counts=sums.counts,
        prompt_tokens=_mean(files, "prompt_tokens"),
        completion_tokens=_mean(files, "completion_tokens"),
        bytes=_bytes(folder),
    )


def _mean(files: list[Path], column: str) -> float | None:
    """Over all rows; null where the column is missing or empty."""
    total, count = 0.0, 0
    for file in files:
        if column not in shards.schema(file):
            continue
        row = shards.read(file, [column]).select(
            pl.col(column).sum().alias("sum"), pl.col(column).count().alias("n")
        )
        total, count = total + float(row["sum"][0] or 0), count + int(row["n"][0])
    return total / count if count else None


def _bytes(folder: StageDir) -> int:
    return sum(file.stat().st_size for file in folder.path.rglob("*") if file.is_file())
