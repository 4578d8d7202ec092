from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery.curate.contamination.overlap import Limits, index, matches
from distillery.curate.text.normalize import canonical

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


SHORT = "What is the remainder of 2004 divided by 12?"


@pytest.mark.parametrize(
    "framed",
    [
        f"Question: {SHORT}\nAnswer:",
        f"Solve the following problem step by step. {SHORT}",
        f"{SHORT}\n\nPlease reason step by step, and put your final answer within \\boxed{{}}.",
    ],
)
def test_a_short_question_is_found_in_a_frame(framed: str):
    assert kinds([framed], [SHORT], min_near=None) == {0: "inside"}


def test_a_short_question_in_a_long_text_is_its_own_text():
    long = " ".join(f"Then Ada counts {n} of the shells on that day." for n in range(20))
    assert kinds([f"{long} {SHORT} {long}"], [SHORT], min_near=None) == {}


def test_an_opening_of_many_questions_is_no_question():
    opening = "Which of the following is true?"
    asked = [f"{opening} A) Cats are reptiles. B) Water is a metal."]
    assert kinds(asked, [opening], min_near=None) == {0: "inside"}
    assert kinds(asked, [opening] * 4, min_near=None) == {}


def test_other_names_and_the_same_numbers_are_near():
    told = "Erin has 7 lollipops. Her mother gives Erin another 10 lollipops. If Erin gives 3 of them to Ella, how many does she have?"
    assert kinds([told.replace("Erin", "Zeynep").replace("Ella", "Per")], [told]) == {0: "near"}
    other = "Erin has 7 dogs and walks 10 miles. After 3 days, how many miles did each dog walk?"
    assert kinds([other], [told]) == {}


def test_common_words_for_common_words_are_near_and_telling_words_are_not():
    told = "Write a function to find the longest palindromic subsequence in the given string."
    others = [f"Write a function to find the {thing} in the given string." for thing in ("vowels", "digits")]
    asked = [
        "Implement a function to find the longest palindromic subsequence in the provided string.",
        *others,
    ]
    assert kinds(asked[:1], [told, *others]) == {0: "near"}
    assert kinds(["Write a function to find the anagrams in the given string."], [told, *others]) == {}


def test_a_formula_with_other_numbers_is_told_apart():
    assert kinds(
        [r"Simplify $\frac{(10r^3)(4r^6)}{8r^4}$."], [r"Simplify $\frac{(16r^9)(9r^8)}{16r^6}$."]
    ) == {0: "numbers_changed"}


def test_long_lists_of_texts_are_looked_up_in_parts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("distillery.curate.contamination.overlap._TEXTS", 2)
    texts = ["a b c", QUESTION, "d e f", "g", QUESTION.upper()]
    assert kinds(texts, [SHORT, QUESTION]) == {1: "exact", 4: "exact"}


def test_null_and_empty_texts_match_nothing():
    found = matches(pl.Series([None, "", "  \n", "?"], dtype=pl.String), index([QUESTION, "", "?"], Limits()))
    assert found.is_empty()


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet="ab12+-. ?\n", max_size=30), max_size=6))
def test_every_text_of_a_list_is_found_in_it(texts: list[str]):
    said = {n for n, text in enumerate(texts) if canonical(pl.Series([text]))[0]}
    found = matches(pl.Series(texts, dtype=pl.String), index(texts, Limits()))
    assert set(found["row"]) == said
    assert set(found["kind"]) <= {"exact"}
