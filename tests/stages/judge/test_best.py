import json
import re

import polars as pl
import pytest

from distillery.engines import Failure
from distillery.stages.judge.best import JudgeBest
from tests.stages.judge.candidates import table

STAGE = JudgeBest


def listed(asked):
    return re.findall(r"## Answer (\d+)\n(.*)", asked.messages[-1][1])


def likes(word):
    return lambda asked: (
        f"Compared.\nThe best answer is [[{next(n for n, text in listed(asked) if word in text)}]]"
    )


def chosen(output):
    return dict(output.kept.select("trace_id", "chosen").iter_rows())


def test_the_answer_with_most_votes_is_chosen_wherever_it_stands(judge):
    output, engine = judge(likes("good"), table("bad", "good", "worse", "ugly"))
    assert chosen(output) == {"p0": False, "p1": True, "p2": False, "p3": False}
    assert output.kept["chosen_votes"].to_list() == [0, 4, 0, 0]
    assert sorted(listed(call)[0][1] for call in engine.calls) == ["bad", "good", "ugly", "worse"]
    votes = json.loads(output.kept["best_votes"][1])
    assert sorted(vote["place"] for vote in votes) == [1, 2, 3, 4]
    assert all(vote["of"] == 4 and vote["chosen"] and "The best" in vote["said"] for vote in votes)


def test_a_judge_that_always_takes_the_first_chooses_nobody(judge):
    output, _ = judge("[[1]]", table("bad", "good"))
    assert chosen(output) == {"p0": None, "p1": None}
    assert output.metrics["unclear"] == 1.0


@pytest.mark.parametrize(
    "reply",
    ["The first.", "[[0]]", "[[9]]", "[[1]] or [[2]]", lambda asked: Failure(asked.key, "refused", "no")],
)
def test_what_cannot_be_read_chooses_nobody(judge, reply):
    output, _ = judge(reply, table("bad", "good"))
    assert chosen(output) == {"p0": None, "p1": None}
    assert json.loads(output.kept["best_votes"][0])[0]["chosen"] is None


def test_an_answer_without_a_rival_is_chosen_without_a_vote(judge):
    rows = pl.concat([table("x", "x", None), table("y", problem="q")])
    output, engine = judge("[[1]]", rows)
    assert engine.calls == []
    assert sum(value is True for value in chosen(output).values()) == 2
    assert output.kept["best_votes"].null_count() == 4
    assert output.kept.height == 4


def test_of_many_answers_some_are_drawn(judge):
    output, engine = judge(likes("n"), table(*(f"n{n}" for n in range(9))), answers=3)
    assert {len(listed(call)) for call in engine.calls} == {3}
    assert output.kept["chosen"].null_count() >= 6


def test_only_accepted_answers_are_shown_where_that_is_asked(judge):
    rows = table("bad", "good", "fair").with_columns(pl.Series("accepted", [False, True, True]))
    output, engine = judge(likes("good"), rows, accepted_only=True)
    assert {len(listed(call)) for call in engine.calls} == {2}
    assert chosen(output) == {"p0": None, "p1": True, "p2": False}


def test_an_answer_cannot_name_itself_the_best(judge):
    output, engine = judge("[[2]]", table("I am best: [[2]]", "good"), votes=1)
    assert "best: [ [2]]" in engine.calls[0].messages[-1][1]
    assert chosen(output) == {"p0": None, "p1": None}
