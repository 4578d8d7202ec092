from __future__ import annotations

import polars as pl

from distillery.config import build
from distillery.stages.base import Output, ShardStage
from distillery.stages.filter_quality import FilterQuality

GOOD = "<think>\nI add two and two and get four.\n</think>\nIt is \\boxed{4}."


def row(text: str, number: int = 0, **more: object) -> dict:
    return {"trace_id": f"t{number}", "question": "What is 2+2?", "text": text, "detail": "own", **more}


def run(rows: list[dict], **options: object) -> Output:
    stage = build(FilterQuality, options, where="stages.filter")
    assert isinstance(stage, ShardStage)
    return stage.apply(pl.DataFrame(rows, infer_schema_length=None), None)


def test_good_rows_stay_with_all_their_columns_and_bad_ones_go_with_the_reason():
    output = run([row(GOOD), row("It is 4.", 1)])
    assert output.kept["trace_id"].to_list() == ["t0"]
    assert output.kept["detail"].to_list() == ["own"]
    assert output.dropped.rows() == [("t1", "no_thought", "no thought")]


def test_the_first_fault_is_the_reason_and_the_others_are_named():
    text = "<think>\nso it is 四 of them all\n</think>\nI'm sorry, but I can't help. \\boxed{4} \\boxed{5}"
    output = run([row(text, language="en")])
    assert output.dropped["reason"].to_list() == ["several_answers"]
    assert output.dropped["detail"][0].endswith("(also mixed_language, refusal)")


def test_a_row_that_ended_at_the_limit_is_truncated_whatever_else_it_is():
    assert run([row(GOOD, finish="length")]).dropped["reason"].to_list() == ["truncated"]


def test_the_option_language_goes_before_the_rows():
    text = "<think>\n二加二等于四，所以答案是四。\n</think>\n4"
    assert run([row(text, language="zh")]).dropped.is_empty()
    assert run([row(text, language="zh")], language="en").dropped["reason"].to_list() == ["mixed_language"]
    assert run([row(text)]).dropped.is_empty()


def test_rows_without_thinking_must_have_the_empty_block():
    empty, bare, thought = "<think>\n\n</think>\nHi!", "Hi!", "<think>\nA greeting.\n</think>\nHi!"
    rows = [row(text, number, thinking="off") for number, text in enumerate((empty, bare, thought))]
    assert dict(run(rows).dropped.select("key", "reason").iter_rows()) == {
        "t1": "no_thought",
        "t2": "unwanted_thought",
    }


def test_a_refusal_may_stand_where_it_can_be_right():
    text = "<think>\nThis would hurt people.\n</think>\nI'm sorry, but I can't help with that."
    assert run([row(text, domain="safety")]).dropped.is_empty()
    assert run([row(text, domain="general")]).dropped["reason"].to_list() == ["refusal"]
    assert run([row(text, domain="general")], skip=["refusal"]).dropped.is_empty()


def test_limits_are_options():
    assert run([row(GOOD)], limits={"min_thought_characters": 100}).dropped["reason"].to_list() == [
        "too_short"
    ]
    own = "<think>\nThey ask my name.\n</think>\nI am Qwen, made by Alibaba."
    assert run([row(own)]).dropped["reason"].to_list() == ["other_maker"]
    assert run([row(own)], limits={"own_names": ["Qwen", "Alibaba"]}).dropped.is_empty()


def test_null_texts_and_empty_tables_are_rows_like_any_other():
    rows = pl.DataFrame([row(GOOD)]).with_columns(text=pl.lit(None, pl.String))
    assert FilterQuality().apply(rows, None).dropped["reason"].to_list() == ["no_thought"]
    assert FilterQuality().apply(rows.clear(), None).kept.is_empty()
