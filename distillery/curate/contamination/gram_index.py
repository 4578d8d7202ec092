"""Which questions hold a gram, as sorted arrays: built once, looked up by every shard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from distillery.curate.text.ngrams import Hashes, Offsets, Ragged

_BUCKET_BITS = np.uint64(24)


class Pairs(NamedTuple):
    """Rows and questions that share grams, and how many; sorted, each pair once."""

    row: Offsets
    question: Offsets
    shared: Offsets

    def where(self, flags: npt.NDArray[np.bool_]) -> Pairs:
        return Pairs(*(column[flags] for column in self))


@dataclass(frozen=True)
class Postings:
    grams: Hashes  # sorted, each once
    starts: Offsets  # gram n stands in questions[starts[n]:starts[n + 1]]
    questions: Offsets
    buckets: npt.NDArray[np.bool_]  # of the highest bits of a gram: most lookups end here
    sets: Ragged  # the distinct grams of each question

    @classmethod
    def of(cls, grams: Ragged) -> Self:
        sets = distinct(grams)
        order = np.argsort(sets.values, kind="stable")
        found, starts = np.unique(sets.values[order], return_index=True)
        buckets = np.zeros(1 << int(_BUCKET_BITS), bool)
        buckets[found >> (np.uint64(64) - _BUCKET_BITS)] = True
        starts = np.concatenate([starts, [len(order)]]).astype(np.int64)
        return cls(found, starts, sets.rows[order], buckets, sets)

    def find(self, grams: Hashes) -> tuple[Offsets, Offsets]:
        """Of the grams that are known, their places in what was asked and in `self.grams`."""
        asked = np.flatnonzero(self.buckets[grams >> (np.uint64(64) - _BUCKET_BITS)])
        if not len(self.grams):
            return asked[:0], asked[:0]
        places = np.searchsorted(self.grams, grams[asked])
        places = np.minimum(places, len(self.grams) - 1)
        same = self.grams[places] == grams[asked]
        return asked[same], places[same]

    def pairs(self, own: Ragged, *, commonest: int | None = None) -> tuple[Pairs, Offsets]:
        """Pairs by their shared grams; and how many grams of each row more questions than `commonest` hold,
        which are not looked up: they point at no question, and there are many of them."""
        asked, places = self.find(own.values)
        known = max(len(self.grams), 1)
        hits = each_once(own.rows[asked] * known + places)  # a gram counts once in a row
        rows, places = hits // known, hits % known
        sizes = self.starts[places + 1] - self.starts[places]
        rare = sizes <= (commonest if commonest is not None else len(self.sets.offsets))
        common = np.bincount(rows[~rare], minlength=len(own.lengths)).astype(np.int64)
        rows, places, sizes = rows[rare], places[rare], sizes[rare]
        width = max(len(self.sets.lengths), 1)
        keys = np.repeat(rows, sizes) * width + self.questions[spread(self.starts[places], sizes)]
        keys, counts = np.unique(keys, return_counts=True)
        return Pairs(keys // width, keys % width, counts.astype(np.int64)), common

    def rarity(self, grams: Hashes) -> npt.NDArray[np.float64]:
        """Of each gram, how much it tells: the logarithm of questions to questions that hold it."""
        holders = np.ones(len(grams))
        asked, places = self.find(grams)
        holders[asked] = self.starts[places + 1] - self.starts[places]
        return np.log1p(len(self.sets.lengths) / holders)


def each_once(values: Offsets) -> Offsets:
    """Sorted; np.unique would build a table, and takes four times as long."""
    found = np.sort(values)
    return found[np.concatenate([[True], found[1:] != found[:-1]])] if len(found) else found


def spread(starts: Offsets, sizes: Offsets) -> Offsets:
    """All places of the ranges starts[n]:starts[n] + sizes[n], one after another."""
    ends = np.cumsum(sizes)
    return np.repeat(starts - ends + sizes, sizes) + np.arange(int(ends[-1]) if len(ends) else 0)


def distinct(grams: Ragged) -> Ragged:
    """Each gram of a row once, the rows in their order."""
    keys = grams.values ^ _mixed(grams)
    order = np.argsort(keys)
    keys = keys[order]
    first = np.sort(order[np.concatenate([[True], keys[1:] != keys[:-1]])]) if len(keys) else order
    counts = np.bincount(grams.rows[first], minlength=len(grams.lengths))
    return Ragged(grams.values[first], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def take(grams: Ragged, rows: Offsets) -> Ragged:
    """These rows alone, in this order; a row may be asked for twice."""
    sizes = grams.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Ragged(grams.values[spread(grams.offsets[rows], sizes)], offsets)


def common(left: Ragged, right: Ragged) -> npt.NDArray[np.bool_]:
    """Which values of row n of `left` row n of `right` holds too."""
    mine, theirs = left.values ^ _mixed(left), np.sort(right.values ^ _mixed(right))
    if not len(theirs):
        return np.zeros(len(mine), bool)
    return theirs[np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)] == mine


def _mixed(grams: Ragged) -> Hashes:
    """For each value a number of its row: equal values of two rows become different keys."""
    return grams.rows.astype(np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15)


def totals(rows: Ragged, weights: npt.NDArray[np.float64 | np.bool_]) -> npt.NDArray[np.float64]:
    """The sum of the weights of each row's values."""
    sums = np.bincount(rows.rows, weights=weights, minlength=len(rows.lengths))
    return sums.astype(np.float64)  # of no values at all, bincount makes integers
