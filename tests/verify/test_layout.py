import pytest

from distillery.records import Outcome, Problem, Thinking
from distillery.verify import get_checker

check = get_checker("layout").check
ON = Problem("q", "")
OFF = Problem("q", "", thinking=Thinking.OFF)
OPEN = Problem("q", "", thinking="")
TAGGED = Problem("q", "", payload='{"answer_tag": true}')


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (ON, "<think>\nso\n</think>\n4"),
        (ON, "so it is\n</think>\n4"),
        (OPEN, "<think>\nso\n</think>\n4"),
        (OFF, "<think>\n\n</think>\n4"),
        (TAGGED, "<think>\nso\n</think>\n<answer>4</answer>\n"),
        (ON, "<think>|x| < 3</think> $|x|$ <b>"),
    ],
)
def test_a_well_formed_completion_is_correct(problem: Problem, text: str):
    assert check(problem, text).outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    ("problem", "text", "why"),
    [
        (ON, "4", "no thought"),
        (OPEN, "4", "no thought"),
        (ON, "<think>\u200b\u2060</think>4", "the thought is empty"),
        (ON, "<think>so</think>\ufeff \u200d", "nothing after the thought"),
        (ON, "<think>so", "never closed"),
        (ON, "<think>so</think>  ", "nothing after"),
        (ON, "<think> </think>4", "empty"),
        (ON, "<think>a</think><think>b</think>4", "more than one"),
        (ON, "<think>a</think>4</think>", "more than one"),
        (ON, "Sure! <think>a</think>4", "more than one"),
        (ON, "<think>a</think>4<|im_end|>", "special token"),
        (ON, "<think>a</think>4<｜end▁of▁sentence｜>", "special token"),
        (OFF, "<think>a</think>4", "none is wanted"),
        (TAGGED, "<think>a</think>4", "not exactly one"),
        (TAGGED, "<think>a</think><answer>4</answer><answer>5</answer>", "not exactly one"),
        (TAGGED, "<think>a</think>It is <answer>4</answer>", "beside"),
        (TAGGED, "<think>a</think><answer> </answer>", "empty"),
    ],
)
def test_a_fault_is_wrong_and_named(problem: Problem, text: str, why: str):
    verdict = check(problem, text)
    assert verdict.outcome is Outcome.WRONG
    assert why in verdict.detail


def test_a_payload_that_is_no_object_is_an_error():
    assert check(Problem("q", "", payload="[]"), "x").outcome is Outcome.ERROR
