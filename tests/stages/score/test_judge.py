from __future__ import annotations

import json

import polars as pl

from distillery.stages.score.judge import ScoreJudge, Trial

TABLE = pl.DataFrame(
    {
        "trace_id": list("abcdef"),
        "label": ["correct", "true", "incorrect", "false", "correct", None],
        "judge_verdict": ["correct", "incorrect", "incorrect", "unclear", None, "correct"],
        "text": ["long"] * 6,
    }
)


def score(table, **options):
    stage = ScoreJudge(**options)
    sketch = stage.sketch(table, None)
    assert not {"text", "answer", "said"} & set(sketch.columns)
    decision = stage.decide(sketch, None)
    assert decision.dropped.is_empty()
    return decision.metrics


def values(metrics, model="judge"):
    return {
        row["metric"]: row["value"] for row in metrics if row["model"] == model and row["value"] is not None
    }


def test_the_judge_is_scored_against_known_labels_and_what_it_was_not_asked_does_not_count():
    metrics = score(TABLE, model="small")
    assert values(metrics, "small") == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": 2 / 3,
        "accuracy": 0.75,
        "kappa": 0.5,
        "unclear": 0.25,
    }
    assert {(row["model"], row["bench"], row["problems"]) for row in metrics} == {("small", "judge", 4)}
    assert next(row["samples"] for row in metrics if row["metric"] == "recall") == 2


def test_attacks_count_for_their_success_alone():
    attacks = pl.DataFrame(
        {
            "trace_id": ["x", "y"],
            "label": ["incorrect"] * 2,
            "judge_verdict": ["correct", "unclear"],
            "text": [""] * 2,
            "source": ["attack"] * 2,
        }
    )
    table = pl.concat([TABLE.with_columns(source=pl.lit("labelled")), attacks])
    found = values(score(table))
    assert found.pop("attack_success") == 0.5
    assert found == values(score(TABLE))


def test_tokens_lengths_and_the_rules_are_scored_where_the_rows_have_them():
    table = TABLE.with_columns(
        pl.Series("judge_tokens", [10, 20, 30, 40, None, 9]),
        pl.Series("answer", ["a", "ab", "a", "ab", "", ""]),
        pl.Series("outcome", ["correct", "correct", "wrong", None, "correct", "wrong"]),
    )
    metrics = score(table)
    assert values(metrics)["tokens"] == 25
    assert values(metrics)["right_short"] == 1.0
    rules = values(metrics, "judge: the rules alone")
    assert (rules["precision"], rules["recall"], rules["accuracy"]) == (1.0, 1.0, 1.0)
    assert "tokens" not in rules


def pair(trace, other, *votes):
    votes = [{"against": other, "first": first, "score": value, "said": "s"} for first, value in votes]
    return {"trace_id": trace, "pair_votes": json.dumps(votes), "pair_tokens": 10 * len(votes)}


def test_pairs_are_scored_once_each_with_their_labels():
    rows = [
        pair("a", "b", (True, 2), (False, 1)),
        pair("b", "a", (False, -2), (True, -1)),
        pair("c", "d", (True, 1), (False, -2)),
        pair("d", "c", (False, -1), (True, 2)),
        {"trace_id": "e", "pair_votes": None, "pair_tokens": None},
    ]
    table = pl.DataFrame(rows).with_columns(
        pl.Series("label", ["correct", "wrong", "correct", "wrong", None])
    )
    found = score(table, of=Trial.PAIRS)
    assert values(found) == {
        "pair_flips": 0.5,
        "pair_first_wins": 0.75,
        "pair_unclear": 0.0,
        "pair_accuracy": 0.5,
        "pair_tokens": 10.0,
    }
    assert "pair_accuracy" not in values(score(table.drop("label"), of=Trial.PAIRS))


def best(problem, trace, chosen, *votes):
    votes = [{"place": place, "of": 2, "chosen": hit, "said": "s"} for place, hit in votes]
    return {
        "problem_id": problem,
        "trace_id": trace,
        "chosen": chosen,
        "best_votes": json.dumps(votes),
        "best_tokens": 30,
    }


def test_the_best_is_scored_over_problems_that_have_right_and_wrong_answers():
    rows = [
        best("p", "a", True, (1, True), (2, True), (1, None)),
        best("p", "b", False, (2, False), (1, False), (2, None)),
        best("q", "c", True, (1, True)),
        best("q", "d", False, (2, False)),
    ]
    table = pl.DataFrame(rows).with_columns(
        pl.Series("label", ["correct", "incorrect", "incorrect", "incorrect"])
    )
    found = values(score(table, of=Trial.BEST))
    assert found["best_accuracy"] == 1.0
    assert found["best_first_wins"] == 2 / 3
    assert found["best_first_by_chance"] == 0.5
    assert found["best_unclear"] == 0.25
    assert found["best_tokens"] == 15.0


def test_it_reads_what_the_judge_wrote():
    assert ScoreJudge().reads == ("trace_id", "label", "judge_verdict")
    assert "pair_votes" in ScoreJudge(of=Trial.PAIRS).reads
    assert "best_votes" in ScoreJudge(of=Trial.BEST).reads
    assert score(TABLE.clear())[0]["value"] is None
