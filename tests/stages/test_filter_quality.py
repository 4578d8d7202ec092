from __future__ import annotations

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.stages.base import Output, ShardStage
from distillery.stages.filter_quality import FilterQuality

GOOD = "<think>\nI add two and two and get four.\n</think>\nIt is \\boxed{4}."


def row(text: str, number: int = 0, **more: object) -> dict:
    return {"trace_id": f"t{number}", "question": "What is 2+2?", "text": text, "detail": "own", **more}


class Listening:
    """A context that remembers its alarms."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def alarm(self, text: str) -> None:
        self.heard.append(text)


def run(rows: list[dict], ctx: Listening | None = None, **options: object) -> Output:
    stage = build(FilterQuality, options, where="stages.filter")
    assert isinstance(stage, ShardStage)
    return stage.apply(pl.DataFrame(rows, infer_schema_length=None), ctx or Listening())


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


MIXED = "<think>\nI add two and two, 所以 I get four, and that is all.\n</think>\nIt is four."


def test_a_table_without_a_language_is_held_to_that_of_its_questions():
    asked = "What is the sum of the two numbers that we have?"
    assert run([row(MIXED, question=asked)]).dropped["reason"].to_list() == ["mixed_language"]
    for said in ("", None):
        rows = [row(MIXED, question=asked, language=said), row(GOOD, 1, question=asked, language="en")]
        assert run(rows).dropped["reason"].to_list() == ["mixed_language"]
    assert run([row(MIXED, question="")]).dropped["reason"].to_list() == ["mixed_language"]
    assert run([row(MIXED, question="$2 + 2$")]).dropped["reason"].to_list() == ["mixed_language"]


def test_an_answer_in_another_language_than_its_question_is_dropped():
    asked = "What is the sum of the two numbers that we have?"
    german = "<think>\nIch addiere die beiden Zahlen, und das Ergebnis ist dann vier, wie man sieht.\n</think>\nEs ist vier."
    other = (
        "<think>\nI add two and two, and that is all that we have.\n</think>\n答案是四，因为二加二等于四。"
    )
    assert run([row(german, question=asked)]).dropped["reason"].to_list() == ["mixed_language"]
    assert run([row(other, question=asked)]).dropped["detail"].to_list()[0].startswith("the answer: ")
    zh = "<think>\nI add two and two, and that is all that we have.\n</think>\n答案是四。"
    assert run([row(zh, question="二加二等于几？")], language="en").dropped.is_empty()


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("German", "Das Wetter ist heute sehr schön und wir gehen mit den Kindern in den Park."),
        ("Chinese", "今天天气很好，我们和孩子们一起去公园。"),
    ],
)
def test_an_answer_may_be_in_a_language_that_its_question_names(language: str, answer: str):
    text = f"<think>\nI put the sentence about the weather and the children into the other words.\n</think>\n{answer}"
    asked = "Translate into {}: The weather is nice today and we are going to the park with the children."
    assert run([row(text, question=asked.format(language))]).dropped.is_empty()
    assert run([row(text, question=asked.format("Polish"))]).dropped["reason"].to_list() == ["mixed_language"]


def test_rows_whose_language_nothing_tells_are_counted_and_said():
    ctx = Listening()
    rows = [
        row("<think>\n二加二等于四，所以答案是四。\n</think>\n4", question="Sum 2+2"),
        row(GOOD, 1, language="en"),
    ]
    output = run(rows, ctx)
    assert output.metrics == {"untold_language": 1.0}
    (heard,) = ctx.heard
    assert heard.startswith(
        "language: 1 of 2 rows could not be told, by column, question or thought; not checked"
    )
    assert run(rows, ctx, skip=["mixed_language"]).metrics == {}
    assert len(ctx.heard) == 1
    assert run([row("<think>\n2 + 2 = 4, 4 = 2 + 2\n</think>\n4", question="2+2")], ctx).metrics == {}


def test_a_language_that_is_none_is_a_mistake_in_the_pipeline():
    with pytest.raises(ConfigError, match="language is 'english'; it is a code such as en, zh or de"):
        build(FilterQuality, {"language": "english"}, where="stages.filter")
