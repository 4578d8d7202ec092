from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery.curate.copies.minhash import bands, links, signatures, spread
from distillery.curate.text.ngrams import Ragged, ngrams, token_hashes


def hashed(rows: list[list[str] | None]) -> Ragged:
    return token_hashes(pl.Series(rows, dtype=pl.List(pl.String)))


def overlapping(jaccard: float, *, size: int = 400, start: int = 0) -> tuple[list[str], list[str]]:
    shared = round(2 * size * jaccard / (1 + jaccard))
    left = [f"w{start + n}" for n in range(size)]
    return left, left[:shared] + [f"v{start + n}" for n in range(size - shared)]


def test_token_hashes_are_the_same_everywhere():
    found = hashed([["a", "b"], None, [], ["a"]])
    assert found.offsets.tolist() == [0, 2, 2, 2, 3]
    assert found.values[0] == found.values[2] == 18119689086777206668


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=20), max_size=20))
def test_a_hash_is_a_words_own(words: list[str]):
    values = hashed([words]).values.tolist()
    assert values == [hashed([["x" * place, word]]).values[-1] for place, word in enumerate(words)]
    assert len(set(values)) == len(set(words))


def test_ngrams_do_not_cross_rows_and_short_rows_are_one_gram():
    rows = hashed([["a", "b", "c", "d"], ["a", "b"], [], ["b", "c", "d"]])
    grams = ngrams(rows, n=3)
    assert grams.lengths.tolist() == [2, 1, 0, 1]
    assert grams.values[1] == grams.values[3]
    assert ngrams(rows, n=3, short=False).lengths.tolist() == [2, 0, 0, 1]
    assert len(set(zip(grams.rows, grams.values, strict=True))) == 4


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=6), st.integers(1, 4))
def test_ngrams_are_those_of_a_plain_loop(rows: list[list[str]], n: int):
    plain = [tuple(row[i : i + n]) for row in rows for i in range(len(row) - n + 1)]
    values = ngrams(hashed(rows), n=n, short=False).values.tolist()
    assert len(values) == len(plain)
    assert len(set(values)) == len(set(plain))


@pytest.mark.parametrize("jaccard", [0.2, 0.5, 0.8, 0.95])
def test_signatures_estimate_the_jaccard_similarity(jaccard: float):
    left, right = overlapping(jaccard)
    marks = signatures(hashed([left, right]), permutations=512)
    assert (marks[0] == marks[1]).mean() == pytest.approx(jaccard, abs=0.07)


@pytest.mark.parametrize("size", [3, 9, 30])
def test_the_estimate_for_short_texts_has_no_bias(size: int):
    pairs = [overlapping(0.6, size=size, start=number * 100_000) for number in range(2000)]
    shared = len(set(pairs[0][0]) & set(pairs[0][1]))
    marks = signatures(hashed([text for pair in pairs for text in pair]))
    assert (marks[::2] == marks[1::2]).mean() == pytest.approx(shared / (2 * size - shared), abs=0.01)


def test_signatures_are_the_same_on_every_machine():
    (mark,) = signatures(hashed([["a", "b", "c"]]), permutations=5)
    assert mark.tolist() == [1736, 56792, 61256, 44680, 45096]


def test_a_signature_does_not_depend_on_the_rows_beside_it():
    rows = [[f"w{n}" for n in range(length)] for length in (3, 5000, 0, 7, 2100)]
    together = signatures(hashed(rows))
    for row, mark in zip(rows, together, strict=True):
        assert (signatures(hashed([row]))[0] == mark).all()


def test_pairs_above_the_threshold_are_linked_and_others_are_not():
    rows: list[list[str]] = []
    for number in range(100):
        rows += overlapping(0.9 if number % 2 else 0.5, start=1000 * number)
    found = links(signatures(hashed(rows)), threshold=0.8)
    near = {number for number in range(100) if number % 2}
    hit = {int(left) // 2 for left, right in zip(found.left, found.right, strict=True) if right == left + 1}
    assert hit <= near
    assert len(hit) >= 0.97 * len(near)
    assert len(found.left) == len(hit)


def test_equal_signatures_are_linked_to_the_first_only():
    marks = signatures(hashed([["a", "b"]] * 500))
    found = links(marks, threshold=0.8)
    assert set(found.left.tolist()) == {0}
    assert found.right.tolist() == list(range(1, 500))


def test_no_rows_have_no_links():
    assert len(links(np.empty((0, 128), np.uint16), threshold=0.8).left) == 0


def test_bands_favour_recall():
    count, width = bands(0.8, 128)
    assert count * width <= 128
    assert 1 - (1 - 0.85**width) ** count > 0.95


def test_a_spread_choice_takes_the_unlike_first():
    like = [["a", "b", "c", "d", "e", str(n)] for n in range(4)]
    marks = signatures(hashed([*like, ["x", "y", "z"]]))
    assert spread(marks, 2) == [0, 4]
    assert len(set(spread(marks, 9))) == 5
