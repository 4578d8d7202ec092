"""What holds for every judge."""

from __future__ import annotations

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.stages import STAGES, stage_class

JUDGES = [stage_class(use) for use in STAGES if use.startswith("judge.")]
VOTING = [use for use in STAGES if use.startswith("judge.") and hasattr(stage_class(use), "orders")]
ROW = {
    "problem_id": "p",
    "question": "How do you say it?",
    "gold": "closed",
    "outcome": "wrong",
    "thinking": "",
    "payload": '{"original": "It is closed.", "original_language": "English"}',
    "reasoning": "Hm.",
    "accepted": True,
}
TABLE = pl.DataFrame([{**ROW, "trace_id": text, "answer": text, "text": text} for text in ("Zu.", "Fermé.")])


@pytest.mark.parametrize("judge", JUDGES)
def test_a_judge_needs_no_column_but_those_that_it_looks_at(judge_of, judge):
    stage = build(judge, {"engine": "judge"}, where="here")
    looked_at = {stage.key, *stage.reads, *stage.also_reads}
    whole, asked = judge_of(judge, "?", TABLE)
    part, asked_of_part = judge_of(
        judge, "?", TABLE.select(name for name in TABLE.columns if name in looked_at)
    )
    assert asked.calls
    assert asked.calls == asked_of_part.calls
    assert whole.metrics == part.metrics
    assert whole.dropped.equals(part.dropped)
    assert whole.kept.select(list(stage.writes)).equals(part.kept.select(list(stage.writes)))


@pytest.mark.parametrize("use", VOTING)
def test_votes_without_chance_are_refused_by_the_name_of_the_stage(use):
    cold = {"engine": "judge", "votes": 9, "sampling": {"temperature": 0.0}}
    with pytest.raises(ConfigError, match=f"{use}: votes is 9 at temperature 0"):
        build(stage_class(use), cold, where="here")
