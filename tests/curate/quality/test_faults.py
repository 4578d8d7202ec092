from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from distillery.curate.quality.faults import Limits, Reason, Response, faults
from distillery.curate.quality.loops import find_loop
from distillery.reasoning import join
from distillery.records import Thinking
from tests.curate.fault_examples import EXAMPLES

THOUGHT = "I add two and two, and I get four. Let me check it again."
ANSWER = "The sum is \\boxed{4}."


def reasons(text: str, *, limits: Limits | None = None, **more: object) -> list[str]:
    return [fault.reason for fault in faults(Response(text=text, **more), limits or Limits())]


def of(thought: str = THOUGHT, answer: str = ANSWER, **more: object) -> list[str]:
    return reasons(join(thought, answer), **more)


def test_a_good_response_has_no_fault():
    assert of(language="en", question="What is 2+2?", finish="stop") == []


def test_what_nobody_sees_is_neither_thought_nor_answer_nor_length():
    assert of(thought="\u200b\u2060" * 20) == ["empty_thought"]
    assert of(answer="\ufeff\u200d ") == ["no_answer"]
    assert of(thought="So\u200b" * 3 + "\u2060" * 20) == ["too_short"]


def test_every_reason_has_examples():
    assert set(EXAMPLES) == set(Reason)
    assert all(len(examples.faulty) >= 2 and len(examples.fine) >= 2 for examples in EXAMPLES.values())


@pytest.mark.parametrize(
    ("reason", "response"),
    [(reason, response) for reason in Reason for response in EXAMPLES[reason].faulty],
)
def test_a_faulty_example_has_its_fault_and_no_other(reason: Reason, response: Response):
    assert [fault.reason for fault in faults(response)] == [reason]


@pytest.mark.parametrize(
    ("reason", "response"),
    [(reason, response) for reason in Reason for response in EXAMPLES[reason].fine],
)
def test_what_only_looks_like_a_fault_is_none(reason: Reason, response: Response):
    assert list(faults(response)) == []


def test_thinking_off_demands_the_empty_block():
    off = {"thinking": Thinking.OFF}
    assert reasons(join("", "Hi!"), **off) == []
    assert reasons("Hi!", **off) == [Reason.NO_THOUGHT]
    assert of(**off) == [Reason.UNWANTED_THOUGHT]


@pytest.mark.timeout(20)
def test_hostile_texts_take_no_longer_than_others():
    fences = "```python\n" * 20_000
    assert Reason.MESSY_CODE in of(thought=fences + THOUGHT)
    assert of(thought="先算一下" + "a" * 200_000 + "好", language="zh") == [Reason.LONG_PARAGRAPH]
    assert of(answer="I " * 50_000)[0] == Reason.REPETITION


def test_a_truncated_response_is_not_looked_into():
    assert reasons("<think>\n四四四 <|im_end|>", finish="length", language="en") == [Reason.TRUNCATED]


@pytest.mark.parametrize("period", [1, 2, 3, 7, 40, 150, 400])
def test_a_loop_is_named_with_its_period_and_its_rounds(period: int):
    start = " ".join(f"start{n}" for n in range(300))
    loop = " ".join(f"word{n}" for n in range(period))
    times = max(5, -(-160 // period)) if period < 40 else max(3, -(-160 // period))
    found = find_loop(start + " " + " ".join([loop] * times) + " end")
    assert found is not None
    assert found.period == period
    assert found.times == pytest.approx(times)


def test_a_loop_with_repeats_inside_is_found():
    period = "so a b c d e f x then a b c d e f y"
    assert find_loop(" ".join([period] * 12)) is not None


def test_real_good_traces_are_mostly_left_alone(real_data: Path):
    with gzip.open(real_data / "traces_gsm8k_test_a.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(200), lines)]  # noqa: B905
    bad = [
        row["id"]
        for row in rows
        if reasons(join(row["reasoning"], row["answer"]), question=row["question"], language="en")
    ]
    assert len(bad) <= 0.03 * len(rows)
