from __future__ import annotations

import json

import polars as pl
import pytest

from distillery.engines import Failure
from distillery.stages.judge.translation import JudgeTranslation

STAGE = JudgeTranslation


def row(trace_id: str, answer: str | None, **payload: str) -> dict:
    return {"trace_id": trace_id, "answer": answer, "payload": json.dumps(payload)}


def table(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"trace_id": pl.String, "answer": pl.String, "payload": pl.String})


SHOP = row("t1", "商店六点关门。", original="The shop closes at six.", original_language="English")


def test_a_translation_that_comes_back_is_kept_with_its_score(judge):
    output, engine = judge(lambda _: "The shop shuts at six.", table(SHOP))
    assert 0.3 < output.kept["round_trip"].item() < 1
    assert "into English" in engine.calls[0].messages[-1][1]
    assert "商店六点关门。" in engine.calls[0].messages[-1][1]


def test_one_that_does_not_come_back_goes_with_its_score_and_what_came(judge):
    output, _ = judge(lambda _: "Dogs bark.", table(SHOP))
    (dropped,) = output.dropped.rows()
    assert dropped[:2] == ("t1", "bad_translation")
    assert dropped[2].startswith("chrF 0.")
    assert dropped[2].endswith("least is 0.3; it came back as 'Dogs bark.'")


def test_rows_that_are_no_translations_pass_unasked(judge):
    output, engine = judge(
        lambda _: "?", table(row("t2", "Hello."), row("t3", "Hi.", original="x"), row("t4", None))
    )
    assert engine.calls == []
    assert output.kept["round_trip"].to_list() == [None, None, None]


@pytest.mark.parametrize(
    ("reply", "answer", "reason"),
    [
        (lambda r: Failure(r.key, "refused", "no"), "商店", "no_back_translation"),
        (lambda _: "<think>\nand on it goes", "商店", "no_back_translation"),
        (lambda _: "The shop", " ", "no_answer"),
    ],
)
def test_what_cannot_be_compared_is_dropped(judge, reply, answer, reason):
    output, _ = judge(reply, table({**SHOP, "answer": answer}))
    assert output.dropped["reason"].to_list() == [reason]


def test_an_empty_table_stays_empty(judge):
    output, _ = judge(lambda _: "", table())
    assert output.kept.schema["round_trip"] == pl.Float64
