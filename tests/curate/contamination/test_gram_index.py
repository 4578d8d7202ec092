from __future__ import annotations

import numpy as np

from distillery.curate.contamination.gram_index import Postings, common, distinct, spread, take, totals
from distillery.curate.text.ngrams import Ragged


def ragged(*rows: list[int]) -> Ragged:
    values = np.array([value << 40 for row in rows for value in row], np.uint64)
    return Ragged(values, np.cumsum([0, *map(len, rows)]).astype(np.int64))


def test_pairs_count_distinct_grams_that_both_hold():
    known = Postings.of(ragged([1, 2, 3, 3], [3, 4], []))
    pairs, unsure = known.pairs(ragged([3, 3, 1], [9], [4]))
    assert list(zip(*(column.tolist() for column in pairs), strict=True)) == [(0, 0, 2), (0, 1, 1), (2, 1, 1)]
    assert unsure.tolist() == [0, 0, 0]


def test_grams_of_too_many_questions_are_counted_and_not_looked_up():
    known = Postings.of(ragged([1, 2], [1], [1]))
    pairs, unsure = known.pairs(ragged([1, 2], [1]), commonest=2)
    assert (pairs.row.tolist(), pairs.question.tolist()) == ([0], [0])
    assert unsure.tolist() == [1, 1]


def test_rare_grams_tell_more_than_common_and_unknown_ones_most():
    known = Postings.of(ragged([1, 2], [1], [1]))
    common_one, rare, unknown = known.rarity(np.array([1 << 40, 2 << 40, 7 << 40], np.uint64))
    assert common_one < rare == unknown


def test_nothing_known_and_nothing_asked():
    nothing = ragged([], [])
    assert len(Postings.of(nothing).pairs(ragged([1]))[0].row) == 0
    assert len(Postings.of(ragged([1])).pairs(nothing)[0].row) == 0


def test_rows_are_taken_made_distinct_and_compared_one_by_one():
    rows = distinct(ragged([5, 5, 6], [7]))
    assert rows.lengths.tolist() == [2, 1]
    again = take(rows, np.array([1, 0, 1]))
    assert again.lengths.tolist() == [1, 2, 1]
    shared = common(again, ragged([7], [6], [5]))
    assert totals(again, shared).tolist() == [1.0, 1.0, 0.0]
    assert common(again, ragged([], [], [])).tolist() == [False] * 4
    assert spread(np.array([3, 9]), np.array([2, 1])).tolist() == [3, 4, 9]
