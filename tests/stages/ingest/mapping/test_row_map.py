"""Rows as sets of the field have them, and what they are here."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery.errors import ConfigError
from distillery.records import LEDGER, PROBLEM, Outcome
from distillery.row_files import Fault
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.mapping.row_options import System
from distillery.stages.ingest.mapping.values import Kind
from distillery.stages.ingest.problem_rows import shards
from distillery.stages.select_traces import SelectTraces

THOUGHT = "<think>\nadd them\n</think>\n4"


def tables(rows: list[Any], **options: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    numbered = ((str(number), row) for number, row in enumerate(rows, start=1))
    outputs = list(shards(numbered, RowMap("here", **options), shard_rows=1000))
    return pl.concat(out.kept for out in outputs), pl.concat(out.dropped for out in outputs)


def kept(rows: list[Any], *names: str, **options: Any) -> list[Any]:
    """Of rows that all become problems: each one's columns of these names."""
    table, ledger = tables(rows, **options)
    assert ledger.is_empty(), ledger.rows()
    found = table.select(names).rows()
    return [row[0] for row in found] if len(names) == 1 else found


def reason(row: Any, **options: Any) -> tuple[str, str]:
    found = RowMap("here", **options).row(row)
    assert isinstance(found, Fault), found
    return str(found.reason), found.detail


# -- lists ---------------------------------------------------------------------------------------------------------

OPENR1 = {
    "problem": "2+2?",
    "answer": "4",
    "uuid": "u1",
    "generations": ["<think>\na\n</think>\n4", "<think>\nb\n</think>\n5"],
    "correctness_math_verify": [True, False],
    "finish_reasons": None,
}
OPENR1_OPTIONS: dict[str, Any] = {
    "columns": {
        "question": "problem",
        "gold": "answer",
        "text": "generations",
        "outcome": "correctness_math_verify",
        "finish": "finish_reasons",
        "trace_id": "uuid",
    },
    "explode": ("generations", "correctness_math_verify", "finish_reasons"),
    "keep": ("trace_id", "text", "sample", "outcome", "finish"),
}


def test_each_element_of_a_list_is_a_row_with_those_beside_it():
    table, ledger = tables([OPENR1], **OPENR1_OPTIONS)
    assert ledger.is_empty()
    assert table.select("trace_id", "sample", "text", "outcome", "finish").rows() == [
        ("u1-0", 0, "<think>\na\n</think>\n4", "correct", None),
        ("u1-1", 1, "<think>\nb\n</think>\n5", "wrong", None),
    ]
    assert table["problem_id"].n_unique() == 1


def test_traces_are_selected_by_the_verdicts_that_they_came_with():
    table, _ = tables([OPENR1], **OPENR1_OPTIONS)
    stage, ctx = SelectTraces(per_problem=2), SimpleNamespace(seed=0)
    decision = stage.decide(stage.sketch(table, ctx), ctx)
    assert decision.dropped.rows() == [("u1-1", "wrong", "")]


def test_lists_of_other_lengths_and_empty_ones_are_in_the_ledger():
    rows = [
        OPENR1 | {"finish_reasons": ["stop"]},
        OPENR1 | {"generations": [], "correctness_math_verify": []},
        OPENR1 | {"generations": None, "correctness_math_verify": None},
        OPENR1 | {"generations": [None, "x"], "correctness_math_verify": [True, True]},
        OPENR1 | {"generations": "one text"},
    ]
    table, ledger = tables(rows, **OPENR1_OPTIONS)
    assert table["text"].to_list() == ["x"]
    assert ledger.select("key", "reason").rows() == [
        ("1", "malformed"),
        ("2", "no_text"),
        ("3", "no_text"),
        ("4[0]", "no_text"),
        ("5", "malformed"),
    ]
    assert "generations 2, correctness_math_verify 2, finish_reasons 1" in ledger["detail"][0]


def test_exploded_traces_have_an_id_whether_it_was_asked_for_or_not():
    table, _ = tables(
        [OPENR1],
        columns={"question": "problem", "text": "generations"},
        explode=("generations",),
        keep=("text",),
    )
    assert table["trace_id"].n_unique() == 2


def test_the_id_of_a_trace_is_of_what_it_says_whatever_its_source_says_beside_it():
    plain = {"columns": {"text": "answer_of_it"}, "keep": ("text",)}
    one = {"question": "a", "answer_of_it": "x", "gold": "1", "source": "s"}
    two = {"question": "a", "generations": ["x", "y", "x"], "source": "t"}
    kept_too = {"columns": {"text": "generations"}, "explode": ("generations",), "keep": ("text", "sample")}
    (first,) = tables([one], **{**plain, "keep": ("trace_id", "text")})[0]["trace_id"]
    others = tables([two], **kept_too)[0]["trace_id"].to_list()
    assert others[0] == first
    assert len({*others}) == 3


def test_a_list_in_a_list_goes_by_its_path():
    rows = [{"question": "a", "solutions": {"all": [{"text": "x"}, {"text": "y"}]}}]
    options = {"columns": {"text": "solutions.all.text"}, "explode": ("solutions.all",), "keep": ("text",)}
    assert kept(rows, "text", **options) == ["x", "y"]


def test_a_list_in_every_row_is_an_error_that_names_explode_and_one_of_one_is_its_element():
    columns = {"text": "generations"}
    rows = [{"question": "a", "generations": ["x"]}, {"question": "b", "generations": ["y", "z"]}]
    with pytest.raises(
        ConfigError, match=r"here\.columns\.text: 'generations' is a list .*explode: \[generations\]"
    ):
        tables(rows, columns=columns, keep=("text",))
    assert kept(rows[:1], "text", columns=columns, keep=("text",)) == ["x"]
    table, ledger = tables(
        [*rows, {"question": "c", "generations": "plain"}], columns=columns, keep=("text",)
    )
    assert table["text"].to_list() == ["x", "plain"]
    assert "`explode`" in ledger["detail"][0]


# -- conversations -------------------------------------------------------------------------------------------------

SHAREGPT = {
    "conversations": [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": "Hello"},
        {"from": "gpt", "value": "<think>\nhm\n</think>\nHi!"},
        {"from": "human", "value": "2+2?"},
        {"from": "gpt", "value": THOUGHT},
    ]
}


@pytest.mark.parametrize("system", System)
def test_a_conversation_is_its_last_question_with_what_went_before(system: System):
    ((question, text, payload),) = kept(
        [SHAREGPT], "question", "text", "payload", messages="conversations", system=system, keep=("text",)
    )
    assert (question, text) == ("2+2?", THOUGHT)
    before = {"history": [["user", "Hello"], ["assistant", "Hi!"]]}
    assert json.loads(payload) == before | ({"system": "Be brief."} if system is System.KEEP else {})


def test_a_conversation_of_openai_has_its_thought_in_a_field():
    turns = [
        {
            "role": "developer",
            "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief."}],
        },
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "4", "reasoning_content": "add them", "tool_calls": None},
    ]
    row = kept([{"m": turns}], "text", "payload", messages="m", keep=("text",))
    assert row == [(THOUGHT, '{"system": "Be\\nbrief."}')]


def test_a_conversation_without_an_answer_is_a_problem_and_no_trace():
    rows = [{"m": [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]}]
    assert kept(rows, "question", messages="m") == ["a"]
    assert tables(rows, messages="m", keep=("text",))[1]["reason"].to_list() == ["no_text"]


def test_a_prompt_as_turns_goes_with_a_response_from_elsewhere():
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}]
    parts = {"messages": "m", "columns": {"reasoning": "why", "answer": "what", "gold": "g"}}
    row = {"m": turns, "why": "add them", "what": "4", "g": 4}
    assert kept([row], "question", "text", "gold", **parts, keep=("text",)) == [("2+2?", THOUGHT, "4")]
    whole = {"messages": "m", "columns": {"text": "r"}, "keep": ("text", "answer")}
    assert kept([{"m": turns, "r": THOUGHT}], "text", "answer", **whole) == [(THOUGHT, "4")]
    said = [*turns, {"role": "assistant", "content": THOUGHT}]
    assert kept([{"m": said, "r": THOUGHT}], "text", **whole) == [THOUGHT]
    assert "another one stands beside it" in reason({"m": said, "r": "5"}, **whole)[1]


def test_a_transcript_is_a_conversation():
    text = "\n\nHuman: Hello\n\nAssistant: Hi!\nHow are you?\n\nHuman: 2+2?\n\nAssistant: 4"
    row = kept([{"t": text}], "question", "text", "payload", messages="t", keep=("text",))
    before = {"history": [["user", "Hello"], ["assistant", "Hi!\nHow are you?"]]}
    assert row == [("2+2?", "4", json.dumps(before))]


def test_columns_that_are_siblings_are_generations_of_one_row():
    rows = [{"question": "a", "r_1": "x", "r_2": "y", "r_3": None}, {"question": "b", "r_1": "z", "r_2": "w"}]
    siblings = {"each": ("r_1", "r_2", "r_3")}
    options: dict[str, Any] = {"columns": {"text": "each"}, "explode": ("each",), "keep": ("text",)}
    table, ledger = tables(rows, siblings=siblings, **options)
    assert table.select("question", "text").rows() == [("a", "x"), ("a", "y"), ("b", "z"), ("b", "w")]
    assert ledger["key"].to_list() == ["1[2]", "2[2]"]
    with pytest.raises(ConfigError, match=r"explode: 'each' is a column already"):
        tables([{"each": 1, **row} for row in rows], siblings=siblings, **options)
    with pytest.raises(ConfigError, match=r"here\.explode \(r_3\): there is no column 'r_3'"):
        tables(rows[1:], siblings=siblings, **options)


def test_a_path_goes_into_json_text():
    rows = [
        {"question": "a", "info": '{"truth": {"value": 4}}'},
        {"question": "b", "info": {"truth": {"value": 5}}},
        {"question": "c", "info": "{no JSON"},
        {"question": "d", "info": None},
    ]
    assert kept(rows, "gold", columns={"gold": "info.truth.value"}) == ["4", "5", "", ""]
    with pytest.raises(ConfigError, match=r"there is no column 'info\.other'"):
        tables(rows[:2], columns={"gold": "info.other"})


def test_a_payload_that_brings_earlier_turns_of_its_own_is_malformed():
    row = SHAREGPT | {"payload": {"system": "Be long."}}
    assert reason(row, messages="conversations")[0] == "malformed"
    assert kept([row | {"payload": {"tests": [1]}}], "payload", messages="conversations")[0].startswith(
        '{"tests": [1]'
    )


# -- questions, golds, verdicts, own names -------------------------------------------------------------------------


def test_an_instruction_and_its_input_are_one_question():
    rows = [
        {"instruction": "Compute.", "input": "1+1", "output": "2"},
        {"instruction": "Say hi.", "input": "", "output": "hi"},
        {"instruction": "Wave.", "output": "."},
    ]
    columns = {"question": ["instruction", "input"], "gold": "output"}
    assert kept(rows, "question", columns=columns) == ["Compute.\n\n1+1", "Say hi.", "Wave."]


def test_a_mapped_column_is_never_read_a_second_time_as_ours():
    rows = [{"problem": "a", "answer": "42", "generation": "<think>\nhm\n</think>\n41"}]
    columns = {"question": "problem", "gold": "answer", "text": "generation"}
    row = kept(rows, "gold", "text", "answer", columns=columns, keep=("text", "answer"))
    assert row == [("42", "<think>\nhm\n</think>\n41", "41")]
    with pytest.raises(ConfigError, match=r"keep\.text: there is no column 'text'"):
        tables(rows, columns={"question": "problem", "gold": "answer"}, keep=("text", "answer"))
    assert kept([{"q": "a", "source": "b"}], "question", "source", columns={"question": "source"}) == [
        ("b", "")
    ]
    with pytest.raises(ConfigError, match=r"here\.keep\.score: their 'score' is read as another column"):
        RowMap("here", columns={"gold": "score"}, keep=("score",))


def test_a_missing_response_is_in_the_ledger_and_never_invented():
    columns = {"question": "problem", "gold": "answer", "text": "generation"}
    for missing in ({"generation": None}, {}, {"generation": "\u200b \ufeff"}, {"generation": []}):
        for thinking in ("on", "off"):
            row = {"problem": "a", "answer": "42", "thinking": thinking, **missing}
            assert reason(row, columns=columns, keep=("text",))[0] == "no_text"
    parts = {"columns": {"reasoning": "why", "answer": "what"}, "keep": ("text", "reasoning")}
    assert reason({"question": "a", "why": None, "what": None}, **parts)[0] == "no_text"
    row = RowMap("here", **parts).row({"question": "a", "why": None, "what": "so"})
    assert isinstance(row, dict)
    assert (row["text"], row["reasoning"]) == ("so", None)


def test_an_answer_by_its_own_name_is_read_only_where_there_is_no_text():
    assert kept([{"question": "a", "answer": "b"}], "answer", keep=("answer",)) == ["b"]
    assert kept([{"question": "a", "answer": "gold", "text": THOUGHT}], "answer", keep=("answer",)) == ["4"]


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (True, "correct"),
        (False, "wrong"),
        (1, "correct"),
        (0.0, "wrong"),
        ("Correct", "correct"),
        ("incorrect", "wrong"),
        ("wrong", "wrong"),
        ("no_answer", "no_answer"),
        (None, None),
        (float("nan"), None),
        ("", None),
    ],
)
def test_their_verdict_is_one_of_ours(given: Any, outcome: str | None):
    rows = [{"question": "a", "ok": given}, {"question": "b", "ok": True}]
    assert kept(rows, "outcome", columns={"outcome": "ok"}, keep=("outcome",))[0] == outcome
    assert outcome in (None, *Outcome)


@pytest.mark.parametrize(
    ("column", "given"),
    [
        ("outcome", "maybe"),
        ("outcome", 2),
        ("accepted", "so so"),
        ("score", 1.5),
        ("attempts", -1),
        ("pass_rate", "x"),
        ("completion_tokens", 1.5),
        ("completion_tokens", 2**31),
        ("finish", ["a", "b"]),
    ],
)
def test_a_value_that_does_not_fit_its_column_is_malformed_with_column_and_value(column: str, given: Any):
    why, detail = reason({"question": "a", "theirs": given}, columns={column: "theirs"}, keep=(column,))
    assert why == "malformed"
    assert detail.startswith("column 'theirs' ")
    assert str(given)[:3] in detail


def test_a_list_of_one_is_its_element_and_one_of_several_names_explode_in_every_column_of_ours():
    for column, value in (
        ("outcome", True),
        ("accepted", False),
        ("score", 0.5),
        ("finish", "stop"),
        ("thinking", "on"),
    ):
        options: dict[str, Any] = (
            {"columns": {column: column}} if column == "thinking" else {"keep": (column,)}
        )
        assert kept([{"question": "a", column: [value]}], column, **options) == [
            "correct" if column == "outcome" else value
        ]
        assert "`explode`" in reason({"question": "a", column: [value, value]}, **options)[1]


def test_numbers_of_ours_are_numbers_whatever_wrote_them():
    row = {"question": "a", "accepted": "true", "score": "0.5", "attempts": 4.0, "completion_tokens": "345"}
    names = ("accepted", "score", "attempts", "completion_tokens")
    assert kept([row], *names, keep=names) == [(True, 0.5, 4, 345)]


# -- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "gold"),
    [
        ("4", "4"),
        (4.0, "4.0"),
        (10**30, str(10**30)),
        (True, "true"),
        (["4"], "4"),
        ([4], "4"),
        ([], ""),
        (None, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        ({"role": "assistant", "content": "4"}, "4"),
        ([{"type": "text", "text": "4"}], "4"),
    ],
)
def test_a_gold_says_what_it_says(given: Any, gold: str):
    assert kept([{"question": "a", "gold": given}], "gold") == [gold]


@pytest.mark.parametrize(
    "given",
    [
        ["a", "b"],
        [["a"]],
        [{"a": 1}, {"b": 1}],
        [{"role": "user", "content": "a"}] * 2,
        {"a": 1},
        {"role": "user"},
        b"4",
        {"type": "image_url"},
    ],
)
def test_a_gold_that_is_no_text_is_malformed_and_never_json(given: Any):
    why, detail = reason({"question": "a", "gold": given})
    assert why == "malformed"
    assert detail.startswith("column 'gold' ")


@pytest.mark.parametrize("given", ["", " \n", "\u200b", "\ufeff\u2060", None, [], float("nan")])
def test_a_question_that_nobody_sees_is_none(given: Any):
    assert reason({"question": given})[0] == "no_question"


def test_who_says_a_message_must_be_who_is_meant():
    question, answer = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
    options = {"columns": {"question": "q", "text": "a"}, "keep": ("text",)}
    assert kept([{"q": question, "a": answer}], "question", "text", **options) == [("q", "a")]
    assert reason({"q": answer, "a": answer}, **options)[0] == "malformed"
    assert reason({"q": question, "a": question}, **options)[0] == "malformed"


def test_half_a_pair_and_a_nul_are_refused_wherever_a_text_stands():
    for bad in ("half \ud83d", "2\x003"):
        for row in (
            {"question": bad},
            {"question": "a", "gold": bad},
            {"question": "a", "payload": {"tests": [bad]}},
            {"question": "a", "payload": json.dumps({"tests": [bad]})},
            {"question": "a", "more": bad},
            {"question": "a", "text": [{"type": "text", "text": bad}]},
        ):
            why, detail = reason({"more": None, "text": "x", **row}, keep=("text", "more"))
            assert why == "malformed"
            detail.encode()


@pytest.mark.parametrize(
    ("given", "tag"),
    [
        ("English", "en"),
        ("EN", "en"),
        ("en-US", "en"),
        ("Chinese", "zh"),
        ("zh_CN", "zh"),
        ("中文", "zh"),
        ("zho", "zh"),
        ("Deutsch", "de"),
        ("Tlh", "tlh"),
        (" ", ""),
        (None, ""),
        (["fr"], "fr"),
    ],
)
def test_a_language_is_known_by_its_names(given: Any, tag: str):
    assert kept([{"question": "a", "language": given}], "language") == [tag]


def test_a_language_that_is_none_is_malformed():
    why, detail = reason({"question": "a", "language": "python"}, columns={"language": "language"})
    assert why == "malformed"
    assert detail.startswith("column 'language' is 'python', which is no language; a tag such as en or zh is")


@pytest.mark.parametrize(
    ("given", "thinking"), [(True, "on"), (False, "off"), ("ON", "on"), ("", ""), (None, "on")]
)
def test_thinking_is_on_or_off(given: Any, thinking: str):
    mapped = {"columns": {"thinking": "thinking"}}
    assert kept([{"question": "a", "thinking": given}], "thinking", **mapped) == [thinking]
    if given is not None:
        assert kept([{"question": "a"}], "thinking", constants={"thinking": given}) == [thinking]


@pytest.mark.parametrize(
    ("column", "theirs", "ours"),
    [
        ("payload", ["zzz", "[1]", 3, True, [1, 2], '{"a": '], {"tests": [1]}),
        ("language", ["klingon", "python", 3.5, {"a": 1}, ["en", "zh"]], "en"),
        ("thinking", ["false", "true", False, True, 0, 1, "hm, let me think", ["on", "off"]], "off"),
        ("checker", ["blah", "Math Verify", 1, True, {"a": 1}], "math"),
        ("source", [["a", "b"], {"url": "x"}, True], "web"),
        ("domain", [["a", "b"], {"url": "x"}, True], "algebra"),
    ],
)  # fmt: skip
def test_an_unmapped_column_of_our_name_is_ours_only_where_it_holds_what_ours_does(
    column: str, theirs: list[Any], ours: Any
):
    rows = [{"question": str(n), column: value} for n, value in enumerate([*theirs, ours, None])]
    (output,) = shards(((str(n), row) for n, row in enumerate(rows)), RowMap("here"), shard_rows=99)
    assert output.dropped.is_empty(), output.dropped.rows()
    (plain,) = kept([{"question": "a"}], column)
    told = json.dumps(ours) if column == "payload" else ours
    assert output.kept[column].to_list() == [*(plain for _ in theirs), told, plain]
    assert output.metrics == {"not_taken": len(theirs)}


# -- anything ------------------------------------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats()
    | st.text(st.characters(codec=None) | st.sampled_from("\x00\ud83d\u200b"), max_size=6)
    | st.sampled_from(["<think>", "</think>x", "<thought>a</thought>b", "true", "{}", "user", "assistant"])
)
TALK = ("role", "from", "content", "value", "type", "tool_calls", "history", "system")
NAMES = st.sampled_from(
    [*PROBLEM, *("text", "answer", "reasoning", "trace_id", "outcome", "score", "n", "m", "a", "b"), *TALK]
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)
OPTIONS: list[dict[str, Any]] = [
    {"keep": ("text", "trace_id", "reasoning", "answer", "outcome", "score", "n", "m")},
    {
        "keep": ("n", "m"),
        "types": {"n": Kind.INT, "m": Kind.JSON},
        "columns": {"question": ["question", "a.b"]},
    },
    {
        "messages": "m",
        "keep": ("text", "n"),
        "types": {"n": pl.List(pl.Struct({"a": pl.Int8, "b": pl.Float32}))},
    },
    {"messages": "m", "system": System.DROP, "columns": {"payload": {"tests": "a.b"}}},
    {"explode": ("a", "b"), "keep": ("text", "sample", "n"), "columns": {"text": "a", "n": "b"}},
    {"columns": {"reasoning": "a", "answer": "b"}, "keep": ("text", "n"), "types": {"n": Kind.BOOL}},
    {"keep": ("n",), "types": {"n": pl.Datetime("us")}, "gold_pattern": "(.)"},
    {"keep": ("text",), "thought_tags": ("<a>", "</a>", "<b>", "</b>"), "constants": {"thinking": "off"}},
]


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(NAMES, JUNK, max_size=8), st.sampled_from(OPTIONS))
def test_any_row_ends_as_rows_that_fit_or_as_ledger_entries(row: dict[str, Any], options: dict[str, Any]):
    row_map = RowMap("here", **options)
    for key, found in row_map.rows("1", row):
        if isinstance(found, Fault):
            ledger = pl.DataFrame(
                [{"key": key, "reason": found.reason, "detail": found.detail}], schema=LEDGER
            )
            assert ledger["reason"][0] in ("malformed", "no_question", "no_text")
        else:
            table = pl.DataFrame([found], schema=row_map.writes)
            assert table.to_dicts()[0].keys() == found.keys()
            assert "\x00" not in str(found["question"])
