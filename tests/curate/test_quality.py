from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from distillery.curate.language import slip
from distillery.curate.quality import Limits, Reason, Response, faults
from distillery.curate.repetition import find_loop
from distillery.reasoning import join
from distillery.records import Thinking

THOUGHT = "I add two and two, and I get four. Let me check it again."
ANSWER = "The sum is \\boxed{4}."


def reasons(text: str, *, limits: Limits | None = None, **more: object) -> list[str]:
    return [fault.reason for fault in faults(Response(text=text, **more), limits or Limits())]


def of(thought: str = THOUGHT, answer: str = ANSWER, **more: object) -> list[str]:
    return reasons(join(thought, answer), **more)


def test_a_good_response_has_no_fault():
    assert of(language="en", question="What is 2+2?", finish="stop") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The sum is 4.", Reason.NO_THOUGHT),
        ("<think>\nI add", Reason.UNCLOSED),
        ("<think>\n\n</think>\n4", Reason.EMPTY_THOUGHT),
        ("<think>\nI add them.\n</think>\n", Reason.NO_ANSWER),
        (join(THOUGHT, ANSWER + "<|im_end|>"), Reason.SPECIAL_TOKENS),
        (join(THOUGHT, ANSWER + "<｜end▁of▁sentence｜>"), Reason.SPECIAL_TOKENS),
        (join(THOUGHT, ANSWER + "</think>"), Reason.SPECIAL_TOKENS),
        (join(THOUGHT + " <think> again", ANSWER), Reason.SPECIAL_TOKENS),
        (join(THOUGHT, r"\boxed{4} or \boxed{5}"), Reason.SEVERAL_ANSWERS),
        (join("Easy.", ANSWER), Reason.TOO_SHORT),
        (join(THOUGHT + " word" * 200, ANSWER), Reason.REPETITION),
        (join(" ".join(f"step{n}" for n in range(1000)), ANSWER), Reason.LONG_PARAGRAPH),
        (join(THOUGHT, "```python\nprint(4)\n"), Reason.MESSY_CODE),
        (join(THOUGHT, "```python\n\n```\n4"), Reason.MESSY_CODE),
        (join("ok so\n```python\n" + "x = f(x)\ny = g(y)\n" * 2 + "```", "4"), Reason.MESSY_CODE),
        (join(THOUGHT, "I'm sorry, but I can't help with that."), Reason.REFUSAL),
        (join(THOUGHT, "I cannot provide that."), Reason.REFUSAL),
        (join(THOUGHT, "很抱歉，我无法回答这个问题。"), Reason.REFUSAL),
        (join(THOUGHT, "I am ChatGPT."), Reason.OTHER_MAKER),
        (join(THOUGHT, "As an AI language model trained by OpenAI, I think so."), Reason.OTHER_MAKER),
        (join(THOUGHT, "我是通义千问。"), Reason.OTHER_MAKER),
    ],
)
def test_each_fault_has_its_reason(text: str, reason: Reason):
    assert reasons(text) == [reason]


@pytest.mark.parametrize(
    "answer",
    [
        r"So \boxed{4}, that is, \boxed{ 4 }.",
        "```python\nprint('```not a fence')\n```\nDone.",
        "GPT-4 was trained by OpenAI in 2023, and Claude by Anthropic.",
        "I'm sorry for your loss. Here is how the will can be contested.",
        "She said: I am sorry that you cannot come.",
        "I would recommend Google's search for that.",
    ],
)
def test_what_only_looks_like_a_fault_is_none(answer: str):
    assert of(answer=answer) == []


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
def test_loops_of_every_period_are_found(period: int):
    start = " ".join(f"start{n}" for n in range(300))
    loop = " ".join(f"word{n}" for n in range(period))
    times = max(5, -(-60 // period)) if period < 40 else 3
    found = find_loop(start + " " + " ".join([loop] * times) + " end")
    assert found is not None
    assert found.period == period
    assert found.times == pytest.approx(times)


def test_a_loop_with_repeats_inside_is_found():
    period = "so a b c d e f x then a b c d e f y"
    assert find_loop(" ".join([period] * 8)) is not None


def test_a_long_enumeration_is_no_loop():
    cases = "\n".join(f"Case {n}: x = {n}, so y = {n * n} and the sum is {n + n * n}." for n in range(200))
    assert find_loop(cases) is None
    assert find_loop("0, " * 60) is None  # a row of zeros; not of this length a loop
    assert find_loop("0, " * 400) is not None


@pytest.mark.parametrize(
    ("thought", "language", "mixed"),
    [
        ("We add them, 所以 the sum is four.", "en", True),
        ("We add them и получаем four.", "en", True),
        ("The word “三角形” means triangle.", "en", False),
        ("Let α and β be the roots, $αβ = 7$ and λ the ratio.", "en", False),
        ("The naïve Erdős bound from Übung 3 holds.", "en", False),
        ("先算 $x^2$，再用 sin 函数，得到 km 为单位的结果。", "zh", False),
        ("先算一下。Then I will add the two numbers to get the result. 好。", "zh", True),
        ("この問題を考える。", "zh", True),
        ("3 + 4 = 7", "en", False),
    ],
)
def test_slips_into_another_language(thought: str, language: str, mixed: bool):
    assert bool(slip(thought, language)) == mixed


def test_a_script_of_the_question_is_excused():
    thought = "The sentence 我爱你 means I love you."
    assert slip(thought, "en", question="Translate 我爱你 into English.") is None
    assert slip(thought, "en", question="Translate it.") is not None


def test_labelled_real_traces_are_told_apart(real_data: Path):
    with gzip.open(real_data / "lang_mix_traces.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    flagged = {
        row["id"] for row in rows if slip(row["text"], row["main_language"], question=row["prompt"] or "")
    }
    mixed = {row["id"] for row in rows if row["label"] == "mixed"}
    clean = {row["id"] for row in rows if row["label"] == "clean"}
    assert len(flagged & mixed) >= 0.9 * len(mixed)
    assert len(flagged & clean) <= 0.03 * len(flagged & mixed)


def test_real_good_traces_are_mostly_left_alone(real_data: Path):
    with gzip.open(real_data / "traces_gsm8k_test_a.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(200), lines)]  # noqa: B905
    bad = [
        row["id"]
        for row in rows
        if reasons(join(row["reasoning"], row["answer"]), question=row["question"], language="en")
    ]
    assert len(bad) <= 0.03 * len(rows)
