"""`distillery status`: where a run stands, and what the store holds."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from distillery.engines.request_store import RequestStore
from distillery.report.console import mib, table_console, table_of
from distillery.store.collect import References, bytes_of, model_of, read_references, stage_folders
from distillery.store.runs import find_run, read_run, stage_dir

_MOST_MODELS = 20


def main(arguments: argparse.Namespace) -> int:
    console = table_console()
    data: Path = arguments.data_dir
    if arguments.run is not None:
        _one_run(console, find_run(arguments.run, data), data)
        return 0
    _all_runs(console, data)
    refs = read_references(data / "runs")
    _folders(console, data, refs)
    _requests(console, data, refs)
    return 0


def _all_runs(console: Console, data: Path) -> None:
    table = table_of("run", "status", "steps", "started", "finished")
    for file in sorted((data / "runs").glob("*/*/run.json")):
        run = read_run(file.parent)
        done = sum(step["status"] == "done" for step in run["steps"])
        steps = f"{done}/{len(run['steps'])}"
        name = f"{run['pipeline']}/{run['number']}"
        table.add_row(name, run["status"], steps, run["started"], run["finished"])
    console.print(table if table.row_count else f"no runs under {data / 'runs'} yet")


def _one_run(console: Console, folder: Path, data: Path) -> None:
    run = read_run(folder)
    stands = f"{run['status']}, seed {run['seed']}, started {run['started']}"
    console.print(f"{run['pipeline']}/{run['number']}: {stands}")
    numbers = ("in", "out", "dropped", "seconds")
    table = table_of("stage", "use", "status", *numbers, right=numbers)
    for step in run["steps"]:
        note = stage_dir(step, data).done()
        if note is None:
            shards = len(stage_dir(step, data).on_disk())
            table.add_row(step["id"], step["use"], f"{shards} shards so far" if shards else "owed", *[""] * 4)
            continue
        numbers = [f"{getattr(note, name):,}" for name in ("rows_in", "rows_out", "rows_dropped")]
        table.add_row(step["id"], step["use"], "done", *numbers, f"{note.seconds:.1f}")
    console.print(table)


def _folders(console: Console, data: Path, refs: References) -> None:
    store = data / "store"
    if not store.is_dir():
        return
    weights = {name: bytes_of(store / name) for name in stage_folders(store)}
    unnamed = weights.keys() - refs.folders
    console.print(f"\nstage folders: {len(weights):,}, {mib(sum(weights.values()))} MiB")
    if unnamed:
        weight = mib(sum(weights[name] for name in unnamed))
        console.print(f"no run refers to {len(unnamed):,} of them, {weight} MiB: `distillery gc` tells more")


def _requests(console: Console, data: Path, refs: References) -> None:
    sizes = RequestStore(data / "store" / "requests").sizes()
    total = sum(size.bytes for size in sizes)
    count = sum(size.completions for size in sizes)
    console.print(f"request store: {count:,} completions of {len(sizes)} models, {mib(total)} MiB")
    if not sizes:
        return
    numbers = ("completions", "MiB", "bytes a completion")
    table = table_of("model", *numbers, right=numbers)
    for size in sizes[:_MOST_MODELS]:
        mean = f"{size.bytes / size.completions:,.0f}" if size.completions else ""
        table.add_row(escape(model_of(size.identity, refs)), f"{size.completions:,}", mib(size.bytes), mean)
    console.print(table)
    if len(sizes) > _MOST_MODELS:
        console.print(f"and {len(sizes) - _MOST_MODELS:,} smaller ones")
