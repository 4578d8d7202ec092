"""Small talk: references its own checkers accept, empty thoughts for simple prompts."""

from __future__ import annotations

import pytest

from distillery.miniature import general
from distillery.verify import get_checker


@pytest.mark.parametrize("checker", ["exact", "layout", "language"])
def test_every_reference_response_satisfies(checker: str) -> None:
    check = get_checker(checker).check
    for prompt in general.prompts(300, seed=0):
        assert check(general.problem(prompt), general.response(prompt)).score == 1.0, prompt


def test_simple_prompt_is_answered_behind_an_empty_thought() -> None:
    hello = general.Prompt("Say hello to Ann.", "Hello Ann, nice to meet you.")
    assert general.problem(hello).thinking == "off"
    assert general.response(hello) == "<think>\n\n</think>\nHello Ann, nice to meet you."


def test_both_kinds_of_thinking_are_common() -> None:
    on = [prompt.thinking for prompt in general.prompts(500, seed=1)].count("on")
    assert 150 < on < 400


def test_held_out_prompts_and_training_prompts_do_not_meet() -> None:
    held = {prompt.question for prompt in general.prompts(200, seed=0, held=True)}
    assert not held & {prompt.question for prompt in general.prompts(1_000, seed=0)}


def test_same_seed_draws_the_same_prompts() -> None:
    assert general.prompts(50, seed=5) == general.prompts(50, seed=5)
