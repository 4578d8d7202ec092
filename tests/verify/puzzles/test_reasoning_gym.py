import json

import pytest

from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Errand
from distillery.verify.pool.processes import judge_one
from distillery.verify.puzzles.reasoning_gym import decide, work

COUNTDOWN = {
    "question": "Calculate 309 using all of these numbers: 6, 61, 94, 4.",
    "answer": "94*4 - 61 - 6",
    "metadata": {
        "source_dataset": "countdown",
        "numbers": [6, 61, 94, 4],
        "target": 309,
        "expression": "94*4 - 61 - 6",
    },
}


def puzzle(**payload: object) -> Problem:
    return Problem(
        "q", "", checker="puzzle", payload=json.dumps({"task": "countdown", "entry": COUNTDOWN} | payload)
    )


def test_the_tasks_own_scorer_judges_in_a_worker():
    assert judge_one(puzzle(), "<think>x</think><answer>4*94 - 6 - 61</answer>").outcome is Outcome.CORRECT
    wrong = judge_one(puzzle(), "<answer>94 + 61</answer>")
    assert (wrong.outcome, wrong.score) == (Outcome.WRONG, 0.0)
    assert "own score: 0.05" in wrong.detail


def test_the_threshold_is_an_option():
    assert work("countdown", COUNTDOWN, "94 + 61", 0.05).outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    "text", ["\\boxed{4*94 - 6 - 61}", "4*94 - 6 - 61", "<answer> 4*94 - 6 - 61 </answer>"]
)
def test_an_answer_may_stand_in_tag_box_or_text(text: str):
    found = decide(puzzle(), text)
    assert isinstance(found, Errand)
    assert json.loads(found.data)["answer"] == "4*94 - 6 - 61"


@pytest.mark.parametrize(
    ("problem", "text", "outcome"),
    [
        (puzzle(), "<think>x", Outcome.NO_ANSWER),
        (puzzle(), "<answer></answer>", Outcome.NO_ANSWER),
        (puzzle(), "9" * 200_000, Outcome.WRONG),
        (puzzle(entry=3), "1", Outcome.NO_GOLD),
        (Problem("q", "", payload="[]"), "1", Outcome.ERROR),
    ],
)
def test_what_needs_no_scorer_is_decided_at_once(problem: Problem, text: str, outcome: Outcome):
    found = decide(problem, text)
    assert isinstance(found, Verdict)
    assert found.outcome is outcome


def test_an_unknown_task_is_an_error():
    assert work("no_such_task", COUNTDOWN, "1", 1.0).outcome is Outcome.ERROR


def test_an_entry_of_another_task_is_no_gold():
    assert work("countdown", {"answer": "1", "metadata": {}}, "1", 1.0).outcome is Outcome.NO_GOLD


@pytest.mark.parametrize(
    "task", ["rearc", "zebra_puzzles", "spell_backward", "graph_color", "basic_arithmetic"]
)
def test_an_entry_that_went_through_json_still_accepts_its_gold(task: str):
    import reasoning_gym

    dataset = reasoning_gym.create_dataset(task, size=1, seed=3)
    entry = json.loads(json.dumps(dict(dataset[0])))
    verdict = work(task, entry, str(entry["answer"]), 1.0)
    if entry["answer"] is not None:
        assert verdict.outcome is Outcome.CORRECT
    assert work(task, entry, "certainly not this", 1.0).outcome is Outcome.WRONG
