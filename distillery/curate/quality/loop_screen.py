"""Whether a text may hold a loop: a test that overlooks none, fast enough for every text there is.

A loop of three rounds or more is a tandem repeat of the text without its white space. Its period's least hash
is the least of its neighbourhood in every round: only such places (one in thirty or so) need be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

MIN_ROUNDS = 3.0  # fewer are not found
_MIN_TOKENS = 60  # a shorter stretch can do without any place that is compared
_BLANK = b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
_WIDE_BLANKS = "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_ASCII = bytes(range(128))
_COPIES = 3  # a stretch may come again within one period as well; so many later places are tried
_STEP = 64
_PLACE_BITS = 24  # of a sorted key; the rest is the place's mark
_PLACE = np.uint64((1 << _PLACE_BITS) - 1)
_BLOCK = 1 << 16  # bytes looked through at once: as many as a processor's cache holds the hashes of

_Places = npt.NDArray[np.int64]
_Hashes = npt.NDArray[np.uint16]


def may_loop(text: str, *, min_tokens: int) -> bool:
    """False: no stretch of `min_tokens` tokens or more in all is said three times in a row."""
    return may_loop_each([text.encode(errors="surrogatepass")], min_tokens=min_tokens)[0]


def may_loop_each(texts: Iterable[bytes], *, min_tokens: int) -> list[bool]:
    """`may_loop` of every text, in UTF-8; short ones are looked through together: calls cost."""
    may: list[bool] = []
    for block in _blocks(map(_without_blanks, texts)):
        untold = [min_tokens < _MIN_TOKENS or len(data) >> _PLACE_BITS > 0 for data in block]
        left = [n for n, data in enumerate(block) if len(data) >= min_tokens and not untold[n]]
        repeating = _repeating([block[n] for n in left], min_tokens) if left else ()
        found = {left[n] for n in repeating}
        may += [untold[n] or n in found for n in range(len(block))]
    return may


def _without_blanks(text: bytes) -> bytes:
    if not text.isascii():
        others = text.translate(None, _ASCII).decode(errors="surrogatepass")
        for blank in filter(others.__contains__, _WIDE_BLANKS):
            text = text.replace(blank.encode(), b"")
    return text.translate(None, _BLANK)


def _blocks(texts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The texts in turn, in groups of `_BLOCK` bytes at most, or of one longer text."""
    block: list[bytes] = []
    size = 0
    for text in texts:
        if block and size + len(text) > _BLOCK:
            yield block
            block, size = [], 0
        block.append(text)
        size += len(text)
    if block:
        yield block


def _repeating(texts: Sequence[bytes], min_tokens: int) -> set[int]:
    """Which of the texts may hold a stretch that stands three times in a row."""
    data = b"".join(texts)
    hashes = _hashes(data)
    ends = np.cumsum([len(text) for text in texts])
    found: set[int] = set()
    for first, second in _pairs(_keys(data, hashes, reach=16 if min_tokens >= 2 * _MIN_TOKENS else 8)):
        likely = _likely(hashes, first, second - first, min_tokens)
        first, second = first[likely], second[likely]
        text = ends.searchsorted(first, side="right")
        inside = (second < ends[text]).nonzero()[0]
        for number, one, other in zip(
            *(places[inside].tolist() for places in (text, first, second)), strict=True
        ):
            if number not in found and _repeats(data, one, other, min_tokens):
                found.add(number)
    return found


def _pairs(keys: npt.NDArray[np.uint64]) -> Iterator[tuple[_Places, _Places]]:
    """Places of the same mark: each with the next one, then with the one after that, and so on."""
    marks = keys >> np.uint64(_PLACE_BITS)
    same = (marks[1:] == marks[:-1]).nonzero()[0]
    for later in range(1, _COPIES + 1):
        yield (keys[same] & _PLACE).astype(np.int64), (keys[same + later] & _PLACE).astype(np.int64)
        same = same[same + later + 1 < len(marks)]
        same = same[marks[same] == marks[same + later + 1]]


def _likely(hashes: _Hashes, first: _Places, period: _Places, min_tokens: int) -> npt.NDArray[np.bool_]:
    """Whether bytes come again one period later, at the far end of what must, after `first` or before."""
    last = len(hashes) - 1
    far = np.maximum(period, (min_tokens - period) >> 1) - 4
    after = np.minimum(first + far, last)
    before = np.maximum(first - far, 0)
    again_after = hashes[after] == hashes[np.minimum(after + period, last)]
    return again_after | (hashes[before] == hashes[before + period])


def _hashes(data: bytes) -> _Hashes:
    """Of the four bytes from each place on."""
    single = np.frombuffer(data, np.uint8).astype(np.uint16)
    pairs = single[1:] << np.uint16(8)
    pairs |= single[:-1]
    hashes = pairs[:-2] * np.uint16(0x9E37)
    hashes += pairs[2:] * np.uint16(0x85EB)
    hashes ^= hashes >> np.uint16(7)
    hashes *= np.uint16(0xC2B3)
    return hashes


def _keys(data: bytes, hashes: _Hashes, *, reach: int) -> npt.NDArray[np.uint64]:
    """Places whose hash is the least within `reach` bytes, sorted by mark: a mark above, the place below.

    A mark is of the first and last of the `2 * reach` bytes from the place on. Of a loop at least `5 * reach`
    bytes stand again one period later: room for a neighbourhood, what marks the place, and its margin.
    """
    least, width = hashes, 1
    while width <= reach:
        least = np.minimum(least[:-width], least[width:])
        width *= 2
    places = (hashes[reach : reach + len(least)] == least).nonzero()[0] + reach
    places = places[: np.searchsorted(places, len(data) - 2 * reach, side="right")]
    eight = np.ndarray((len(data) - 7,), np.uint64, data, strides=(1,))
    marks = (eight[places] * np.uint64(0x9E37_79B9_7F4A_7C15)) ^ eight[places + (2 * reach - 8)]
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
