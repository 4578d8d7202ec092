"""Markdown out of any text: tables, code, and cells no part of which is read as Markdown or HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are Markdown already; see `cell` and `code` for text that is not."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_MARKS = str.maketrans({**{mark: f"\\{mark}" for mark in "\\`*_{}[]#~$"}, **_ENTITIES})


def cell(text: str) -> str:
    """Any text as the text of one table cell, no part of it read as Markdown or HTML."""
    return _line(text).translate(_MARKS)


def code(text: str) -> str:
    """Any text as inline code in a table cell; as plain text where no code span could hold it everywhere."""
    quiet = _line(text)
    if any(mark in quiet for mark in "\\`|<>&"):
        return cell(quiet)
    return f"`{quiet}`" if quiet else ""


def _line(text: str) -> str:
    """One line, without what is not shown and may turn its direction."""
    return " ".join("".join(one for one in text if one.isprintable() or one.isspace()).split())


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
