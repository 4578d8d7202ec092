from __future__ import annotations

import polars as pl

from distillery.curate.overlap import Limits, index, matches

QUESTION = (
    "How many of the first two hundred positive integers are divisible by neither seven nor eleven in total?"
)


def kinds(texts: list[str], questions: list[str], **limits: object) -> dict[int, str]:
    found = matches(pl.Series(texts, dtype=pl.String), index(questions, Limits(**limits)))
    return dict(found.select("row", "kind").iter_rows())


def test_the_surest_kind_is_reported_once_with_the_right_question():
    found = matches(
        pl.Series([QUESTION]), index(["What is two plus two?", QUESTION, QUESTION + " Explain."], Limits())
    )
    assert found.rows() == [(0, 1, "exact", 1.0)]


def test_short_texts_that_differ_in_one_word_are_not_near():
    asked = ["What is the meaning of the name Gomez?"]
    assert kinds(asked, ["What is the meaning of the term heteroscedasticity?"]) == {}


def test_no_questions_and_no_texts_have_no_matches():
    assert kinds([QUESTION], []) == {}
    assert kinds([], [QUESTION]) == {}


def test_numbers_in_short_texts_are_the_problem_itself():
    assert kinds(["What is 3 + 4?"], ["What is 5 + 9?"]) == {}


def test_coverage_below_the_least_is_no_match():
    half = (
        " ".join(QUESTION.split()[:12])
        + " prime or square, and what is the sum of all these numbers together with their squares?"
    )
    assert kinds([half], [QUESTION], min_coverage=0.9, min_near=None) == {}
    assert kinds([half], [QUESTION], min_coverage=0.2, min_near=None) == {0: "ngram"}
