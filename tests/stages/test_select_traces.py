from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.records import LEDGER
from distillery.stages.base import Decision, TableStage
from distillery.stages.select_traces import SelectTraces


@dataclass(frozen=True)
class Seeded:
    seed: int = 7


def trace(
    problem: str, number: int, outcome: str | None = "correct", tokens: int = 10, **more: object
) -> dict:
    return {
        "problem_id": problem,
        "trace_id": f"{problem}-{number}",
        "outcome": outcome,
        "completion_tokens": tokens,
        **more,
    }


def decide(rows: list[dict], *, seed: int = 7, parts: int = 1, **options: object) -> Decision:
    stage = build(SelectTraces, options, where="stages.select")
    table = pl.DataFrame(rows, infer_schema_length=None)
    size = -(-table.height // parts)
    ctx = Seeded(seed)
    sketches = [stage.sketch(table[begin : begin + size], ctx) for begin in range(0, table.height, size)]
    decision = stage.decide(pl.concat(sketches), ctx)
    assert dict(decision.dropped.schema) == LEDGER
    assert decision.added is not None
    assert dict(decision.added.schema) == {"trace_id": pl.String(), **stage.writes}
    return decision


def reasons(decision: Decision) -> dict[str, str]:
    return dict(decision.dropped.select("key", "reason").iter_rows())


def test_it_is_a_table_stage_with_the_ledgers_columns():
    assert isinstance(SelectTraces(), TableStage)
    decision = decide([trace("p", 0)])
    assert decision.dropped.columns == ["key", "reason", "detail"]
    assert decision.added is not None
    assert decision.added.columns == ["trace_id", *SelectTraces.writes]


@pytest.mark.parametrize("outcome", ["Correct", "right", "1.0", ""])
def test_an_outcome_that_is_none_is_refused(outcome: str):
    with pytest.raises(ConfigError, match=f"an outcome is {outcome!r}; they are correct, wrong, no_answer"):
        decide([trace("p", 0), trace("p", 1, None), trace("p", 2, outcome)])


def test_an_unaccepted_trace_goes_with_its_outcome_as_reason():
    rows = [trace("p", 0), trace("p", 1, "wrong"), trace("p", 2, "timeout"), trace("p", 3, None)]
    assert reasons(decide(rows)) == {"p-1": "wrong", "p-2": "timeout", "p-3": "not_judged"}


def test_the_shortest_stays_and_the_rest_is_enough():
    rows = [trace("p", 0, tokens=30), trace("p", 1, tokens=10), trace("p", 2, tokens=20)]
    assert reasons(decide(rows, prefer="shortest")) == {"p-0": "enough", "p-2": "enough"}
    assert reasons(decide(rows, prefer="longest", per_problem=2)) == {"p-1": "enough"}


def test_without_token_counts_length_is_told_by_the_text():
    rows = [
        {"problem_id": "p", "trace_id": "a", "outcome": "correct", "text": "long text"},
        {"problem_id": "p", "trace_id": "b", "outcome": "correct", "text": "text"},
    ]
    assert reasons(decide(rows, prefer="shortest")) == {"a": "enough"}


def test_a_random_choice_changes_with_the_seed_and_with_nothing_else():
    rows = [trace("p", number) for number in range(20)]
    first = reasons(decide(rows, seed=1))
    assert len(first) == 19
    assert reasons(decide(rows[::-1], seed=1, parts=7)) == first
    assert any(reasons(decide(rows, seed=seed)) != first for seed in (2, 3, 4))


def test_pass_rate_is_over_all_judged_samples_and_attempts_over_all():
    rows = [trace("p", 0), trace("p", 1, "wrong"), trace("p", 2, "no_answer"), trace("p", 3, "error")]
    added = decide(rows).added
    assert added is not None
    kept = added.filter(pl.col("trace_id") == "p-0").row(0, named=True)
    assert kept == {"trace_id": "p-0", "pass_rate": pytest.approx(1 / 3), "attempts": 4}


def test_a_window_on_the_pass_rate_includes_its_ends():
    rows = [trace("easy", 0), trace("easy", 1), trace("half", 0), trace("half", 1, "wrong")]
    assert reasons(decide(rows, pass_rate=[0.1, 0.5])) == {
        "easy-0": "pass_rate",
        "easy-1": "pass_rate",
        "half-1": "wrong",
    }
    assert reasons(decide(rows, pass_rate=[0.5, 1.0], per_problem=2)) == {"half-1": "wrong"}


def test_what_the_policy_refused_is_judged_incorrect_and_what_it_took_is_kept():
    rows = [
        trace("p", 0, "correct", accepted=False, judge_verdict="incorrect"),
        trace("p", 1, "wrong", accepted=True, judge_verdict="correct"),
        trace("q", 0, "no_gold", accepted=False, judge_verdict="incorrect"),
    ]
    decision = decide(rows)
    assert reasons(decision) == {"p-0": "judged_incorrect", "q-0": "no_gold"}
    assert decision.added is not None
    assert dict(decision.added.select("trace_id", "pass_rate").iter_rows()) == {
        "p-0": 0.5,
        "p-1": 0.5,
        "q-0": 0.0,
    }
    assert reasons(decide(rows, accepted="outcome")) == {"p-1": "wrong", "q-0": "no_gold"}


def test_ready_made_responses_are_taken_where_no_outcome_is_required():
    rows = [{"problem_id": "p", "trace_id": "a"}, {"problem_id": "q", "trace_id": "b"}]
    decision = decide(rows, require_outcome=False)
    assert decision.dropped.is_empty()
    assert decision.added is not None
    assert decision.added["pass_rate"].to_list() == [None, None]


def test_traces_equal_but_for_spacing_are_one():
    rows = [
        trace("p", 0, text="so  2"),
        trace("p", 1, text="so\n2"),
        trace("p", 2, text="thus 2"),
        trace("q", 0, text="so 2"),
    ]
    decision = decide(rows, distinct_text=True, per_problem=3)
    (row,) = decision.dropped.to_dicts()
    assert row["reason"] == "duplicate_text"
    assert {row["key"], row["detail"].removeprefix("same text as ")} == {"p-0", "p-1"}


def test_a_diverse_choice_prefers_the_unlike():
    like = "first add the two numbers then check the sum by taking one away again"
    rows = [trace("p", number, text=f"{like} {number}") for number in range(6)]
    rows.append(trace("p", 6, text="let me draw a picture of it and count every dot in the drawing"))
    kept = {row["trace_id"] for row in rows} - set(reasons(decide(rows, prefer="diverse", per_problem=2)))
    assert len(kept) == 2
    assert "p-6" in kept


def test_the_report_gets_the_spread_of_pass_rates():
    rows = [trace("a", 0), trace("b", 0, "wrong"), trace("c", 0), trace("c", 1, "wrong")]
    assert decide(rows).facts == {
        "problems": 3,
        "problems_kept": 2,
        "never_solved": 1,
        "always_solved": 1,
        "pass_rate_deciles": {"0.0": 1, "0.5": 1, "0.9": 1},
    }


def test_a_window_the_wrong_way_round_says_so():
    with pytest.raises(ConfigError, match=r"pass_rate is \[0.8, 0.2\]; it is \[low, high\]"):
        SelectTraces(pass_rate=(0.8, 0.2))


def test_options_say_what_columns_they_need():
    assert SelectTraces().reads == ("problem_id", "trace_id", "outcome")
    assert "text" in build(SelectTraces, {"prefer": "diverse"}, where="x").reads
    assert "accepted" in build(SelectTraces, {"accepted": "accepted"}, where="x").reads


@pytest.mark.parametrize(("prefer", "column"), [("preference", "preference"), ("chosen", "chosen_votes")])
def test_what_a_judge_of_several_prefers_is_kept(prefer, column):
    rows = [trace("p", 0, **{column: 1}), trace("p", 1, **{column: 2}), trace("p", 2, **{column: None})]
    assert reasons(decide(rows, prefer=prefer)) == {"p-0": "enough", "p-2": "enough"}
    assert column in build(SelectTraces, {"prefer": prefer}, where="x").reads
