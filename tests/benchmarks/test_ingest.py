"""Rows a second of ingest.file and dedup.exact beside polars, which reads, takes one of each question and writes.

polars makes no ids, no ledger and no shards, and compares texts as they stand.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
import pytest

CLIENTS = Path(__file__).parent / "clients"
ROOT = CLIENTS.parents[2]
ROWS = int(os.environ.get("DISTILLERY_BENCH_INGEST", "2000000"))
ROUNDS = 3


def measure(*arguments: object) -> dict:
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def questions(rng: np.random.Generator) -> pl.DataFrame:
    """Short ones, of which one in twenty stands there twice."""
    names = np.array(["apples", "trains", "students", "coins", "pages", "metres", "shares", "angles"])
    columns = [names[rng.integers(0, 8, ROWS)], np.arange(ROWS), rng.integers(0, 100_000, ROWS)]
    rows = pl.DataFrame(dict(zip("abc", columns, strict=True)))
    rows = rows[np.where(rng.random(ROWS) < 0.05, np.maximum(0, np.arange(ROWS) - 7), np.arange(ROWS))]
    text = pl.format("A shop has {} {} and sells {} of them; how many are left?", "b", "a", "c")
    return rows.select(text.alias("question"), (pl.col("b") - pl.col("c")).cast(pl.String).alias("gold"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_rows_a_second_beside_polars(tmp_path: Path, ending: str):
    file = tmp_path / f"rows.{ending}"
    table = questions(np.random.default_rng(5))
    {"jsonl": table.write_ndjson, "csv": table.write_csv, "parquet": table.write_parquet}[ending](file)
    found: dict[str, list[list[float]]] = {}
    for _ in range(ROUNDS):
        ours = measure(CLIENTS / "ingest_ours.py", file, 50_000)
        peer = measure(CLIENTS / "ingest_polars.py", file)
        assert ours["rows"] == peer["rows"]
        for name, took in {**ours["took"], **peer["took"]}.items():
            found.setdefault(name, []).append(took)
    print(f"\n{ROWS:,} rows of {ending}; medians of {ROUNDS}:")
    medians = {name: [median(column) for column in zip(*took, strict=True)] for name, took in found.items()}
    for name, (wall, cpu) in medians.items():
        print(f"  {name:12} {ROWS / wall:12,.0f} rows/s  {wall:6.1f} s  {cpu:6.1f} s of CPU")
    for number, what in enumerate(("wall", "CPU")):
        ratio = sum(medians[name][number] for name in ours["took"]) / medians["polars"][number]
        print(f"  distillery takes {ratio:.1f} times the {what} of polars")
