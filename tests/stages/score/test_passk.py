from __future__ import annotations

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import DistilleryError
from distillery.stages.score.passk import ScorePassK


def sample(problem: str, number: int, outcome: str, **more: object) -> dict:
    scores = {"correct": 1.0, "wrong": 0.0, "no_answer": 0.0}
    return {
        "problem_id": problem,
        "trace_id": f"{problem}-{number}",
        "outcome": outcome,
        "score": scores.get(outcome),
        "source": "bench",
        **more,
    }


FOUR = [
    *(sample("a", number, outcome) for number, outcome in enumerate(["correct"] * 4)),
    *(
        sample("b", number, outcome)
        for number, outcome in enumerate(["correct", "wrong", "no_answer", "wrong"])
    ),
]


def score(rows: list[dict], *, parts: int = 1, **options: object):
    stage = build(ScorePassK, options, where="stages.score")
    table = pl.DataFrame(rows, infer_schema_length=None)
    size = -(-table.height // parts)
    sketches = [stage.sketch(table[begin : begin + size], None) for begin in range(0, table.height, size)]
    return stage.decide(pl.concat(sketches), None)


def metric(decision, name: str, bench: str = "bench") -> dict | None:
    found = [row for row in decision.metrics if (row["bench"], row["metric"]) == (bench, name)]
    return found[0] if found else None


def test_pass_at_1_is_the_mean_over_problems_with_an_error_bar_over_problems():
    row = metric(score(FOUR), "pass@1")
    assert row == {
        "model": "",
        "bench": "bench",
        "metric": "pass@1",
        "value": pytest.approx(0.625),
        "stderr": pytest.approx(0.375),  # std of (1, 0.25) / sqrt(2)
        "problems": 2,
        "samples": 8,
    }


def test_pass_at_k_is_the_unbiased_estimator():
    assert metric(score(FOUR), "pass@4")["value"] == 1.0
    assert metric(score(FOUR, k=[2]), "pass@2")["value"] == pytest.approx((1 + 0.5) / 2)


def test_pass_at_k_leaves_out_problems_with_fewer_samples():
    rows = [*FOUR, sample("c", 0, "wrong")]
    assert metric(score(rows), "pass@4")["problems"] == 2
    assert metric(score(rows), "pass@1")["problems"] == 3
    assert metric(score(FOUR, k=[1, 8]), "pass@8") is None


def test_what_was_not_judged_is_counted_apart_and_is_not_a_zero():
    rows = [sample("a", 0, "correct"), sample("a", 1, "timeout"), sample("b", 0, "no_gold")]
    decision = score(rows, k=[1])
    assert metric(decision, "pass@1")["value"] == 1.0
    assert metric(decision, "pass@1")["problems"] == 1
    assert metric(decision, "unjudged")["value"] == pytest.approx(0.75)
    assert decision.facts == {"unjudged": 2, "samples": 3}


def test_nothing_is_dropped_and_each_row_gets_its_problems_pass_rate():
    decision = score(FOUR)
    assert decision.dropped.is_empty()
    assert dict(decision.added.select("trace_id", "pass_rate").iter_rows())["b-2"] == 0.25
    assert set(decision.added["attempts"]) == {4}


def test_each_source_is_a_bench_unless_one_is_named():
    rows = [sample("a", 0, "correct"), sample("b", 0, "wrong", source="other")]
    assert [row["bench"] for row in score(rows).metrics if row["metric"] == "pass@1"] == ["bench", "other"]
    assert metric(score(rows, bench="all"), "pass@1", "all")["value"] == 0.5


def test_a_missing_sample_is_an_error_where_the_count_is_given():
    with pytest.raises(DistilleryError, match=r"1 of 2 problems do not have 4 samples .* has 3"):
        score(FOUR[:-1], samples=4)
    assert score(FOUR, samples=4)


def test_majority_takes_all_right_answers_as_one():
    rows = [
        sample("a", 0, "correct", extracted="1/2"),
        sample("a", 1, "correct", extracted="0.5"),
        sample("a", 2, "wrong", extracted="3"),
        sample("b", 0, "correct", extracted="7"),
        sample("b", 1, "wrong", extracted="8"),
        sample("b", 2, "wrong", extracted=" 8"),
    ]
    assert metric(score(rows, k=[1]), "majority")["value"] == 0.5


def test_layout_language_length_and_truncation_are_shares_of_all_responses():
    good = "<think>\nI add two and two and get four.\n</think>\nIt is four."
    rows = [
        sample("a", 0, "correct", text=good, language="en", finish="stop", completion_tokens=10),
        sample("a", 1, "wrong", text="It is five.", language="en", finish="length", completion_tokens=30),
    ]
    decision = score(rows, k=[1])
    assert metric(decision, "format")["value"] == 0.5
    assert metric(decision, "language")["value"] == 0.5  # without a thought it is not in the wanted language
    assert metric(decision, "length")["value"] == 20.0
    assert metric(decision, "truncated")["value"] == 0.5


def test_metrics_that_nothing_speaks_of_are_left_out():
    names = {row["metric"] for row in score(FOUR).metrics}
    assert names == {"pass@1", "pass@4", "unjudged"}


def test_results_do_not_depend_on_row_order_or_shards():
    rows = [*FOUR, sample("c", 0, "wrong"), sample("d", 0, "timeout")]
    assert score(rows).metrics == score(rows[::-1], parts=4).metrics
    assert score(rows).added.equals(score(rows[::-1], parts=4).added)
