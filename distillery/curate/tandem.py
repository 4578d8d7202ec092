"""Whether a text may hold a loop: a test that overlooks none, fast enough for every text there is.

A loop of three rounds or more is a tandem repeat of the text without its white space. Its period's least hash is the
least of its neighbourhood in every round, so that only such places (one in ten or so) need be compared.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MIN_ROUNDS = 3.0  # fewer are not found
_BLANK = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
_WIDE_BLANKS = "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_MARK = 16  # bytes that a place is known by
_COPIES = 3  # a stretch may come again within one period as well; so many later places are tried
_STEP = 64
_PLACE_BITS = 24  # of a sorted key; the rest is the place's mark


def may_loop(text: str, *, min_tokens: int) -> bool:
    """False: no stretch of `min_tokens` tokens or more in all is said three times in a row."""
    if not text.isascii():
        for blank in filter(text.__contains__, _WIDE_BLANKS):
            text = text.replace(blank, "")
    data = text.encode(errors="surrogatepass").translate(None, _BLANK)
    if len(data) < max(min_tokens, 32):
        return False
    if len(data) >> _PLACE_BITS:
        return True
    hashes = _hashes(data)
    keys = _keys(data, hashes, reach=8 if min_tokens < 3 * (2 * 16 + _MARK) else 16)
    marks, places = (
        keys >> np.uint64(_PLACE_BITS),
        (keys & np.uint64((1 << _PLACE_BITS) - 1)).astype(np.int64),
    )
    for later in range(1, _COPIES + 1):
        same = (marks[later:] == marks[:-later]).nonzero()[0]
        if not len(same):
            break
        first, second = places[same], places[same + later]
        likely = _likely(hashes, first, second - first)
        pairs = zip(first[likely].tolist(), second[likely].tolist(), strict=True)
        if any(_repeats(data, one, other, min_tokens) for one, other in pairs):
            return True
    return False


def _likely(
    hashes: npt.NDArray[np.uint16], first: npt.NDArray[np.int64], period: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether a few bytes in the middle of the period after `first`, or of the one before, come again."""
    last = len(hashes) - 1
    after = np.minimum(first + period // 2, last)
    before = np.maximum(first - period // 2, 0)
    again_after = hashes[after] == hashes[np.minimum(after + period, last)]
    return again_after | (hashes[before] == hashes[before + period])


def _hashes(data: bytes) -> npt.NDArray[np.uint16]:
    """Of the four bytes from each place on."""
    single = np.frombuffer(data, np.uint8).astype(np.uint16)
    pairs = single[1:] << np.uint16(8)
    pairs |= single[:-1]
    hashes = pairs[:-2] * np.uint16(0x9E37)
    hashes += pairs[2:] * np.uint16(0x85EB)
    hashes ^= hashes >> np.uint16(7)
    hashes *= np.uint16(0xC2B3)
    return hashes


def _keys(data: bytes, hashes: npt.NDArray[np.uint16], *, reach: int) -> npt.NDArray[np.uint64]:
    """Places whose hash is the least within `reach` bytes, sorted by their marks: a mark above, the place below."""
    least, width = hashes, 1
    while width <= reach:
        least = np.minimum(least[:-width], least[width:])
        width *= 2
    places = (hashes[reach : reach + len(least)] == least).nonzero()[0] + reach
    places = places[: np.searchsorted(places, len(data) - _MARK, side="right")]
    eight = np.ndarray((len(data) - 7,), np.uint64, data, strides=(1,))
    marks = (eight[places] * np.uint64(0x9E37_79B9_7F4A_7C15)) ^ eight[places + 8]
    marks *= np.uint64(0xC2B2_AE3D_27D4_EB4F)
    keys = (marks >> np.uint64(_PLACE_BITS) << np.uint64(_PLACE_BITS)) | places.astype(np.uint64)
    keys.sort()
    return keys


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
