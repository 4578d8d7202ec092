import pytest

from distillery.records import Outcome, Problem
from distillery.verify import get_checker

check = get_checker("choice").check
CHOICES = '{"choices": ["red", "\\\\frac{1}{2}", "blue", "green"]}'


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{B}",
        "\\boxed{\\text{(B)}}",
        "\\boxed{\\textbf{B}}",
        "<answer>B</answer>",
        "<answer>(b)</answer>",
        "So. Answer: B",
        "The answer is (B).",
        "The answer is B, because A is too small.\nAnswer: B",
        "答案：B",
        "故选B",
        "答案是Ｂ。",
        "**B**",
        "B) 1/2",
        "**Answer: B**",
        "<think>A? no</think>\nthe correct answer is **B**",
        "\\boxed{B. \\frac12}",
    ],
)
def test_a_letter_is_read_wherever_it_is_named(text: str):
    assert check(Problem("q", "B"), text).outcome is Outcome.CORRECT


@pytest.mark.parametrize("text", ["\\boxed{0.5}", "\\boxed{\\frac{1}{2}}", "Answer: $1/2$"])
def test_a_value_stands_for_its_letter(text: str):
    problem = Problem("q", "B", payload=CHOICES)
    assert check(problem, text).outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{A or B}",
        "\\boxed{A} \\boxed{B}",
        "Answer: A, B, C, D",
        "(A) or (B)",
        "\\boxed{ABCD}",
        "<answer>C</answer>",
    ],
)
def test_several_letters_or_another_one_are_wrong(text: str):
    assert check(Problem("q", "B"), text).outcome is Outcome.WRONG


def test_a_gold_of_several_letters_wants_just_these():
    problem = Problem("q", "A B D")
    assert check(problem, "\\boxed{ABD}").outcome is Outcome.CORRECT
    assert check(problem, "\\boxed{A, D, B}").outcome is Outcome.CORRECT
    assert check(problem, "\\boxed{AB}").outcome is Outcome.WRONG


@pytest.mark.parametrize(
    "text", ["<think>B", "", "I do not know what to say about any of this.\nSorry for that indeed."]
)
def test_no_letter_is_no_answer(text: str):
    assert check(Problem("q", "B"), text).outcome is Outcome.NO_ANSWER


def test_words_without_a_letter_are_wrong():
    assert check(Problem("q", "B"), "\\boxed{purple}").outcome is Outcome.WRONG


def test_a_gold_that_names_no_choice_cannot_be_judged():
    assert check(Problem("q", "purple"), "B").outcome is Outcome.NO_GOLD


def test_a_gold_may_be_the_value():
    problem = Problem("q", "blue", payload=CHOICES)
    assert check(problem, "\\boxed{C}").outcome is Outcome.CORRECT


def test_a_payload_that_is_no_object_is_an_error():
    assert check(Problem("q", "B", payload="[]"), "B").outcome is Outcome.ERROR
