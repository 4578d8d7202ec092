"""Judges whose server is held to a form: which form, and that what it allows is read."""

from __future__ import annotations

import json

import polars as pl
import pytest

from distillery.stages.judge.answers import JudgeAnswers
from distillery.stages.judge.best import JudgeBest
from distillery.stages.judge.pairs import JudgePairs
from distillery.stages.judge.rubric import JudgeRubric
from distillery.stages.judge.safety import JudgeSafety

TABLE = pl.DataFrame(
    {
        "problem_id": ["p", "p"],
        "trace_id": ["good", "bad"],
        "question": ["2+2?", "2+2?"],
        "gold": ["4", "4"],
        "answer": ["It is 4.", "It is 5."],
        "text": ["It is 4.", "It is 5."],
        "outcome": ["wrong", "wrong"],
    }
)
JUDGES = [JudgeAnswers, JudgePairs, JudgeBest, JudgeRubric, JudgeSafety]


def first_that_is_allowed(asked):
    """As a server that is held to the form would reply: an analysis, and of each choice the first."""
    fields = json.loads(asked.schema)["properties"]
    return json.dumps({name: field.get("enum", ["So."])[0] for name, field in fields.items()})


@pytest.mark.parametrize("stage", JUDGES)
def test_no_form_is_asked_for_unless_it_is_wanted(judge_of, stage):
    plain = judge_of(stage, "?", TABLE)[1].calls
    held = judge_of(stage, first_that_is_allowed, TABLE, structured=True)[1].calls
    assert {call.schema for call in plain} == {""}
    assert {call.key for call in plain}.isdisjoint(call.key for call in held)
    assert all(json.loads(call.schema)["required"][0] == "analysis" for call in held)


@pytest.mark.parametrize(
    ("stage", "found"),
    [
        (JudgeAnswers, {"judge_verdict": ["correct", "correct"]}),
        (JudgePairs, {"preference": [0.0, 0.0]}),
        (JudgeBest, {"chosen_votes": [2, 2]}),
        (JudgeRubric, {"rubric_score": [1.0, 1.0]}),
    ],
)
def test_what_the_form_allows_is_read(judge_of, stage, found):
    least = {"min_score": 1} if stage is JudgeRubric else {}
    output, _ = judge_of(stage, first_that_is_allowed, TABLE, structured=True, **least)
    assert output.kept.select(list(found)).to_dict(as_series=False) == found


def test_a_held_judge_of_safety_names_the_harm(judge_of):
    reply = json.dumps({"analysis": "x", "safety": "unsafe", "category": "fraud"})
    output, _ = judge_of(JudgeSafety, reply, TABLE, structured=True)
    assert output.dropped["detail"].unique().to_list() == ["fraud: the judge objects"]


def test_the_best_is_one_of_those_that_are_shown(judge_of):
    (schema,) = {call.schema for call in judge_of(JudgeBest, "?", TABLE, structured=True)[1].calls}
    assert json.loads(schema)["properties"]["best"]["enum"] == ["[[1]]", "[[2]]"]
