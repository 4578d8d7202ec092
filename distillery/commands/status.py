"""`distillery status`: where a run stands, and what the store holds."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from distillery.commands.runs import find_run, read_run, stage_dir
from distillery.engines.requests import RequestStore


def main(arguments: argparse.Namespace) -> int:
    console = Console()
    data: Path = arguments.data_dir
    if arguments.run is None:
        _all_runs(console, data)
    else:
        _one_run(console, find_run(arguments.run, data), data)
    _requests(console, data)
    return 0


def _all_runs(console: Console, data: Path) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("run", "status", "steps", "started", "finished"):
        table.add_column(name)
    for file in sorted((data / "runs").glob("*/*/run.json")):
        run = read_run(file.parent)
        done = sum(step["status"] == "done" for step in run["steps"])
        steps = f"{done}/{len(run['steps'])}"
        table.add_row(
            f"{run['pipeline']}/{run['number']}", run["status"], steps, run["started"], run["finished"]
        )
    console.print(table if table.row_count else f"no runs under {data / 'runs'} yet")


def _one_run(console: Console, folder: Path, data: Path) -> None:
    run = read_run(folder)
    console.print(
        f"{run['pipeline']}/{run['number']}: {run['status']}, seed {run['seed']}, started {run['started']}"
    )
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("stage", "use", "status", "in", "out", "dropped", "seconds"):
        table.add_column(name, justify="right" if name in ("in", "out", "dropped", "seconds") else "left")
    for step in run["steps"]:
        note = stage_dir(step, data).done()
        if note is None:
            shards = len(list(stage_dir(step, data).path.glob("shard-*.parquet")))
            table.add_row(step["id"], step["use"], f"{shards} shards so far" if shards else "owed", *[""] * 4)
            continue
        numbers = [f"{note[name]:,}" for name in ("rows_in", "rows_out", "rows_dropped")]
        table.add_row(step["id"], step["use"], "done", *numbers, f"{note['seconds']:.1f}")
    console.print(table)


def _requests(console: Console, data: Path) -> None:
    sizes = RequestStore(data / "store" / "requests").sizes()
    total = sum(size.bytes for size in sizes)
    count = sum(size.completions for size in sizes)
    console.print(f"request store: {count:,} completions of {len(sizes)} models, {total / 2**20:.1f} MiB")
