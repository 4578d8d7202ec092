"""Earlier turns, from a row to a request and to what a student is trained on."""

from __future__ import annotations

import json

import polars as pl
import pytest

from distillery.dialogue import continued
from distillery.engines.scripted import Scripted
from distillery.prompts import Prompt
from distillery.records import Problem, earlier_turns, problem_id
from distillery.row_files import Fault
from distillery.stages.export.chat import ExportChat
from distillery.stages.export.rl import ExportRl
from distillery.stages.generate.traces import GenerateTraces
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.train.examples import conversation, grpo_rows

TALK = [["user", "Name a river."], ["assistant", "The Po."]]
PAYLOAD = json.dumps({"history": TALK})
PROMPTS = {
    "think@1": (("system", "Think."), ("user", "{{ question }}")),
    "plain@1": (("user", "{{ question }}"),),
}


class Context:
    seed = 3

    def __init__(self, engine=None):
        self._engine = engine

    def engine(self, name):
        return self._engine

    def prompt(self, name):
        return Prompt(name, PROMPTS[name])

    def progress(self, **counts): ...

    def alarm(self, text): ...


def problem(question: str, thinking: str = "on", payload: str = PAYLOAD) -> dict:
    return Problem(question, "", checker="layout", thinking=thinking, payload=payload).row()


def traces(*rows: dict):
    engine = Scripted(reply=lambda r: "Well." if len(r.messages) % 2 else "<think>\nhm\n</think>\nWell.")
    stage = GenerateTraces(engine="e", prompt="think@1", plain_prompt="plain@1")
    return stage.apply(pl.DataFrame(rows), Context(engine)).kept, engine


def test_earlier_turns_are_asked_before_the_last_one():
    _, engine = traces(problem("And a lake?"))
    assert engine.calls[0].messages == (
        ("system", "Think."),
        ("user", "Name a river."),
        ("assistant", "The Po."),
        ("user", "And a lake?"),
    )


def test_rows_without_a_thought_are_asked_with_the_plain_prompt():
    kept, engine = traces(problem("Thanks!", "off"), problem("Why?", "on", "{}"))
    assert [len(call.messages) for call in engine.calls] == [3, 2]
    assert kept["prompt"].str.split(":").list.first().to_list() == ["plain@1", "think@1"]
    assert kept["text"].to_list() == ["<think>\n\n</think>\nWell.", "<think>\nhm\n</think>\nWell."]


def test_an_exported_chat_has_them_with_empty_blocks():
    kept, _ = traces(problem("And a lake?"), problem("Name a sea.", payload="{}"))
    several, single = (
        [(turn["role"], turn["content"]) for turn in chat]
        for chat in ExportChat().apply(kept, Context()).kept["messages"]
    )
    assert several == [
        ("user", "Name a river."),
        ("assistant", "<think>\n\n</think>\nThe Po."),
        ("user", "And a lake?"),
        ("assistant", "<think>\nhm\n</think>\nWell."),
    ]
    assert [role for role, _ in single] == ["user", "assistant"]


def test_a_prompt_with_a_system_turn_keeps_it_first():
    kept, _ = traces(problem("And a lake?"))
    (chat,) = ExportChat(prompt="think@1").apply(kept, Context()).kept["messages"].to_list()
    assert [turn["role"] for turn in chat] == ["system", "user", "assistant", "user", "assistant"]


def test_markup_in_an_earlier_turn_is_found():
    payload = json.dumps({"history": [["user", "Hi <|im_end|>"], ["assistant", "Yes?"]]})
    kept, _ = traces(problem("And a lake?", payload=payload))
    assert ExportChat().apply(kept, Context()).dropped.rows() == [
        (kept["trace_id"].item(), "special_token", "<|im_end|>")
    ]


def test_a_thought_of_an_earlier_turn_is_left_out():
    payload = json.dumps({"history": [["user", "Hi"], ["assistant", "<think>\nsecret\n</think>\nYes?"]]})
    kept, engine = traces(problem("And a lake?", payload=payload))
    assert engine.calls[0].messages[2] == ("assistant", "Yes?")
    assert "secret" not in str(ExportChat().apply(kept, Context()).kept["messages"].to_list())


def test_the_same_words_after_other_turns_are_another_problem():
    assert Problem("Why?", "", payload=PAYLOAD).problem_id != problem_id("Why?")
    assert Problem("Why?", "", payload='{"tests": []}').problem_id == problem_id("Why?")


@pytest.mark.parametrize(
    "history",
    [
        "Hi",
        [["user", "Hi"]],
        [["assistant", "Hi"], ["user", "Hi"]],
        [["user", "Hi"], ["assistant", " "]],
        [["user", "Hi"], ["assistant", 3]],
        [["system", "Hi"], ["user", "Hi"], ["assistant", "Hi"]],
        [["user", "Hi", "there"], ["assistant", "Hi"]],
    ],
)
def test_a_history_that_is_none_is_malformed(history):
    found = RowMap("here").row({"question": "Why?", "payload": {"history": history}})
    assert isinstance(found, Fault)
    assert found.reason == "malformed"


def test_a_payload_without_a_history_has_no_earlier_turns():
    assert earlier_turns("{}") == earlier_turns(None) == earlier_turns('{"tests": "\\"history\\""}') == ()
    assert earlier_turns('{"a": {"history": 1}}') == ()


def test_an_undecided_row_is_taken_in_as_it_is():
    found = RowMap("here").row({"question": "Why?", "thinking": ""})
    assert isinstance(found, dict)
    assert found["thinking"] == ""


def test_earlier_turns_are_in_the_prompts_of_reinforcement_learning():
    rows = pl.DataFrame([problem("And a lake?"), problem("Name a hill.", payload="{}")])
    expected = [
        {"role": "user", "content": "Name a river."},
        {"role": "assistant", "content": "<think>\n\n</think>\nThe Po."},
        {"role": "user", "content": "And a lake?"},
    ]
    assert [row["prompt"] for row in grpo_rows(rows)] == [
        expected,
        [{"role": "user", "content": "Name a hill."}],
    ]
    exported = ExportRl().apply(rows.with_columns(gold=pl.lit("x")), Context()).kept["prompt"].to_list()
    assert exported == [expected, [{"role": "user", "content": "Name a hill."}]]


def test_a_row_without_messages_is_trained_on_with_its_earlier_turns():
    row = problem("And a lake?") | {"text": "<think>\nhm\n</think>\nComo."}
    assert [turn["role"] for turn in conversation(row)] == ["user", "assistant", "user", "assistant"]


UNDER = json.dumps({"history": TALK, "system": "You are a guide."})


def test_a_system_prompt_of_the_conversation_stands_first_below_the_prompts_own():
    kept, engine = traces(problem("And a lake?", payload=UNDER), problem("And a sea?", "off", UNDER))
    first, second = (call.messages for call in engine.calls)
    assert first[0] == ("system", "Think.\n\nYou are a guide.")
    assert [role for role, _ in first] == ["system", "user", "assistant", "user"]
    assert second[0] == ("system", "You are a guide.")
    for prompt, system in (("think@1", "Think.\n\nYou are a guide."), ("", "You are a guide.")):
        chats = ExportChat(prompt=prompt).apply(kept, Context()).kept["messages"].to_list()
        assert chats[0][0] == {"role": "system", "content": system}
        assert [turn["role"] for turn in chats[0][1:]] == ["user", "assistant", "user", "assistant"]
    rows = pl.DataFrame([problem("And a lake?", payload=UNDER)])
    (row,) = grpo_rows(rows)
    assert row["prompt"][0] == {"role": "system", "content": "You are a guide."}
    (exported,) = ExportRl().apply(rows.with_columns(gold=pl.lit("x")), Context()).kept["prompt"].to_list()
    assert exported == row["prompt"]


def test_a_system_prompt_stands_before_worked_examples_that_have_none():
    payload = json.dumps({"system": "Be brief."})
    asked = (("user", "1+1?"), ("assistant", "2"), ("user", "{{ question }}"))
    assert continued(asked, payload)[0] == ("system", "Be brief.")
    kept, _ = traces(problem("And a lake?", payload=payload))
    examples = Context()
    examples.prompt = lambda name: Prompt(name, asked)
    (chat,) = ExportChat(prompt="few@1").apply(kept, examples).kept["messages"].to_list()
    assert [turn["role"] for turn in chat] == ["system", "user", "assistant", "user", "assistant"]


def test_the_same_words_under_another_system_prompt_are_another_problem():
    ids = {Problem("Why?", "", payload=json.dumps({"system": said})).problem_id for said in ("A.", "B.", " ")}
    assert len(ids) == 3
    assert problem_id("Why?") in ids
    with_history = Problem("Why?", "", payload=UNDER).problem_id
    assert with_history not in {*ids, Problem("Why?", "", payload=PAYLOAD).problem_id}


def test_a_system_prompt_that_is_no_text_is_malformed():
    found = RowMap("here").row({"question": "Why?", "payload": {"system": ["a"]}})
    assert isinstance(found, Fault)
    assert found.reason == "malformed"


def test_talk_in_the_payload_is_nothing_to_check_against():
    talk, tests = problem("Why?", payload=UNDER), problem("Add.", payload='{"tests": [1], "system": "x"}')
    output = ExportRl().apply(pl.DataFrame([talk, tests]), Context())
    assert output.dropped.rows() == [(talk["problem_id"], "not_verifiable", "")]
