"""How a terminal is shown tables and sizes."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

_PIPED_WIDTH = 240  # of a file or a pipe, which nothing should be cut for


def table_console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def table_of(*names: str, right: tuple[str, ...] = ()) -> Table:
    """One without rows and frames, those of its columns that are numbers to the `right`."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, justify="right" if name in right else "left")
    return table


def mib(weight: int) -> str:
    """Bytes as mebibytes, to one digit."""
    return f"{weight / 2**20:,.1f}"
