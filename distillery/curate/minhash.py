"""Which texts are nearly equal, without comparing each with each: MinHash signatures and banding.

datasketch chooses bands and rows for a threshold; signatures and banding are whole-array operations.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from distillery.curate.ngrams import Hashes, Ragged

Signatures = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int64]

_CHUNK = 1 << 11  # grams hashed at a time: 2 MB of intermediate values at 128 permutations stay in cache
_ALL_PAIRS = 64  # in a bucket of more rows each is compared with so many of the best-ranked only
_MISS_WEIGHT = 0.9  # a missed pair is worse than a candidate that the signature then refuses


class Links(NamedTuple):
    """Pairs of rows, left < right, and the estimated Jaccard similarity of each pair."""

    left: Indices
    right: Indices
    similarity: npt.NDArray[np.float64]


def signatures(grams: Ragged, *, permutations: int = 128, seed: int = 1) -> Signatures:
    """Shape (rows, permutations); a row without grams is all ones in every bit."""
    generator = np.random.default_rng(seed)
    factors = generator.integers(0, 1 << 63, permutations, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    terms = generator.integers(0, 1 << 63, permutations, dtype=np.uint64)
    out = np.full((len(grams.lengths), permutations), np.iinfo(np.uint32).max, np.uint32)
    filled = np.flatnonzero(grams.lengths)
    begin = 0
    while begin < len(filled):
        first = grams.offsets[filled[begin]]
        end = int(np.searchsorted(grams.offsets[filled], first + _CHUNK, side="left"))
        end = max(end, begin + 1)
        rows = filled[begin:end]
        values = grams.values[first : grams.offsets[rows[-1] + 1]]
        permuted = (values[:, None] * factors + terms) >> np.uint64(32)
        out[rows] = np.minimum.reduceat(permuted.astype(np.uint32), grams.offsets[rows] - first, axis=0)
        begin = end
    return out


@cache
def bands(threshold: float, permutations: int) -> tuple[int, int]:
    """Number of bands and rows in each, such that pairs above `threshold` meet in some band."""
    from datasketch import MinHashLSH

    lsh = MinHashLSH(threshold=threshold, num_perm=permutations, weights=(1.0 - _MISS_WEIGHT, _MISS_WEIGHT))
    return lsh.b, lsh.r


def links(marks: Signatures, *, threshold: float) -> Links:
    """Pairs whose estimated similarity reaches `threshold`. Rows are in order of preference, best first.

    Rows of equal signature are linked to the first of them only.
    """
    if not len(marks):
        return _linked(np.empty((0, 2), np.int64), marks, threshold)
    rows = np.ascontiguousarray(marks).view(np.dtype((np.void, marks.itemsize * marks.shape[1]))).ravel()
    _, firsts, owner = np.unique(rows, return_index=True, return_inverse=True)
    first_of = firsts[owner.ravel()]
    copies = np.flatnonzero(first_of != np.arange(len(marks)))
    pairs = [np.stack([first_of[copies], copies], axis=1)]
    distinct = np.sort(firsts)
    count, width = bands(threshold, marks.shape[1])
    for band in range(count):
        met = _bucket_pairs(_fold(marks[distinct, band * width : (band + 1) * width]))
        pairs.append(distinct[met])
    return _linked(np.unique(np.concatenate(pairs), axis=0), marks, threshold)


def _fold(columns: Signatures) -> Hashes:
    folded = np.zeros(len(columns), np.uint64)
    for column in columns.T:
        folded = (folded ^ column) * np.uint64(0x9E37_79B9_7F4A_7C15)
        folded ^= folded >> np.uint64(31)
    return folded


def _bucket_pairs(keys: Hashes) -> Indices:
    """Pairs of positions with equal keys, shape (pairs, 2), left < right."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], keys[order][1:] != keys[order][:-1]]))
    sizes = np.diff(np.append(starts, len(keys)))
    place = np.arange(len(keys)) - np.repeat(starts, sizes)
    begin = np.repeat(starts, sizes)
    found = [np.empty((0, 2), np.int64)]
    for earlier in range(min(_ALL_PAIRS, int(sizes.max()))):
        later = np.flatnonzero(place > earlier)
        found.append(np.stack([order[begin[later] + earlier], order[later]], axis=1))
    return np.concatenate(found)


def _linked(pairs: Indices, marks: Signatures, threshold: float) -> Links:
    similarity = np.empty(len(pairs))
    for begin in range(0, len(pairs), _CHUNK):
        part = pairs[begin : begin + _CHUNK]
        similarity[begin : begin + _CHUNK] = (marks[part[:, 0]] == marks[part[:, 1]]).mean(axis=1)
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
