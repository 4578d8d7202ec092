"""Texts without the places of one machine: its folders, its hosts, addresses. Pure: what is home is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import polars as pl

PATH, ADDRESS, LEFT_OUT = "(path)", "(address)", "(left out)"
_START = re.compile(
    r"\s*(?:/|~(?:$|[\w.-]*[\\/])|\.\.[\\/]|[A-Za-z]:[\\/]|\\\\[\w.-]+\\[\w$.-]|file:|\$\{?[A-Z_]{3,}\}?/)"
)
_URL = re.compile(r"\b(?!hf://)[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>()]*|\bfile:/[^\s'\"<>()]*")
_HOST = re.compile(
    r"(?<![\w.-])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|localhost\b|\[(?:[0-9a-fA-F]*:){2,}[0-9a-fA-F]*\])(?::\d+)?"
    r"|(?<![\w.@/-])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*(?<!\.jsonl)(?<!\.gz)(?<!\.parquet)(?<!\.csv)(?<!\.yaml)"
    r"(?<!\.json)(?<!\.py)(?<!\.txt):\d{2,5}\b"
)
_QUOTED = re.compile(r"(['\"`])(?:/|~[\w.-]*[\\/]|[A-Za-z]:[\\/]|\\\\[\w.-]+\\[\w$.-])(?:(?!\1).)*\1")
_END = r"[^\s'\",;:()<>|]*"
_BARE = re.compile(
    r"(?<![\w.:/<\\)\]}$^*-])(?:"
    rf"/(?:[^\s/'\",;:()\[\]{{}}<>|$\\^]+/)+{_END}"
    rf"|/(?:home|root|tmp|var|etc|usr|opt|mnt|data|srv|scratch|Users|Volumes|workspace)\b{_END}"
    rf"|~[\w.-]*[\\/]{_END}|\$\{{?[A-Z_]{{3,}}\}}?/{_END}|%[A-Z]+%\\{_END}"
    rf"|[A-Za-z]:[\\/](?![\\/]){_END}|\\\\[\w.-]+\\[\w$.-]{_END})"
)
_MAYBE = re.compile(r"[/\\~:]|\d\.\d|localhost")


def masked(text: str, private: Iterable[str] = ()) -> str:
    """`text` with addresses and paths replaced, and each of the texts that are `private`."""
    folders, others = _wholes(tuple(private))
    text = _sub(folders, PATH, text)
    if _MAYBE.search(text):
        text = _HOST.sub(ADDRESS, _URL.sub(_place, text))
        text = _BARE.sub(PATH, _QUOTED.sub(lambda found: f"{found[1]}{PATH}{found[1]}", text))
    return _sub(others, LEFT_OUT, text)


def masked_option(text: str, private: Iterable[str] = ()) -> str:
    """The same of an option's value, which may be one path from its first character to its last."""
    return PATH if _START.match(text) else masked(text, private)


def told(column: pl.Series, private: Iterable[str]) -> pl.Series:
    """A column that the line itself has written, `masked`; each text once, however many rows have it."""
    return _changed(column, lambda text: masked(text, private))


def given(column: pl.Series, private: Iterable[str]) -> pl.Series:
    """A column of somebody's data: addresses in it are theirs, and only what is `private` goes."""
    folders, others = _wholes(tuple(private))
    return _changed(column, lambda text: _sub(others, LEFT_OUT, _sub(folders, PATH, text)))


def _changed(column: pl.Series, change: Callable[[str], str]) -> pl.Series:
    known = {text: other for text in column.drop_nulls().unique() if (other := change(text)) != text}
    return column.replace(known) if known else column


def _sub(pattern: re.Pattern[str] | None, place: str, text: str) -> str:
    return pattern.sub(place, text) if pattern else text


def _place(found: re.Match[str]) -> str:
    return PATH if found[0].lower().startswith("file:") else ADDRESS


@lru_cache(maxsize=8)
def _wholes(private: tuple[str, ...]) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Of folders, with what lies in them; and of all else."""
    folders = [text for text in private if _START.match(text)]
    others = [text for text in private if text.strip() and text not in folders]
    return _any_of(folders, rf"(?:[\\/]{_END}|(?!\w))"), _any_of(others, r"(?!\w)")


def _any_of(texts: Iterable[str], end: str) -> re.Pattern[str] | None:
    longest = sorted(set(texts), key=lambda text: (-len(text), text))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))}){end}") if longest else None
