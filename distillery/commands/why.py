"""`distillery why`: what became of a row, stage by stage, with the reason where it left."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.text import Text

from distillery.errors import ConfigError
from distillery.report.console import table_of
from distillery.store.runs import find_run, read_run, rows_of, stage_dir

_KEYS = ("problem_id", "trace_id")


def main(arguments: argparse.Namespace) -> int:
    run = read_run(find_run(arguments.run, arguments.data_dir))
    console = Console()
    if arguments.key is None:
        _reasons(console, run, arguments.data_dir)
    elif not _story(console, run, arguments.key, arguments.data_dir):
        raise ConfigError(
            f"key {arguments.key!r}: no row of {run['pipeline']}/{run['number']} has it; give a problem_id or"
            " trace_id, or the start of one (distillery show RUN STAGE prints them)"
        )
    return 0


def _reasons(console: Console, run: dict[str, Any], data: Path) -> None:
    table = table_of("stage", "reason", "rows", "for example", right=("rows",))
    for step in run["steps"]:
        ledger = stage_dir(step, data).ledger()
        counts = ledger.group_by("reason").agg(pl.len(), pl.col("key").first()).sort("len", descending=True)
        for reason, rows, key in counts.iter_rows():
            table.add_row(*map(Text, (step["id"], reason, f"{rows:,}", key)))
    console.print(table if table.row_count else "nothing was dropped")


def _story(console: Console, run: dict[str, Any], key: str, data: Path) -> bool:
    found = False
    for step in run["steps"]:
        rows, here = rows_of(step, data), 0
        names = [] if rows is None else rows.collect_schema().names()
        if rows is not None and (columns := [name for name in _KEYS if name in names]):
            match = pl.any_horizontal(pl.col(name).str.starts_with(key) for name in columns)
            here = rows.filter(match).select(pl.len()).collect().item()
        left = stage_dir(step, data).ledger().filter(pl.col("key").str.starts_with(key))
        if here:
            console.print(Text(f"{step['id']:<26} {here:>4} row{'s' if here > 1 else ''} kept"))
        for dropped, reason, detail in left.iter_rows():
            said = (f"{step['id']:<26} dropped: ", (reason, "bold"), f"  {detail}  ({dropped})")
            console.print(Text.assemble(*said))
        found = found or bool(here) or left.height > 0
    return found
