from __future__ import annotations

import polars as pl

from distillery.stages.score_judge import ScoreJudge


def test_the_judge_is_scored_against_known_labels_and_what_it_was_not_asked_does_not_count():
    table = pl.DataFrame(
        {
            "trace_id": list("abcde"),
            "label": ["correct", "correct", "incorrect", "incorrect", "correct"],
            "judge_verdict": ["correct", "incorrect", "incorrect", "unclear", None],
            "text": ["long"] * 5,
        }
    )
    stage = ScoreJudge(model="small")
    sketch = stage.sketch(table, None)
    assert "text" not in sketch.columns
    decision = stage.decide(sketch, None)
    found = {row["metric"]: row["value"] for row in decision.metrics}
    assert found == {"precision": 1.0, "recall": 0.5, "accuracy": 0.75, "kappa": 0.5, "unclear": 0.25}
    assert {(row["model"], row["bench"], row["problems"]) for row in decision.metrics} == {
        ("small", "judge", 4)
    }
    assert decision.dropped.is_empty()
