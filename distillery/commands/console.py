"""How the commands show their tables."""

from __future__ import annotations

import sys

from rich.console import Console

_PIPED_WIDTH = 240  # of a file or a pipe, which nothing should be cut for


def table_console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def mib(weight: int) -> str:
    """Bytes as mebibytes, to one digit."""
    return f"{weight / 2**20:,.1f}"
