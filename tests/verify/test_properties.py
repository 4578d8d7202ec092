"""What holds of every checker, whatever it judges."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from distillery.records import Outcome, Problem, Verdict
from distillery.stages.verify.answers import VerifyAnswers
from distillery.train.examples import CHECKED
from distillery.train.rewards import CheckedReward
from distillery.verify import CHECKERS
from distillery.verify.gold import gold_faults
from distillery.verify.pool.processes import judge, judge_one

COUNTDOWN: dict[str, Any] = {
    "question": "Calculate 309 using all of these numbers: 6, 61, 94, 4.",
    "answer": "94*4 - 61 - 6",
    "metadata": {
        "source_dataset": "countdown",
        "numbers": [6, 61, 94, 4],
        "target": 309,
        "expression": "94*4 - 61 - 6",
    },
}


def problem(checker: str, gold: str = "", **rest: Any) -> Problem:
    payload = json.dumps(rest.pop("payload", {}))
    return Problem("q", gold, checker=checker, payload=payload, **rest)


CASES = {  # a problem, and the part of a completion behind its thought that is right
    "choice": (problem("choice", "B", payload={"choices": ["red", "green"]}), "The answer is B"),
    "exact": (problem("exact", "Ångström 12"), "Ångström 12"),
    "harmless": (problem("harmless"), "so it is"),
    "instruction": (
        problem(
            "instruction",
            payload={
                "instructions": [
                    {"id": "length_constraints:number_words", "num_words": 3, "relation": "at least"},
                    {"id": "startend:end_checker", "end_phrase": "the end."},
                ]
            },
        ),
        "This is the end.",
    ),
    "knights": (
        problem("knights", "(1) Ann is a knight\n(2) Bo is a knave"),
        "(1) Ann is a knight\n(2) Bo is a knave",
    ),
    "language": (problem("language", language="en"), "so it is"),
    "layout": (problem("layout"), "so it is"),
    "math": (problem("math", "\\frac{1}{2}"), "\\boxed{\\frac{1}{2}}"),
    "program": (
        problem("program", payload={"style": "stdio", "tests": [{"input": "2", "output": "4"}]}),
        "```python\nprint(2 * int(input()))\n```",
    ),
    "puzzle": (
        problem("puzzle", payload={"task": "countdown", "entry": COUNTDOWN}),
        "<answer>94*4 - 61 - 6</answer>",
    ),
}
RUN_IN_A_PROCESS = {"math": 12, "program": 3, "puzzle": 8}  # examples, where one costs more than a look
EXAMPLES = {name: RUN_IN_A_PROCESS.get(name, 60) for name in CHECKERS}


def completion(answer: str) -> str:
    return f"<think>\nI think that this is so\n</think>\n{answer}"


GOOD = {name: (asked, completion(answer)) for name, (asked, answer) in CASES.items()}

PIECES = st.sampled_from(
    [
        *(
            "<think>",
            "</think>",
            "<answer>",
            "</answer>",
            "\\boxed{",
            "\\frac{",
            "}",
            "```python\n",
            "```",
            "\n",
        ),
        *(
            "answer:",
            "Final answer",
            "1/2",
            "0.5",
            "B",
            "В",
            "Ｂ",
            "ⒷＢ",
            "Ann is a",
            " knight",
            "knights:",
            "Bo",
        ),
        *(
            "\x00",
            "\x1b[2J",
            "\u202e",
            "\u200b",
            "\ufeff",
            "\U0001f9ee",
            "e\u0301",
            "١٢",
            "½",
            "$$",
            "\\",
            "***",
        ),
        *(
            "print(1)",
            "the end.",
            "，",
            "94*4",
            "[",
            "<<",
            "NaN",
            "-inf",
            "1e999",
            "9" * 50,
            "((((",
            "<|im_end|>",
        ),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join)


def test_every_checker_is_tried_here():
    assert set(CASES) == set(CHECKERS)


@pytest.mark.parametrize("name", sorted(CHECKERS))
def test_a_completion_that_gives_the_gold_is_correct(name: str):
    asked, text = GOOD[name]
    assert gold_faults([asked], deadline_s=10, workers=1) == [None]
    verdict = judge_one(asked, text)
    assert (verdict.outcome, verdict.score) == (Outcome.CORRECT, 1.0), verdict


@pytest.mark.parametrize("name", sorted(CHECKERS))
@pytest.mark.parametrize("space", [" ", "\n\n", "\t \r\n"])
def test_space_around_the_answer_changes_nothing(name: str, space: str):
    asked, answer = CASES[name]
    assert judge_one(asked, completion(f"{space}{answer}{space}")).outcome is Outcome.CORRECT


def sound(verdict: Verdict) -> bool:
    judged = {Outcome.CORRECT, Outcome.WRONG, Outcome.NO_ANSWER}
    if verdict.outcome in judged:
        return verdict.score is not None and 0.0 <= verdict.score <= 1.0
    return verdict.score is None


@pytest.mark.parametrize("name", sorted(CHECKERS))
def test_any_text_gets_a_verdict_and_the_same_again(name: str):
    asked, _ = GOOD[name]

    @settings(max_examples=EXAMPLES[name], suppress_health_check=list(HealthCheck), database=None)
    @given(TEXTS)
    @example("")
    @example("<think>")
    @example("</think>" * 3)
    def sound_and_the_same(text: str) -> None:
        verdict = judge_one(asked, text)
        assert isinstance(verdict, Verdict)
        assert sound(verdict)
        assert verdict.outcome is not Outcome.ERROR, verdict
        if name not in RUN_IN_A_PROCESS:
            assert judge_one(asked, text) == verdict

    sound_and_the_same()


@pytest.mark.parametrize("name", sorted(CHECKERS))
def test_a_hundred_thousand_of_one_sign_get_verdicts(name: str):
    asked, text = GOOD[name]
    signs = "{[(<*\n\\$\"'" if name not in RUN_IN_A_PROCESS else "{["
    texts = [f"{text[:-1]}{sign * 100_000}{text[-1]}" for sign in signs]
    assert all(map(sound, judge([(asked, said) for said in texts], workers=1)))


@pytest.mark.parametrize("name", sorted(CHECKERS))
def test_any_gold_and_payload_get_a_verdict(name: str):
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
    keys = st.sampled_from(
        [
            "choices",
            "within",
            "answer_tag",
            "min_share",
            "instructions",
            "instruction_id_list",
            "kwargs",
            "loose",
            "names",
            "solution",
            "roles",
            "statements",
            "task",
            "entry",
            "style",
            "tests",
            "tolerance",
        ]
    )

    @settings(max_examples=EXAMPLES[name], suppress_health_check=list(HealthCheck), database=None)
    @given(TEXTS, st.dictionaries(keys, values, max_size=4), st.sampled_from(["", "[]", "{", "null"]))
    def sound_verdict(gold: str, payload: dict[str, Any], broken: str) -> None:
        for written in (json.dumps(payload), broken):
            assert sound(judge_one(Problem("q", gold, checker=name, payload=written), GOOD[name][1]))

    sound_verdict()


def mixed_rows() -> list[tuple[Problem, str]]:
    """Right, wrong and missing answers of all checkers, and rows that cannot be judged."""
    rows = [row for name in sorted(CHECKERS) for row in (GOOD[name], (GOOD[name][0], completion("7 or 8")))]
    rows += [(asked, "<think>never closed") for asked, _ in CASES.values()]
    return [*rows, (problem("math"), "\\boxed{1}"), (problem("guess", "1"), "1"), *rows[:4]]


@pytest.mark.slow
def test_a_row_is_judged_alike_alone_and_among_others():
    rows = mixed_rows()
    together = judge(rows)
    assert together == [judge([row])[0] for row in rows]
    assert together == judge(rows[::-1])[::-1]


@pytest.mark.slow
def test_the_stage_and_the_reward_give_the_same_scores():
    rows = mixed_rows()
    table = pl.DataFrame(
        [asked.row() | {"trace_id": str(place), "text": text} for place, (asked, text) in enumerate(rows)]
    )

    class Context:
        def progress(self, **counts: float) -> None: ...

    staged = VerifyAnswers().apply(table, Context()).kept["score"].to_list()
    columns = {name: [str(getattr(asked, name)) for asked, _ in rows] for name in CHECKED}
    rewarded = CheckedReward({"accuracy": 1.0})([text for _, text in rows], **columns)
    assert staged == rewarded
    assert {0.0, 1.0, None} <= set(staged)
