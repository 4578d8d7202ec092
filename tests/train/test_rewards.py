"""Rewards are the checkers' scores, and what was not judged is not zero."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from distillery.errors import ConfigError, DistilleryError
from distillery.miniature import general, sums
from distillery.records import Problem
from distillery.train.examples import CHECKED
from distillery.train.rewards import CheckedReward

PROBLEM = sums.problems(1, seed=0)[0]
ENGLISH, CHINESE = (sums.response(sums.sums(1, seed=0)[0], language) for language in ("en", "zh"))
WEIGHTS = {"accuracy": 1.0, "format": 0.5, "language": 0.25}


def columns(*rows: Problem) -> dict[str, list[str]]:
    return {name: [str(getattr(row, name)) for row in rows] for name in CHECKED}


def score(problem: Problem, text: str, weights: dict[str, float] = WEIGHTS) -> float | None:
    return CheckedReward(weights)([[{"role": "assistant", "content": text}]], **columns(problem))[0]


def test_parts_are_weighed_and_added() -> None:
    assert score(PROBLEM, ENGLISH) == 1.75
    assert score(PROBLEM, CHINESE) == 1.5


def test_right_value_without_the_tag_earns_nothing_for_accuracy() -> None:
    assert score(PROBLEM, f"<think>\nso {PROBLEM.gold}\n</think>\n{PROBLEM.gold}", {"accuracy": 1.0}) == 0.0


@pytest.mark.parametrize(("wrong", "reward"), [(True, 0.0), (False, 1.0)])
def test_repeating_the_question_earns_nothing_unless_the_option_lets_it(wrong: bool, reward: float) -> None:
    row = Problem("What is $2^3+1$?", "9", checker="math")
    rewards = CheckedReward({"accuracy": 1.0}, repeats_are_wrong=wrong)
    assert rewards(["<think>so</think>\\boxed{2^3+1}"], **columns(row)) == [reward]


def test_completion_that_could_not_be_judged_gets_none_and_not_its_other_parts() -> None:
    assert score(Problem("q", gold="", checker="exact", language="en"), ENGLISH) is None


def test_language_does_not_apply_to_a_problem_without_one() -> None:
    problem = Problem("q", gold="7", checker="exact")
    assert score(problem, "<think>\nseven\n</think>\n7") == 1.5


def test_language_of_a_problem_without_one_is_that_of_its_question() -> None:
    problem = Problem("What is the sum of the two numbers that we have?", gold="7", checker="exact")
    assert score(problem, "<think>\nso it is seven and that is all\n</think>\n7") == 1.75
    assert score(problem, "<think>\n二加五等于七，所以答案是七\n</think>\n7") == 1.5


def test_completions_whose_language_nothing_tells_are_said(caplog) -> None:
    logged: dict[str, Any] = {}
    problem = Problem("q", gold="7", checker="exact")
    reward = CheckedReward(WEIGHTS)
    for _ in range(2):
        reward(
            ["<think>\nseven\n</think>\n7", ENGLISH],
            log_metric=logged.__setitem__,
            **columns(problem, PROBLEM),
        )
    assert logged["rewards/language_untold"] == 0.5
    assert caplog.text.count("language: 1 of 2 completions could not be told; not rewarded") == 1


def test_general_row_is_judged_by_its_own_checker() -> None:
    prompt = general.Prompt("Say hello to Ann.", "Hello Ann, nice to meet you.")
    assert score(general.problem(prompt), general.response(prompt)) == 1.75


def test_mixed_rows_keep_their_order() -> None:
    reward = CheckedReward({"accuracy": 1.0})
    assert reward([ENGLISH, ENGLISH], **columns(Problem("q", gold="", checker="exact"), PROBLEM)) == [
        None,
        1.0,
    ]


def test_means_of_the_parts_are_logged_under_the_papers_names() -> None:
    logged: dict[str, Any] = {}
    CheckedReward(WEIGHTS)([ENGLISH, CHINESE], log_metric=logged.__setitem__, **columns(PROBLEM, PROBLEM))
    assert logged == {
        "rewards/accuracy": 1.0,
        "rewards/format": 1.0,
        "rewards/language": 0.5,
        "rewards/unjudged": 0.0,
    }


def test_answers_that_could_not_be_judged_are_said_and_when_nothing_can_be_training_stops(caplog) -> None:
    reward = CheckedReward({"accuracy": 1.0})
    broken = Problem("q", gold="4", checker="guess")
    assert reward([ENGLISH, ENGLISH], **columns(broken, PROBLEM)) == [None, 1.0]
    assert "1 of 2 answers could not be judged: 1 error, such as \"unknown checker 'guess'" in caplog.text
    for _ in range(2):
        assert reward([ENGLISH], **columns(broken)) == [None]
    assert reward([ENGLISH], **columns(PROBLEM)) == [1.0]  # begins the count anew
    for _ in range(2):
        assert reward([ENGLISH], **columns(broken)) == [None]
    with pytest.raises(DistilleryError, match="no reward in 3 steps"):
        reward([ENGLISH], **columns(broken))


def test_reward_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(CheckedReward(WEIGHTS))).weights == WEIGHTS


def test_reward_that_a_model_gives_needs_one() -> None:
    reward = CheckedReward({"helpfulness": 1.0})
    with pytest.raises(ConfigError, match="'helpfulness' is a model's to give, and there is none"):
        reward([ENGLISH], **columns(Problem("q", gold="", checker="layout")))
