"""Who a response says it is. A claim in the first person counts; naming a model or a maker does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

import polars as pl

from distillery.installed.word_lists import pattern, word_lists

_pattern = partial(pattern, __file__)
_REACH = 240  # bytes to each side of a name, in which its claim stands


def claimed_makers(texts: pl.Series, *, own: Iterable[str] = ()) -> list[str | None]:
    """`claimed_maker` of a column without nulls: one search for the names, for setting it up takes time."""
    ours = tuple(name.lower() for name in own)
    found: list[str | None] = [None] * len(texts)
    lists = word_lists(__file__)
    names = lists["models_and_makers"] + lists["others"]
    named = texts.str.contains_any(names, ascii_case_insensitive=True).arg_true()
    some = texts.gather(named)
    places = some.str.find_many(names, ascii_case_insensitive=True)
    for number, text, at in zip(named, some, places, strict=True):
        claims = (_first_claim(passage, ours) for passage in _passages(text.encode(), at))
        found[number] = next(filter(None, claims), None)
    return found


def claimed_maker(text: str, *, own: Iterable[str] = ()) -> str | None:
    """The words with which a text says that it is a known model or maker's, none that begins as `own`."""
    return claimed_makers(pl.Series([text.encode(errors="replace").decode()]), own=own)[0]


def _first_claim(passage: str, ours: tuple[str, ...]) -> str | None:
    for found in chain(*(_pattern(kind).finditer(passage) for kind in ("claims", "apposition"))):
        name = next(group for group in found.groups() if group)
        if not name.lower().startswith(ours):
            return found[0]
    return None


def _passages(data: bytes, names: Iterable[int]) -> Iterator[str]:
    """What stands around the names; neighbours together. `names`: where they begin."""
    begin = end = 0
    for place in sorted(names):
        if place - _REACH > end:
            yield data[begin:end].decode(errors="ignore")
            begin = place - _REACH
        end = place + _REACH
    yield data[max(begin, 0) : end].decode(errors="ignore")
