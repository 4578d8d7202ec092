"""Examples for a judge: labels that are true, both of them common, forms that rules do not read."""

from __future__ import annotations

import re

from distillery.miniature import judging
from distillery.miniature.judging import NUMBERS, Example

EXAMPLES = judging.examples(1_000, seed=0)


def _last_number(answer: str) -> str:
    found = re.findall(r"\d|" + "|".join(NUMBERS), answer)
    return str(NUMBERS.index(found[-1])) if found and found[-1] in NUMBERS else (found or [""])[-1]


def _sums() -> list[Example]:
    return [example for example in EXAMPLES if example.question.startswith("Calculate")]


def test_answer_called_correct_ends_with_the_reference() -> None:
    for example in _sums():
        assert (_last_number(example.answer) == example.reference) is (example.verdict == "correct"), example


def test_general_answer_called_correct_contains_the_reference() -> None:
    for example in EXAMPLES:
        if example.question.startswith("Calculate"):
            continue
        same = example.reference.rstrip(".") in example.answer
        assert same is (example.verdict == "correct"), example


def test_both_verdicts_are_common() -> None:
    correct = sum(example.verdict == "correct" for example in EXAMPLES)
    assert 400 < correct < 600


def test_training_and_held_out_examples_ask_different_questions() -> None:
    held = {example.question for example in judging.examples(300, seed=0, held=True)}
    assert not held & {example.question for example in EXAMPLES}
