from __future__ import annotations

import json

import polars as pl
import pytest

from distillery.config import build
from distillery.engines import Failure
from distillery.engines.scripted import Scripted
from distillery.prompts import load_prompt, prompt_folders
from distillery.stages.judge.thinking import JudgeThinking
from distillery.stages.label_thinking import LabelThinking

ROWS = [
    ("greeting", "Hi!", ""),
    ("task", "Please write a letter to my landlord.", ""),
    ("unclear", "Rust or Go", ""),
    ("given", "Hi!", "on"),
    ("null", "谢谢", None),
]
TABLE = pl.DataFrame(ROWS, schema=["problem_id", "question", "thinking"], orient="row")


class Context:
    seed = 3

    def __init__(self, engine=None):
        self._engine = engine

    def engine(self, name):
        return self._engine

    def prompt(self, name):
        return load_prompt(name, *prompt_folders())

    def progress(self, **counts): ...


def labels(output) -> dict[str, str]:
    assert output.dropped.is_empty()
    return dict(output.kept.select("problem_id", "thinking").iter_rows())


def test_only_empty_labels_are_written():
    output = LabelThinking().apply(TABLE, Context())
    assert labels(output) == {"greeting": "off", "task": "on", "unclear": "on", "given": "on", "null": "off"}
    assert output.metrics["by_small_talk"] == 2
    assert (output.metrics["thinking_on"], output.metrics["thinking_off"]) == (3, 2)
    assert output.kept.columns == TABLE.columns


@pytest.mark.parametrize("otherwise", ["on", "off", ""])
def test_what_no_rule_knows_gets_the_label_of_choice(otherwise):
    stage = build(LabelThinking, {"otherwise": otherwise}, where="here")
    assert labels(stage.apply(TABLE, Context()))["unclear"] == otherwise


def test_earlier_turns_make_a_short_question_more_than_a_lookup():
    payload = json.dumps({"history": [["user", "Name three rivers."], ["assistant", "Po, Don, Ob."]]})
    rows = [("q", "Which one is in Italy?", "", payload), ("r", "Which one is in Italy?", "", "{}")]
    table = pl.DataFrame(rows, schema=["problem_id", "question", "thinking", "payload"], orient="row")
    assert labels(build(LabelThinking, {"otherwise": ""}, where="here").apply(table, Context())) == {
        "q": "",
        "r": "off",
    }


def asked(reply) -> tuple[dict[str, str], Scripted]:
    engine = Scripted(reply=reply)
    table = LabelThinking(otherwise="").apply(TABLE, Context()).kept
    stage = build(JudgeThinking, {"engine": "judge"}, where="here")
    return labels(stage.apply(table, Context(engine))), engine


def test_a_model_is_asked_about_what_the_rules_left_open():
    found, engine = asked(lambda _: "<think>\nshort\n</think>\nOff.")
    assert found == {"greeting": "off", "task": "on", "unclear": "off", "given": "on", "null": "off"}
    assert len(engine.calls) == 1
    assert "Rust or Go" in engine.calls[0].messages[-1][1]


@pytest.mark.parametrize("reply", ["maybe", "on or off", "", lambda r: Failure(r.key, "refused", "no")])
def test_a_reply_that_is_no_label_means_a_thought(reply):
    found, _ = asked(reply if callable(reply) else lambda _: reply)
    assert found["unclear"] == "on"


def test_where_nothing_is_open_nobody_is_asked():
    engine = Scripted()
    table = TABLE.filter(pl.col("thinking") == "on")
    output = JudgeThinking(engine="judge").apply(table, Context(engine))
    assert (labels(output), engine.calls) == ({"given": "on"}, [])
