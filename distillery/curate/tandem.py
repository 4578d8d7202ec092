"""Whether a text may hold a loop: a test that overlooks none, fast enough for every text there is.

A loop of three rounds or more is a tandem repeat of the text without its white space. Its period's least hash is the
least of its neighbourhood in every round, so that only such places (one in ten or so) need be compared.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MIN_ROUNDS = 3.0  # fewer are not found
_BLANK = b" \t\n\r\x0b\x0c"
_REACH = 8  # bytes to each side, of a neighbourhood
_COPIES = 3  # a stretch may come again within one period as well; so many later places are tried
_STEP = 64


def may_loop(text: str, *, min_tokens: int) -> bool:
    """False: no stretch of `min_tokens` tokens or more in all is said three times in a row."""
    data = text.encode(errors="surrogatepass").translate(None, _BLANK)
    if len(data) < max(min_tokens, 32):
        return False
    hashes = _hashes(data)
    places, marks = _marks(hashes)
    order = np.argsort(marks, kind="stable")
    places, marks = places[order], marks[order]
    for later in range(1, _COPIES + 1):
        same = np.flatnonzero(marks[later:] == marks[:-later])
        first, second = places[same], places[same + later]
        likely = _likely(hashes, first, second - first)
        pairs = zip(first[likely].tolist(), second[likely].tolist(), strict=True)
        if any(_repeats(data, one, other, min_tokens) for one, other in pairs):
            return True
    return False


def _likely(
    hashes: npt.NDArray[np.uint32], first: npt.NDArray[np.int64], period: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether a few bytes in the middle of the period after `first`, or of the one before, come again."""
    after = np.minimum(first + period // 2, len(hashes) - 1)
    before = np.maximum(first - period // 2, 0)
    again_after = hashes[after] == hashes[np.minimum(after + period, len(hashes) - 1)]
    return again_after | (hashes[before] == hashes[before + period])


def _hashes(data: bytes) -> npt.NDArray[np.uint32]:
    """Of the four bytes from each place on."""
    hashes = np.empty(len(data) - 3, np.uint32)
    for start in range(4):
        part = hashes[start::4]
        part[:] = np.frombuffer(data, np.uint32, count=len(part), offset=start)
    hashes *= np.uint32(0x9E37_79B1)
    hashes ^= hashes >> np.uint32(15)
    return hashes


def _marks(hashes: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Places whose hash is the least around, and for each a hash of its sixteen bytes."""
    least = hashes
    for width in (1, 2, 4, 8):
        least = np.minimum(least[:-width], least[width:])
    places = np.flatnonzero(hashes[_REACH : _REACH + len(least)] == least) + _REACH
    places = places[places + 12 < len(hashes)]
    marks = hashes[places].astype(np.uint64)
    for further in (4, 8, 12):
        marks = (marks * np.uint64(0x9E37_79B9_7F4A_7C15)) ^ hashes[places + further]
    return places, marks


def _repeats(data: bytes, first: int, second: int, min_tokens: int) -> bool:
    period = second - first
    if data[first:second] != data[second : second + period] and (
        first < period or data[first - period : first] != data[first:second]
    ):
        return False
    run = _same_from(data, first, period) + _same_before(data, first, period)
    return run >= (MIN_ROUNDS - 1) * period and run + period >= min_tokens


def _same_from(data: bytes, start: int, period: int) -> int:
    """How far the bytes from `start` on are those one period later."""
    at, last = start, len(data) - period
    while at + _STEP <= last and data[at : at + _STEP] == data[at + period : at + period + _STEP]:
        at += _STEP
    while at < last and data[at] == data[at + period]:
        at += 1
    return at - start


def _same_before(data: bytes, start: int, period: int) -> int:
    at = start
    while at >= _STEP and data[at - _STEP : at] == data[at - _STEP + period : at + period]:
        at -= _STEP
    while at > 0 and data[at - 1] == data[at - 1 + period]:
        at -= 1
    return start - at
