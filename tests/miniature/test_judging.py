"""Examples for a judge: labels that are true, both of them common, forms that rules do not read."""

from __future__ import annotations

import re

from distillery.judging.correctness import read_judgement
from distillery.miniature import judging
from distillery.miniature.judging import NUMBERS

EXAMPLES = judging.examples(1_000, seed=0)


def _last_number(answer: str) -> str:
    found = re.findall(r"\d|" + "|".join(NUMBERS), answer)
    if not found:
        return "none"
    return str(NUMBERS.index(found[-1])) if found[-1] in NUMBERS else found[-1]


def test_the_verdict_compares_what_the_answer_says_with_the_reference() -> None:
    for example in EXAMPLES:
        assert example.says == _last_number(example.answer), example
        assert (example.says == example.reference) is (example.verdict == "correct"), example


def test_the_reply_to_learn_is_one_that_the_reader_of_verdicts_reads() -> None:
    for example in EXAMPLES[:50]:
        assert read_judgement(example.ruling) == example.verdict


def test_both_verdicts_are_common() -> None:
    correct = sum(example.verdict == "correct" for example in EXAMPLES)
    assert 400 < correct < 600


def test_training_and_held_out_examples_ask_different_questions() -> None:
    held = {example.question for example in judging.examples(300, seed=0, held=True)}
    assert not held & {example.question for example in EXAMPLES}
