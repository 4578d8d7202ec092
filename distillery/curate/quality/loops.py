"""Loops: a stretch of text said over and over. Found by comparing the text with itself, moved by one period.

Counting goes up in a loop's stead ("case 1, case 2, ..."): only word-for-word repetition counts.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from distillery.curate.quality.loop_screen import MIN_ROUNDS, may_loop

_TOKEN = re.compile(r"\w+|[^\w\s]")
_LETTER = re.compile(r"[^\W\d_]{2}")
_GRAM = 6  # tokens; the next place where a run of so many stands again is a possible period
_TRIED = 24  # periods, the most frequent first
MAX_PERIOD = 400  # tokens


class Loop(NamedTuple):
    period: int  # tokens
    times: float
    tokens: int  # the loop's whole length
    text: str  # one period


def find_loop(
    text: str,
    *,
    min_tokens: int = 160,
    min_times: float = 5.0,
    long_period: int = 40,
    min_long_times: float = 3.0,
    min_wordless_tokens: int = 800,
) -> Loop | None:
    """The longest loop of `min_tokens` tokens and `min_times` rounds at least; from a period of `long_period`
    on, of `min_long_times`; without words (a row of zeros) or in a code block, of `min_wordless_tokens`.

    In real traces loops have 850 tokens and more; right answers that list equal moves or rows of a grid, up
    to 152 with words and 374 without.
    """
    if min(min_times, min_long_times) >= MIN_ROUNDS and not may_loop(text, min_tokens=min_tokens):
        return None
    found = _TOKEN.findall(text)
    if len(found) < min_tokens:
        return None
    codes = _codes(found)
    best: Loop | None = None
    for period in _periods(codes):
        start, length = _longest_run(codes[period:] == codes[:-period])
        tokens, times = length + period, length / period + 1
        if tokens < min_tokens or times < (min_long_times if period >= long_period else min_times):
            continue
        shown = " ".join(found[start : start + period])
        if tokens < min_wordless_tokens and (not _LETTER.search(shown) or _in_code(text, start, shown)):
            continue
        if best is None or tokens > best.tokens:
            best = Loop(period, times, tokens, shown)
    return best


def _in_code(text: str, token: int, period: str) -> bool:
    """Whether the loop of `period` that begins with the `token`-th token stands in one code block."""
    if "`" in period or "```" not in text:
        return False
    begin = next(islice(_TOKEN.finditer(text), token, None)).start()
    return text.count("```", 0, begin) % 2 == 1


def _codes(found: list[str]) -> npt.NDArray[np.int64]:
    numbers = {token: number for number, token in enumerate(dict.fromkeys(found))}
    return np.fromiter(map(numbers.__getitem__, found), np.int64, len(found))


def _periods(codes: npt.NDArray[np.int64]) -> list[int]:
    """Distances at which runs of `_GRAM` tokens come again."""
    grams = np.zeros(len(codes) - _GRAM + 1, np.uint64)
    for place in range(_GRAM):
        step = codes[place : len(codes) - _GRAM + 1 + place].astype(np.uint64)
        grams = (grams ^ step) * np.uint64(0x9E37_79B9_7F4A_7C15)
        grams ^= grams >> np.uint64(29)
    order = np.argsort(grams, kind="stable")
    again = grams[order][1:] == grams[order][:-1]
    distances = np.diff(order)[again]
    counts = Counter(distances[distances <= MAX_PERIOD].tolist())
    return [period for period, count in counts.most_common(_TRIED) if count > 1 and period < len(codes)]


def _longest_run(same: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Start and length of the longest stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    if not len(edges):
        return 0, 0
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest] - starts[longest])
