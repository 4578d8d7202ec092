"""Which texts are nearly equal, without comparing each with each: MinHash signatures and banding.

datasketch chooses bands and rows for a threshold; signatures and banding are whole-array operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from distillery.curate.text.ngrams import Hashes, Ragged

Signatures = npt.NDArray[np.uint16]
"""Shape (rows, permutations). 16 bits of each minimum: two that differ agree in them once in 65,536 times
(b-bit minwise hashing, Li and Koenig 2010), and five million rows fit a laptop."""
Indices = npt.NDArray[np.int64]

_BLOCK = 1 << 13  # signatures looked at a time: 2 MB at 128 permutations stay in cache
_ROWS = 1 << 9  # signed at a time: 128 KB of intermediate values at 128 permutations stay in cache
_KEYS = 1 << 25  # held at a time, of several bands: 256 MB
_PAIRS = 1 << 11  # compared at a time
_ALL_PAIRS = 64  # in a bucket of more rows each is compared with so many of the best-ranked only
_MISS_WEIGHT = 0.9  # a missed pair is worse than a candidate that the signature then refuses


class Links(NamedTuple):
    """Pairs of rows, left < right, and the estimated Jaccard similarity of each pair."""

    left: Indices
    right: Indices
    similarity: npt.NDArray[np.float64]


def signatures(grams: Ragged, *, permutations: int = 128, seed: int = 1) -> Signatures:
    """Shape (rows, permutations); a row without grams is all ones in every bit.

    A permutation of the 32-bit numbers is a multiplication by an odd one; the grams are hashes already. Each
    gives two columns, its least value and its greatest: half the work, and as good an estimate (Min-Max Hash,
    Ji et al., ICDM 2013).
    """
    generator, half = np.random.default_rng(seed), -(-permutations // 2)
    factors = generator.integers(0, 1 << 31, half, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    out = np.full((len(grams.lengths), permutations), np.iinfo(np.uint16).max, np.uint16)
    # 32 bits: what processors do eight of at a time
    halves = (grams.values >> np.uint64(32)).astype(np.uint32)
    lengths, starts = grams.lengths, grams.offsets[:-1]
    by_length = np.argsort(lengths, kind="stable")
    by_length = by_length[np.count_nonzero(lengths == 0) :]
    for begin in range(0, len(by_length), _ROWS):
        rows = by_length[begin : begin + _ROWS]
        least = np.full((len(rows), half), np.iinfo(np.uint32).max, np.uint32)
        most, room = np.zeros_like(least), np.empty_like(least)
        # the rows that have a gram at this place are the last ones, for they stand in order of length
        ended = np.searchsorted(lengths[rows], np.arange(int(lengths[rows[-1]])), side="right")
        for place, first in enumerate(ended.tolist()):
            permuted = room[first:]
            np.multiply(halves[starts[rows[first:]] + place][:, None], factors, out=permuted)
            np.minimum(least[first:], permuted, out=least[first:])
            np.maximum(most[first:], permuted, out=most[first:])
        out[rows, :half] = least.astype(np.uint16)
        out[rows, half:] = most[:, : permutations - half].astype(np.uint16)
    return out


@cache
def bands(threshold: float, permutations: int) -> tuple[int, int]:
    """Number of bands and rows in each, such that pairs above `threshold` meet in some band."""
    if threshold == 1.0:
        return 1, permutations
    from datasketch import MinHashLSH

    lsh = MinHashLSH(threshold=threshold, num_perm=permutations, weights=(1.0 - _MISS_WEIGHT, _MISS_WEIGHT))
    return lsh.b, lsh.r


def packed(marks: Signatures, there: npt.NDArray[np.bool_]) -> pl.Series:
    """Bytes of each signature; null where it is not `there`."""
    rows, size = len(marks), marks.itemsize * marks.shape[1]
    ends = np.arange(0, (rows + 1) * size, size, dtype=np.int64)
    valid = np.packbits(there, bitorder="little")
    buffers = [pa.py_buffer(part) for part in (valid, ends, np.ascontiguousarray(marks))]
    column = pa.Array.from_buffers(pa.large_binary(), rows, buffers)
    return cast("pl.Series", pl.from_arrow(column))


def unpacked(forms: pl.Series, *, permutations: int) -> Signatures:
    """The signatures of the rows that have one, in order; without a copy of each row."""
    column = (forms.drop_nulls() if forms.null_count() else forms).cast(pl.Binary).to_arrow()
    data: Any = column.buffers()[2]
    if data is None:
        return np.empty((0, permutations), np.uint16)
    return np.frombuffer(data, np.uint16)[: len(column) * permutations].reshape(len(column), permutations)


def marks_of(marks: Signatures) -> Hashes:
    """One number for each signature; equal for equal ones."""
    return _keys(marks, np.arange(len(marks)), [slice(None)])[0]


def links(
    marks: Signatures, *, threshold: float, order: Indices | None = None, kinds: Hashes | None = None
) -> Links:
    """Pairs whose estimated similarity reaches `threshold`, as ranks in `order`, best first (None: as is).
    Rows of equal signature, and of one kind where each rank has one, are linked to the first of them only."""
    order = np.arange(len(marks)) if order is None else order
    if not len(order):
        none = np.empty(0, np.int64)
        return Links(none, none, np.empty(0))
    (whole,) = _keys(marks, order, [slice(None)])
    whole = whole if kinds is None else whole ^ kinds
    _, firsts, owner = np.unique(whole, return_index=True, return_inverse=True)
    first_of = firsts[owner.ravel()]
    copies = np.flatnonzero(first_of != np.arange(len(order)))
    pairs = [np.stack([first_of[copies], copies], axis=1)]
    distinct = np.sort(firsts)
    del whole, owner, first_of
    count, width = bands(threshold, marks.shape[1])
    slices = [slice(band * width, (band + 1) * width) for band in range(count)]
    at_once = max(1, _KEYS // len(distinct))
    for begin in range(0, count, at_once):
        keys = _keys(marks, order[distinct], slices[begin : begin + at_once])
        pairs.extend(distinct[_bucket_pairs(band)] for band in keys)
    return _linked(_distinct(np.concatenate(pairs), len(order)), marks, order, threshold)


def _distinct(pairs: Indices, count: int) -> Indices:
    numbers = np.unique(pairs[:, 0] * count + pairs[:, 1])
    return np.stack([numbers // count, numbers % count], axis=1)


def _keys(marks: Signatures, rows: Indices, parts: Sequence[slice]) -> Hashes:
    """A number for each of `rows` from each part of its signature, shape (parts, rows)."""
    out = np.zeros((len(parts), len(rows)), np.uint64)
    for begin in range(0, len(rows), _BLOCK):
        columns = np.ascontiguousarray(marks.take(rows[begin : begin + _BLOCK], axis=0).T)
        for keys, part in zip(out, parts, strict=True):
            folded = keys[begin : begin + _BLOCK]
            for column in columns[part]:
                folded ^= column
                folded *= np.uint64(0x9E37_79B9_7F4A_7C15)
                folded ^= folded >> np.uint64(31)
    return out


def _bucket_pairs(keys: Hashes) -> Indices:
    """Pairs of positions with equal keys, shape (pairs, 2), left < right."""
    shared = np.flatnonzero(pl.Series(keys).is_duplicated())
    if not len(shared):
        return np.empty((0, 2), np.int64)
    order = shared[np.argsort(keys[shared], kind="stable")]
    starts = np.flatnonzero(np.concatenate([[True], keys[order][1:] != keys[order][:-1]]))
    sizes = np.diff(np.append(starts, len(order)))
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    begin = np.repeat(starts, sizes)
    found = [np.empty((0, 2), np.int64)]
    for earlier in range(min(_ALL_PAIRS, int(sizes.max()))):
        later = np.flatnonzero(place > earlier)
        found.append(np.stack([order[begin[later] + earlier], order[later]], axis=1))
    return np.concatenate(found)


def _linked(pairs: Indices, marks: Signatures, order: Indices, threshold: float) -> Links:
    similarity = np.empty(len(pairs))
    for begin in range(0, len(pairs), _PAIRS):
        part = order[pairs[begin : begin + _PAIRS]]
        similarity[begin : begin + _PAIRS] = (marks[part[:, 0]] == marks[part[:, 1]]).mean(axis=1)
    near = similarity >= threshold
    return Links(pairs[near, 0], pairs[near, 1], similarity[near])


def spread(marks: Signatures, count: int) -> list[int]:
    """`count` rows far from one another: the first, then each time the one least like any chosen."""
    chosen = [0]
    nearest = (marks == marks[0]).mean(axis=1)
    while len(chosen) < min(count, len(marks)):
        nearest[chosen] = 2.0
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, (marks == marks[chosen[-1]]).mean(axis=1))
    return chosen
