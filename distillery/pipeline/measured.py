"""What the store already knows of a stage: rows in and out, tokens, bytes; of a finished folder or a part of one."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import polars as pl

from distillery import shards
from distillery.store.stage_dir import StageDir


@dataclass(frozen=True, kw_only=True)
class Measured:
    done: bool
    rows_in: int
    rows_out: int
    counts: dict[str, float]  # what the stage counted, added up over shards
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
        rows_in=note["rows_in"],
        rows_out=note["rows_out"],
        counts=note["counts"],
        prompt_tokens=_mean(files, "prompt_tokens"),
        completion_tokens=_mean(files, "completion_tokens"),
        bytes=_bytes(folder),
        model=note["model"],
    )


def _part(folder: StageDir) -> Measured | None:
    numbers = [int(file.stem.partition("-")[2]) for file in sorted(folder.path.glob("shard-*.parquet"))]
    if not numbers:
        return None
    notes = [folder.shard_note(number) for number in numbers]
    counts: dict[str, float] = {}
    for note in notes:
        for name, value in note["metrics"].items():
            counts[name] = counts.get(name, 0) + value
    files = [folder.shard(number) for number in numbers]
    return Measured(
        done=False,
        rows_in=sum(note["rows_in"] for note in notes),
        rows_out=sum(folder.count(number)[0] for number in numbers),
        counts=counts,
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


def count_rows(patterns: list[str]) -> int | None:
    """Rows of parquet, jsonl, jsonl.gz and csv files, without reading them as tables; None: there is none."""
    files = [Path(name) for pattern in patterns for name in sorted(glob(pattern))]  # noqa: PTH207 - patterns may be absolute
    return sum(_rows(file) for file in files) if files else None


def _rows(file: Path) -> int:
    if file.suffix == ".parquet":
        return shards.rows(file)
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        count = sum(1 for line in lines if line.strip())
    return max(0, count - 1) if file.suffix == ".csv" else count
