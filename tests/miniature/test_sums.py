"""The miniature's sums: right, in range, the same every time, and never leaking what is held out."""

from __future__ import annotations

import re
from random import Random

import pytest

from distillery.miniature import sums
from distillery.miniature.sums import UNWANTED, WANTED, Sum
from distillery.verify import get_checker

NINE = Sum(9, (("-", 8), ("+", 6), ("-", 7)))


def test_question_reads_as_the_task_says() -> None:
    assert sums.question(NINE) == "Calculate 9 - 8 + 6 - 7 ."


def test_english_thought_restates_what_is_left_after_each_step() -> None:
    assert sums.thought(NINE, WANTED) == "9 minus 8 plus 6 minus 7\nso 1 plus 6 minus 7\nso 7 minus 7\nso 0"


def test_chinese_thought_has_no_english_word() -> None:
    thought = sums.thought(NINE, UNWANTED)
    assert thought == "9 减 8 加 6 减 7\n得 1 加 6 减 7\n得 7 减 7\n得 0"
    assert not re.search("[a-z]", thought)


@pytest.mark.parametrize("language", [WANTED, UNWANTED])
def test_response_in_either_language_satisfies_the_checkers_of_its_problem(language: str) -> None:
    problem, text = sums.problem(NINE), sums.response(NINE, language)
    assert get_checker("exact").check(problem, text).score == 1.0
    assert get_checker("layout").check(problem, text).score == 1.0
    assert get_checker("language").check(problem, text).score == (1.0 if language == WANTED else 0.0)


def test_every_running_value_has_one_digit() -> None:
    rng = Random(0)
    for terms in (3, 4, 5):
        for _ in range(200):
            total = sums.draw(rng, terms=terms)
            values = [total.rest(done).first for done in range(len(total.steps) + 1)]
            assert len(total.steps) + 1 == terms
            assert all(0 <= value <= sums.TOP for value in values)


def test_same_seed_draws_the_same_sums_and_another_seed_others() -> None:
    assert sums.sums(20, seed=3) == sums.sums(20, seed=3)
    assert sums.sums(20, seed=3) != sums.sums(20, seed=4)


def test_sums_are_different_from_one_another() -> None:
    assert len(set(sums.sums(2_000, seed=0))) == 2_000


def test_about_a_tenth_is_held_out() -> None:
    rng = Random(1)
    share = sum(sums.held_out(sums.draw(rng, terms=5)) for _ in range(3_000)) / 3_000
    assert 0.08 < share < 0.12


def test_no_training_sum_contains_a_held_out_one_at_any_step() -> None:
    held = [str(total) for total in sums.sums(400, seed=0, held=True)]
    texts = [str(total.rest(done)) for total in sums.sums(500, seed=0) for done in range(len(total.steps))]
    assert not [text for text in texts if any(one in text for one in held)]


def test_long_sums_are_not_rarer_in_training_than_in_evaluation() -> None:
    for held in (False, True):
        rng = Random(2)
        draw = sums.draw_held_out if held else sums.draw_trainable
        lengths = [len(draw(rng).steps) + 1 for _ in range(600)]
        assert all(150 < lengths.count(terms) < 250 for terms in (3, 4, 5))


def test_worked_rows_are_training_problems_with_a_response() -> None:
    row = sums.worked(1, seed=0)[0]
    assert row["language"] == "en"
    assert row["text"].endswith(f"<answer>{row['gold']}</answer>")
