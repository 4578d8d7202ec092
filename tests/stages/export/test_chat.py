from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillery.errors import ConfigError
from distillery.prompts import Prompt
from distillery.reasoning import CLOSE, OPEN, join, split
from distillery.stages.base import Uses
from distillery.stages.export.chat import MESSAGES, ExportChat, Fault

GOOD = "<think>\nadd them\n</think>\n4"


class Told:
    """A context that has one prompt."""

    seed = 0

    def __init__(self, *turns: tuple[str, str]) -> None:
        self.turns = turns

    def engine(self, name: str) -> Any:
        raise AssertionError(name)

    def prompt(self, name: str) -> Prompt:
        return Prompt(name, self.turns)

    def progress(self, **counts: float) -> None: ...


def export(text: str | None, *, thinking: str = "on", question: str = "What is 2 + 2?", **more: Any) -> Any:
    row = {"trace_id": "t1", "question": question, "text": text, "thinking": thinking, **more}
    table = pl.DataFrame([row], schema_overrides={"text": pl.String})
    return ExportChat().apply(table, Told())


def reason(text: str | None, **options: Any) -> str:
    output = export(text, **options)
    assert output.kept.is_empty()
    assert output.dropped["key"].to_list() == ["t1"]
    return output.dropped["reason"].item()


def test_the_thought_stays_in_the_assistants_turn():
    kept = export(GOOD).kept
    assert kept["messages"].to_list() == [
        [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": GOOD}]
    ]
    assert kept.schema["messages"] == MESSAGES


def test_only_the_promised_columns_are_added():
    assert export(GOOD).kept.columns == ["trace_id", "question", "text", "thinking", "messages", "num_tokens"]


def test_tokens_of_prompt_and_completion_are_added_up():
    assert export(GOOD, prompt_tokens=7, completion_tokens=30).kept["num_tokens"].to_list() == [37]


def test_tokens_that_nobody_counted_are_null():
    assert export(GOOD).kept["num_tokens"].to_list() == [None]


def test_a_missing_opening_tag_is_written():
    (chat,) = export("add them\n</think>\n\n4").kept["messages"].to_list()
    assert chat[1]["content"] == GOOD


@pytest.mark.parametrize("text", ["<think>\n\n</think>\nHello!", "<think></think>Hello!", "Hello!"])
def test_an_unwanted_thought_is_an_empty_block(text: str):
    (chat,) = export(text, thinking="off").kept["messages"].to_list()
    assert chat[1]["content"] == "<think>\n\n</think>\nHello!"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, Fault.NO_ANSWER),
        ("  ", Fault.NO_ANSWER),
        ("4", Fault.NO_THOUGHT),
        ("<think>\nadd", Fault.UNCLOSED_THOUGHT),
        ("<think>\nadd\n</think>\n", Fault.NO_ANSWER),
        ("<think>\n\n</think>\n4", Fault.EMPTY_THOUGHT),
        ("<think>a</think>b<think>c</think>4", Fault.SEVERAL_THOUGHTS),
        ("<think>a</think>b</think>4", Fault.SEVERAL_THOUGHTS),
        ("Well, <think>a</think>4", Fault.TEXT_BEFORE_THOUGHT),
        ("<think>a</think>4<|im_end|>", Fault.SPECIAL_TOKEN),
        ("<think>a</think>4<｜end▁of▁sentence｜>", Fault.SPECIAL_TOKEN),
        ("<think>a [INST] b</think>4", Fault.SPECIAL_TOKEN),
        ("<think>a</think>4</s>\n", Fault.SPECIAL_TOKEN),
    ],
)
def test_a_trace_of_the_wrong_shape_goes_to_the_ledger(text: str | None, why: Fault):
    assert reason(text) == why


def test_a_thought_where_none_is_wanted_goes_to_the_ledger():
    assert reason("<think>hm</think>Hello!", thinking="off") == Fault.UNWANTED_THOUGHT


def test_an_empty_question_goes_to_the_ledger():
    assert reason(GOOD, question=" ") == Fault.NO_QUESTION


def test_the_leaked_token_is_named():
    assert export("<think>a</think>4<|im_end|>").dropped["detail"].to_list() == ["<|im_end|>"]


@pytest.mark.parametrize("text", ["f <| g |> h", "a <s>struck</s> word", "x < |y| > z", "|<|>"])
def test_what_only_looks_like_markup_is_kept(text: str):
    assert export(f"<think>{text}</think>4").kept.height == 1


def test_a_prompt_renders_what_comes_before():
    told = Told(("system", "Be brief."), ("user", "Q: {{ question }}\nA:"))
    table = pl.DataFrame([{"trace_id": "t1", "question": "2+2", "text": GOOD}])
    (chat,) = ExportChat(prompt="ask@1").apply(table, told).kept["messages"].to_list()
    assert [turn["content"] for turn in chat] == ["Be brief.", "Q: 2+2\nA:", GOOD]
    assert ExportChat(prompt="ask@1").uses() == Uses(prompts=("ask@1",))


def test_a_prompt_with_another_slot_is_refused():
    table = pl.DataFrame([{"trace_id": "t1", "question": "2+2", "text": GOOD}])
    with pytest.raises(ConfigError, match="and no other"):
        ExportChat(prompt="ask@1").apply(table, Told(("user", "{{ gold }} {{ question }}")))


def test_an_empty_shard_has_the_same_columns():
    table = pl.DataFrame(schema={"trace_id": pl.String, "question": pl.String, "text": pl.String})
    assert ExportChat().apply(table, Told()).kept.schema["messages"] == MESSAGES


PIECES = st.lists(st.sampled_from([OPEN, CLOSE, "a", " ", "\n", "b c", "é"]), max_size=8).map("".join)


@given(PIECES)
def test_what_is_kept_reads_back_as_the_one_splitter_reads_it(text: str):
    kept = export(text).kept
    if kept.height:
        (chat,) = kept["messages"].to_list()
        assert chat[1]["content"] == join(*split(text))
