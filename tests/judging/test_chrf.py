from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillery.judging.chrf import chrf


def test_equal_texts_score_one_and_spaces_do_not_count():
    assert chrf("The cat sat.", "The cat sat.") == pytest.approx(1.0)
    assert chrf("Thecat sat .", "The cat sat.") == pytest.approx(1.0)


def test_texts_without_a_common_letter_score_nothing():
    assert chrf("abc", "xyz") == 0.0
    assert chrf("", "xyz") == chrf("abc", " \n") == 0.0


def test_the_score_is_the_papers_formula():
    # of "abcd" against "abce": unigrams 3/4, bigrams 2/3, trigrams 1/2, 4-grams 0; as many on both sides
    assert chrf("abcd", "abce") == pytest.approx((3 / 4 + 2 / 3 + 1 / 2 + 0) / 4)


def test_recall_counts_more_than_precision():
    whole = "the quick brown fox jumps"
    assert chrf(whole + " over the lazy dog", whole) > chrf("the quick", whole)


def test_a_paraphrase_lies_between():
    assert 0.3 < chrf("The shop shuts at six.", "The shop closes at six o'clock.") < 0.8
    assert 0.3 < chrf("这家店六点关门。", "商店六点关门。") < 0.9


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_score_is_a_share(one, other):
    assert 0.0 <= chrf(one, other) <= 1.0 + 1e-9
