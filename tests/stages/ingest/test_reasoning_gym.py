from __future__ import annotations

import json
import sys

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.records import PROBLEM
from distillery.stages.base import Uses
from distillery.stages.ingest.reasoning_gym import IngestReasoningGym


def table(**options: object) -> pl.DataFrame:
    stage = build(IngestReasoningGym, {"task": "leg_counting", "size": 5, **options}, where="stages.ingest")
    return pl.concat([output.kept for output in stage.shards(None)])


@pytest.mark.slow
def test_each_puzzle_carries_what_its_scorer_needs():
    puzzles = table(shard_rows=2)
    assert puzzles.schema == pl.Schema(PROBLEM)
    row = puzzles.row(0, named=True)
    payload = json.loads(row["payload"])
    assert payload["task"] == "leg_counting"
    assert payload["entry"]["answer"] == row["gold"]
    assert (row["checker"], row["domain"], row["source"]) == ("puzzle", "logic", "reasoning_gym.leg_counting")


def test_equal_seeds_give_equal_puzzles_and_others_give_others():
    assert table(seed=3).equals(table(seed=3))
    assert not table(seed=3).equals(table(seed=4))


def test_the_tasks_own_options_reach_it():
    puzzles = table(options={"min_animals": 1, "max_animals": 1})
    entries = [json.loads(payload)["entry"] for payload in puzzles["payload"]]
    assert {entry["metadata"]["num_animals"] for entry in entries} == {1}


def test_unknown_tasks_and_options_are_config_errors():
    with pytest.raises(ConfigError, match="unknown task 'leg_countin'"):
        table(task="leg_countin")
    with pytest.raises(ConfigError, match=r"ingest\.reasoning_gym\.options"):
        table(options={"legs": 3})


def test_the_stamp_is_the_generators_version():
    stage = IngestReasoningGym(task="leg_counting", size=1)
    assert set(stage.stamp()) == {"reasoning-gym"}
    assert stage.uses() == Uses()


def test_without_the_library_its_extra_is_named_at_plan_time(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(ConfigError, match=r"pip install 'distillery\[puzzles\]'"):
        IngestReasoningGym(task="leg_counting", size=1).stamp()
