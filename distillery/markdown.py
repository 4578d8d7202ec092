"""Markdown out of any text: tables, code, and cells no part of which is read as Markdown or HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are Markdown already; see `cell` and `code` for text that is not."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """Any text as the text of one table cell, no part of it read as Markdown or HTML."""
    quiet = " ".join(text.split())
    for mark in "\\`*_{}[]<>#|":
        quiet = quiet.replace(mark, f"\\{mark}" if mark != "<" else "&lt;")
    return quiet


def code(text: str) -> str:
    """Any text as inline code in a table cell."""
    quiet = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return f"`{quiet}`" if quiet else ""


def fenced(text: str, language: str) -> str:
    """A code block whose fence is longer than any inside it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.strip()}\n{fence}"


def plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{cell(str(key))}: {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(inner) for inner in value[:20]) + (" …" if len(value) > 20 else "")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else cell(str(value))
