"""Runs of n words as 64-bit numbers, and how much of one text stands in another.

Hashes are of the words' bytes, the same on every machine and in every version of polars.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

_MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)
_SHIFT = np.uint64(29)
_FIRST = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)  # keeps so many of eight bytes


class Ragged(NamedTuple):
    """Rows of different lengths: row i is values[offsets[i]:offsets[i + 1]]."""

    values: Hashes
    offsets: Offsets

    @property
    def lengths(self) -> Offsets:
        return np.diff(self.offsets)

    @property
    def rows(self) -> Offsets:
        """For each value, the row it stands in."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


def token_hashes(tokens: pl.Series) -> Ragged:
    """From a Series of lists of tokens; null is an empty row."""
    flat, offsets = flattened(tokens)
    return Ragged(hashed(flat).hashes, offsets)


def flattened(tokens: pl.Series) -> tuple[pl.Series, Offsets]:
    """All tokens, and where each row begins and the last one ends."""
    lengths = tokens.list.len().fill_null(0).to_numpy().astype(np.int64)
    flat = tokens.list.explode(empty_as_null=False, keep_nulls=False)
    return flat, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


class Words(NamedTuple):
    """Of each word its hash, its size in bytes and the first of these."""

    hashes: Hashes
    sizes: Offsets
    first: npt.NDArray[np.uint8]


def hashed(words: pl.Series) -> Words:
    """Of each word's bytes, eight at a time; words of up to eight bytes of one length never share a hash."""
    column: Any = words.cast(pl.String).to_arrow()
    _, ends, text = column.buffers()
    offsets = np.frombuffer(ends, np.int64)[column.offset : column.offset + len(words) + 1]
    known = np.frombuffer(text if text is not None else b"", np.uint8)
    padded = np.zeros(len(known) + 8, np.uint8)
    padded[: len(known)] = known
    # the eight bytes that begin at each byte
    eights = np.ndarray(len(known) + 1, "<u8", padded, strides=(1,))
    starts, sizes = offsets[:-1], np.diff(offsets)
    out = _step(sizes.astype(np.uint64) * _MULTIPLIER, eights, starts, sizes)
    long, place = np.flatnonzero(sizes > 8), 8
    while len(long):
        out[long] = _step(out[long], eights, starts[long] + place, sizes[long] - place)
        place += 8
        long = long[sizes[long] > place]
    return Words(out, sizes, padded[starts])


def _step(state: Hashes, eights: npt.NDArray[Any], starts: Offsets, left: Offsets) -> Hashes:
    """The next eight bytes, or as many as are `left`; mixed as by SplitMix64 (Steele et al., OOPSLA 2014)."""
    state = state ^ (eights[starts] & _FIRST[np.minimum(left, 8)])
    for shift, factor in ((30, 0xBF58_476D_1CE4_E5B9), (27, 0x94D0_49BB_1331_11EB)):
        state ^= state >> np.uint64(shift)
        state *= np.uint64(factor)
    return state ^ (state >> np.uint64(31))


def _mixed(values: Hashes) -> Hashes:
    out = values * _MULTIPLIER
    out ^= out >> _SHIFT
    return out


def ngrams(tokens: Ragged, *, n: int, short: bool = True) -> Ragged:
    """Every run of `n` tokens. A row of fewer is one run of all of them if `short`, else it has none."""
    lengths = tokens.lengths
    counts = np.maximum(lengths - n + 1, 0)
    if short:
        counts = np.where((lengths > 0) & (lengths < n), 1, counts)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    if not offsets[-1]:
        return Ragged(np.empty(0, np.uint64), offsets)
    # a run begins at every place, of n tokens or up to the end of its row; those wanted are then taken
    left = np.repeat(tokens.offsets[1:], lengths) - np.arange(len(tokens.values))
    runs = _mixed(tokens.values)
    for place in range(1, n):
        np.copyto(runs, _mixed(runs ^ np.roll(tokens.values, -place)), where=left > place)
    first = np.repeat(tokens.offsets[:-1] - offsets[:-1], counts)
    return Ragged(runs[first + np.arange(offsets[-1])], offsets)
