"""`distillery show`: rows that a stage made, as people read them."""

from __future__ import annotations

import argparse

import polars as pl
from rich.console import Console
from rich.text import Text

from distillery.errors import ConfigError
from distillery.store.runs import find_run, find_stage, read_run, rows_of


def main(arguments: argparse.Namespace) -> int:
    step = find_stage(read_run(find_run(arguments.run, arguments.data_dir)), arguments.stage)
    rows = rows_of(step, arguments.data_dir)
    if rows is None:
        raise ConfigError(f"stage {arguments.stage!r}: has no rows yet, or makes no table ({step['use']})")
    known = rows.collect_schema().names()
    if arguments.where:
        column, _, value = arguments.where.partition("=")
        rows = rows.filter(pl.col(_check(column, known)).cast(pl.String) == value)
    if arguments.columns:
        rows = rows.select([_check(name, known) for name in arguments.columns.split(",")])
    console = Console()
    for number, row in enumerate(rows.head(arguments.rows).collect().iter_rows(named=True)):
        console.rule(f"{arguments.stage} · row {number}")
        for name, value in row.items():
            console.print(Text(f"{name}: ", style="bold") + Text(str(value)))
    return 0


def _check(column: str, known: list[str]) -> str:
    if column not in known:
        raise ConfigError(f"column {column!r}: the stage does not give it; it gives {', '.join(known)}")
    return column
