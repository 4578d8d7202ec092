from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from distillery import shards
from distillery.errors import ConfigError, ContractError, DistilleryError
from distillery.pipeline import load_plan
from distillery.records import LEDGER, Columns, empty
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from distillery.stages.base import Decision, Output, ShardStage, Source, TableStage
from distillery.store.runs import read_run
from tests.inline import Inline


@dataclass(frozen=True)
class Count(Source):
    """Numbers as rows."""

    rows: int = 10
    shard_rows: int = 4
    version: ClassVar[int] = 1
    writes: ClassVar[Columns] = {"key": pl.String(), "n": pl.Int64()}

    def shards(self, ctx) -> Iterator[Output]:
        for start in range(0, self.rows, self.shard_rows):
            numbers = list(range(start, min(self.rows, start + self.shard_rows)))
            table = pl.DataFrame({"key": [f"k{n}" for n in numbers], "n": numbers}, schema=self.writes)
            yield Output.all_kept(table)


class Drop(StrEnum):
    ODD = "odd"
    SMALL = "small"


@dataclass(frozen=True)
class Double(ShardStage):
    """Twice the number; odd ones above `odd_above` are dropped."""

    odd_above: int = 1000
    fault: str = ""
    version: ClassVar[int] = 1
    key: ClassVar[str] = "key"
    reads: ClassVar[tuple[str, ...]] = ("n",)
    reasons: ClassVar[tuple[StrEnum, ...]] = (Drop.ODD,)
    writes: ClassVar[Columns] = {"double": pl.Int64()}
    calls: ClassVar[list[int]] = []

    def apply(self, table, ctx) -> Output:
        self.calls.append(table.height)
        if self.fault == "break" and table["n"][0] == 4:
            raise DistilleryError("double: broke at 4")
        if self.fault == "lose":
            table = table.head(1)
        ctx.progress(rows=table.height)
        odd = (pl.col("n") % 2 == 1) & (pl.col("n") > self.odd_above)
        why = table.select(reason=pl.when(odd).then(pl.lit("odd")), detail=pl.lit(""))
        table = table.with_columns(double=pl.col("n") * 2)
        if self.fault == "column":
            table = table.rename({"double": "treble"})
        return Output.marked(table, why["reason"], why["detail"], key="key")


@dataclass(frozen=True)
class KeepHalf(TableStage):
    """Drops the smaller half of all rows."""

    fault: str = ""
    version: ClassVar[int] = 1
    key: ClassVar[str] = "key"
    reads: ClassVar[tuple[str, ...]] = ("key", "n")
    reasons: ClassVar[tuple[StrEnum, ...]] = (Drop.SMALL,)
    writes: ClassVar[Columns] = {"rank": pl.Int64()}

    def sketch(self, table, ctx):
        return table.select("key", "n")

    def decide(self, sketches, ctx) -> Decision:
        ranked = sketches.sort("n").with_row_index("rank").with_columns(pl.col("rank").cast(pl.Int64))
        small = ranked.head(ranked.height // 2)
        dropped = small.select("key", reason=pl.lit("small"), detail=pl.lit(""))
        if self.fault == "invent":
            dropped = pl.concat([dropped, pl.DataFrame([["x", "small", ""]], schema=LEDGER, orient="row")])
        added = None if self.fault == "forget" else ranked.select("key", "rank")
        return Decision(
            dropped, added, metrics=({"model": "m", "bench": "b", "metric": "rows", "value": 1.0},)
        )


TOYS = {"toy.count": Count, "toy.double": Double, "toy.half": KeepHalf}
LINE = """
pipeline: toy
stages:
  - {id: numbers, use: toy.count}
  - {id: doubled, use: toy.double}
  - {id: half, use: toy.half}
"""


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    monkeypatch.setattr("distillery.pipeline.load.stage_class", lambda use, where: TOYS[use])
    Double.calls.clear()


def plan_of(tmp_path: Path, text: str = LINE, **options):
    file = tmp_path / "toy.yaml"
    file.write_text(text)
    return load_plan(file, **options)


def do(tmp_path: Path, plan, watcher: Watcher | None = None):
    record = open_run(plan, tmp_path / "runs")
    run(plan, store=tmp_path / "store", record=record, executor=Inline(), watcher=watcher or Watcher())
    return record


def table(tmp_path: Path, plan, step: str) -> pl.DataFrame:
    folder = folder_of(plan.step(step), tmp_path / "store")
    return pl.concat([pl.read_parquet(file) for file in folder.shards()])


def test_rows_flow_and_what_leaves_has_a_reason(tmp_path):
    plan = plan_of(tmp_path, LINE.replace("toy.double}", "toy.double, with: {odd_above: 4}}"))
    do(tmp_path, plan)
    assert sorted(table(tmp_path, plan, "half")["n"]) == [3, 4, 6, 8]
    assert folder_of(plan.step("doubled"), tmp_path / "store").ledger().rows() == [
        ("k5", "odd", ""),
        ("k7", "odd", ""),
        ("k9", "odd", ""),
    ]


def test_running_again_does_nothing(tmp_path):
    plan = plan_of(tmp_path)
    first = do(tmp_path, plan)
    before = (first.path / "results.json").read_text()
    Double.calls.clear()
    again = do(tmp_path, plan_of(tmp_path))
    assert Double.calls == []
    assert again.path == first.path
    assert (again.path / "results.json").read_text() == before


def test_a_failed_run_continues_at_the_shard(tmp_path):
    broken = plan_of(tmp_path, LINE.replace("toy.double}", "toy.double, with: {fault: break}}"))
    with pytest.raises(DistilleryError, match="broke at 4"):
        do(tmp_path, broken)
    assert Double.calls == [4, 4]
    with pytest.raises(DistilleryError, match="broke at 4"):
        do(tmp_path, broken)
    assert Double.calls == [4, 4, 4], "the first shard is not done again"
    record = open_run(broken, tmp_path / "runs").path / "run.json"
    assert json.loads(record.read_text())["status"] == "failed"


def test_a_changed_option_redoes_only_what_stands_on_it(tmp_path):
    do(tmp_path, plan_of(tmp_path))
    Double.calls.clear()
    changed = plan_of(tmp_path, LINE.replace("toy.half}", "toy.half, with: {fault: ''}}"))
    assert changed.step("half").fingerprint == plan_of(tmp_path).step("half").fingerprint
    other = plan_of(tmp_path, LINE.replace("toy.double}", "toy.double, with: {odd_above: 7}}"))
    record = do(tmp_path, other)
    assert record.path.name == "2"
    assert Double.calls == [4, 4, 2]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("toy.double}", "toy.double, with: {fault: lose}}", "rows not conserved by key: lost"),
        ("toy.double}", "toy.double, with: {fault: column}}", "lack ['double'], add ['treble']"),
        ("toy.half}", "toy.half, with: {fault: invent}}", "keys that never came in"),
        ("toy.half}", "toy.half, with: {fault: forget}}", "promised columns ['rank']"),
    ],
)
def test_a_stage_that_breaks_a_law_is_caught(tmp_path, old, new, says):
    with pytest.raises(ContractError) as caught:
        do(tmp_path, plan_of(tmp_path, LINE.replace(old, new)))
    assert says in str(caught.value)


def test_two_inputs_become_one_table_with_nulls_where_one_lacks_a_column(tmp_path):
    text = """
stages:
  - {id: a, use: toy.count, with: {rows: 3}}
  - {id: b, use: toy.double}
  - {id: c, use: toy.count, with: {rows: 4}}
  - {id: both, use: toy.half, from: [b, c]}
"""
    plan = plan_of(tmp_path, text)
    do(tmp_path, plan)
    assert plan.step("both").columns.keys() == {"key", "n", "double", "rank"}
    folder = folder_of(plan.step("both.inputs"), tmp_path / "store")
    united = pl.concat(shards.read(file) for file in folder.shards())
    assert united.rows() == [("k0", 0, 0), ("k1", 1, 2), ("k2", 2, 4), ("k3", 3, None)]


def test_limit_takes_the_first_rows_of_a_source_and_names_other_work(tmp_path):
    plan = plan_of(tmp_path, limit=5)
    do(tmp_path, plan)
    assert table(tmp_path, plan, "numbers").height == 5
    assert plan.step("numbers").fingerprint != plan_of(tmp_path).step("numbers").fingerprint


def test_until_runs_only_what_leads_there(tmp_path):
    plan = plan_of(tmp_path).until(["doubled"])
    do(tmp_path, plan)
    assert [step.id for step in plan.steps] == ["numbers", "doubled"]


def test_the_run_folder_tells_what_was_done(tmp_path):
    watcher = Watcher()
    record = do(tmp_path, plan_of(tmp_path), watcher)
    facts = read_run(record.path)
    assert (facts["status"], facts["pipeline"], facts["number"]) == ("done", "toy", 1)
    assert [step["rows_out"] for step in facts["steps"]] == [10, 10, 5]
    assert watcher.counts["doubled"] == {"rows": 10}
    results = json.loads((record.path / "results.json").read_text())
    assert results["metrics"] == [
        {"stage": "half", "model": "m", "bench": "b", "metric": "rows", "value": 1.0}
    ]
    assert "seconds" not in json.dumps(results)
    events = [json.loads(line)["event"] for line in (record.path / "log.jsonl").read_text().splitlines()]
    assert events[0] == "run"
    assert events[-1] == "done"
    again = load_plan(record.path / "pipeline.yaml")
    assert [s.fingerprint for s in again.steps] == [s["fingerprint"] for s in facts["steps"]]


def test_a_run_of_other_work_is_another_run(tmp_path):
    assert do(tmp_path, plan_of(tmp_path)).path.name == "1"
    assert do(tmp_path, plan_of(tmp_path, settings=["stages.numbers.rows=6"])).path.name == "2"
    assert do(tmp_path, plan_of(tmp_path)).path.name == "1"


def test_a_toy_ledger_is_empty_where_nothing_left(tmp_path):
    plan = plan_of(tmp_path)
    do(tmp_path, plan)
    assert folder_of(plan.step("numbers"), tmp_path / "store").ledger().equals(empty(LEDGER))


def test_an_unknown_until_names_the_stages(tmp_path):
    with pytest.raises(ConfigError, match="no stage 'halves'; it has numbers, doubled, half"):
        plan_of(tmp_path).until(["halves"])
