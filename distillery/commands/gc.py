"""`distillery gc`: what no run refers to. Says what would go; `--delete` removes it.

To let go of a run, delete its folder under data/runs, then collect.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from distillery.errors import ConfigError
from distillery.report.console import mib, table_console, table_of
from distillery.store.collect import Going, Survey, What, remove, survey

_MOST_SHOWN = 10


def main(arguments: argparse.Namespace) -> int:
    console = table_console()
    store, runs = arguments.data_dir / "store", arguments.data_dir / "runs"
    if not store.is_dir():
        console.print(f"nothing to collect: there is no {store}")
        return 0
    if not runs.is_dir():
        raise ConfigError(
            f"{runs}: there is none, so nothing says what of {store} is needed;"
            f" check --data-dir, or delete {store} yourself if all of it may go"
        )
    found = survey(store, runs, completions=not arguments.keep_completions)
    _say(console, found)
    if not arguments.delete:
        if found.going:
            console.print("nothing was changed; `distillery gc --delete` removes it")
        return 0
    removed, alone = remove(found, store, runs)
    for text in alone:
        console.print(f"left alone: {escape(text)}")
    console.print(f"removed {_sums(removed)}")
    return 0


def _say(console: Console, found: Survey) -> None:
    console.print(f"runs: {found.refs.runs:,}; stage folders that they name: {found.kept:,}")
    for text in found.alone:
        console.print(f"stays: {escape(text)}")
    if not found.going:
        console.print("there is nothing that no run refers to")
        return
    table = table_of("no run refers to", "count", "MiB", right=("count", "MiB"))
    for what in What:
        if ones := found.of(what):
            table.add_row(what, f"{sum(one.count for one in ones):,}", _mib(ones))
    console.print(table)
    largest = sorted(found.going, key=lambda one: -one.bytes)[:_MOST_SHOWN]
    console.print("the largest:" if len(found.going) > _MOST_SHOWN else "these are:")
    for one in largest:
        count = f"{one.count:,} " if one.what is What.COMPLETIONS else ""
        console.print(f"  {_mib([one]):>10} MiB  {count}{escape(one.name)}")


def _sums(removed: list[Going]) -> str:
    kinds = {what: [one.count for one in removed if one.what is what] for what in What}
    parts = [f"{sum(counts):,} {what}" for what, counts in kinds.items() if counts]
    return f"{', '.join(parts) or 'nothing'}: {_mib(removed)} MiB"


def _mib(ones: Iterable[Going]) -> str:
    return mib(sum(one.bytes for one in ones))
