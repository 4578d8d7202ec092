"""Runs of n words as 64-bit numbers, and how much of one text stands in another.

Hashes are of the words' bytes (blake2b), the same on every machine and in every version of polars.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

_MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)
_SHIFT = np.uint64(29)


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

    def frame(self) -> pl.DataFrame:
        """Columns row and gram, each pair once."""
        return pl.DataFrame({"row": self.rows, "gram": self.values}).unique()


def token_hashes(tokens: pl.Series) -> Ragged:
    """From a Series of lists of tokens; null is an empty row."""
    lengths = tokens.list.len().fill_null(0).to_numpy().astype(np.int64)
    flat = tokens.list.explode(empty_as_null=False, keep_nulls=False)
    values = np.empty(0, np.uint64)
    if len(flat):
        coded = flat.cast(pl.Categorical(pl.Categories.random()))
        codes, distinct = coded.to_physical().to_numpy(), coded.unique()
        table = np.zeros(int(codes.max()) + 1, np.uint64)
        table[distinct.to_physical().to_numpy()] = [_word_hash(word) for word in distinct.cast(pl.String)]
        values = table[codes]
    return Ragged(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


@lru_cache(maxsize=1 << 16)
def _word_hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest())


def ngrams(tokens: Ragged, *, n: int, short: bool = True) -> Ragged:
    """Every run of `n` tokens. A row of fewer is one run of all of them if `short`, else it has none."""
    lengths = tokens.lengths
    counts = np.maximum(lengths - n + 1, 0)
    if short:
        counts = np.where((lengths > 0) & (lengths < n), 1, counts)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    if not offsets[-1]:
        return Ragged(np.empty(0, np.uint64), offsets)
    # at every place of the text a run begins, of n tokens or up to the end of its row; those wanted are then taken
    left = np.repeat(tokens.offsets[1:], lengths) - np.arange(len(tokens.values))
    runs = np.zeros(len(tokens.values), np.uint64)
    for place in range(n):
        inside = left > place
        following = np.roll(tokens.values, -place)
        step = (runs ^ following) * _MULTIPLIER
        step ^= step >> _SHIFT
        np.copyto(runs, step, where=inside)
    first = np.repeat(tokens.offsets[:-1] - offsets[:-1], counts)
    return Ragged(runs[first + np.arange(offsets[-1])], offsets)
