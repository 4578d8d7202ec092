"""Texts that a stage only passes on are not written again; what comes out is the same as if they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from distillery import shards
from distillery.errors import ContractError
from distillery.pipeline import load_plan
from distillery.records import LEDGER, Columns, empty
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from distillery.stages.base import Decision, Output, ShardStage, Source, TableStage
from tests.inline import Inline


@dataclass(frozen=True)
class Texts(Source):
    """Rows k0, k1, ... with a text each, in shards of 8."""

    rows: int = 20
    named: bool = False
    version: ClassVar[int] = 1

    @property
    def writes(self) -> Columns:
        return {"key": pl.String(), "text": pl.String(), **({"name": pl.String()} if self.named else {})}

    def stamp(self):
        return self.rows

    def shards(self, ctx) -> Iterator[Output]:
        for start in range(0, self.rows, 8):
            numbers = range(start, min(self.rows, start + 8))
            made = {"key": [f"k{self.named}{n}" for n in numbers], "text": ["word " * n for n in numbers]}
            yield Output.all_kept(pl.DataFrame({**made, **({"name": made["key"]} if self.named else {})}))


class Drop(StrEnum):
    THIRD = "third"
    SHORT = "short"


@dataclass(frozen=True)
class Measure(ShardStage):
    """The length of the text; every third row goes. Says which columns it was shown."""

    spoil: bool = False
    version: ClassVar[int] = 1
    key: ClassVar[str] = "key"
    reads: ClassVar[tuple[str, ...]] = ("text",)
    also_reads: ClassVar[tuple[str, ...]] = ("missing",)
    reasons: ClassVar[tuple[StrEnum, ...]] = (Drop.THIRD,)
    writes: ClassVar[Columns] = {"length": pl.UInt32()}
    shown: ClassVar[list[list[str]]] = []

    def apply(self, table, ctx) -> Output:
        self.shown.append(table.columns)
        if self.spoil:
            table = table.with_columns(pl.col("text").str.to_uppercase())
        out = pl.Series(["third" if at % 3 == 2 else None for at in range(table.height)], dtype=pl.String)
        measured = table.with_columns(length=pl.col("text").str.len_chars()).sort("key", descending=True)
        marked = Output.marked(table, out, out, key="key")
        kept = measured.join(marked.kept.select("key"), on="key", how="semi", maintain_order="left")
        return Output(kept, marked.dropped)


@dataclass(frozen=True)
class Longest(TableStage):
    """Keeps so many rows, by their length, and ranks them."""

    keep: int = 6
    version: ClassVar[int] = 1
    key: ClassVar[str] = "key"
    reads: ClassVar[tuple[str, ...]] = ("length",)
    also_reads: ClassVar[tuple[str, ...]] = ()
    reasons: ClassVar[tuple[StrEnum, ...]] = (Drop.SHORT,)
    writes: ClassVar[Columns] = {"rank": pl.UInt32()}

    def sketch(self, table, ctx):
        assert "length" in table.columns
        return table.select("key", "length")

    def decide(self, sketches, ctx) -> Decision:
        ranked = sketches.sort("length", "key", descending=True).with_row_index("rank")
        out = ranked.slice(self.keep).select("key", reason=pl.lit("short"), detail=pl.lit("")).sort("key")
        return Decision(out, ranked.select("key", "rank"))


TOYS = {"toy.texts": Texts, "toy.measure": Measure, "toy.longest": Longest}
LINE = """
pipeline: toy
stages:
  - {id: one, use: toy.texts}
  - {id: two, use: toy.texts, with: {rows: 3, named: true}}
  - {id: measured, use: toy.measure, from: [one, two]}
  - {id: longest, use: toy.longest}
"""


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    monkeypatch.setattr("distillery.pipeline.load.stage_class", lambda use, where: TOYS[use])
    Measure.shown.clear()


def run_line(folder: Path, text: str = LINE):
    folder.mkdir()
    (folder / "toy.yaml").write_text(text)
    plan = load_plan(folder / "toy.yaml")
    record = open_run(plan, folder / "runs")
    run(plan, store=folder / "store", record=record, executor=Inline(), watcher=Watcher())
    return {step.id: folder_of(step, folder / "store") for step in plan.steps}


@pytest.fixture
def heavy(monkeypatch):
    monkeypatch.setattr("distillery.runner.rows.HEAVY", 0)


def test_heavy_and_light_rows_come_out_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    light = run_line(tmp_path / "light")
    monkeypatch.setattr("distillery.runner.rows.HEAVY", 0)
    heavy = run_line(tmp_path / "heavy")
    for step in light:
        for one, two in zip(light[step].shards(), heavy[step].shards(), strict=True):
            assert shards.read(one).equals(shards.read(two))
        assert light[step].ledger().equals(heavy[step].ledger())
    stored = [set(pl.read_parquet_schema(file)) for file in heavy["measured"].shards()]
    assert stored == [{"_row", "length"}] * 4
    united = [set(pl.read_parquet_schema(file)) for file in heavy["measured.inputs"].shards()]
    assert united == [{"_row", "name"}] * 3 + [{"_row"}]
    assert {"text", "name"} <= set(shards.schema(heavy["longest"].shards()[0]))


def test_a_stage_is_shown_what_it_says_it_looks_at(tmp_path: Path, heavy: None):
    run_line(tmp_path / "line")
    assert Measure.shown == [["key", "text"]] * 4


def test_few_rows_of_many_are_copied(tmp_path: Path, heavy: None):
    made = run_line(tmp_path / "line", LINE.replace("toy.longest}", "toy.longest, with: {keep: 1}}"))
    assert all(shards.base_of(file) is None for file in made["longest"].shards())
    kept = pl.concat(shards.read(file) for file in made["longest"].shards())
    assert kept.select("key", "length", "rank").rows() == [("kFalse19", 95, 0)]
    assert kept["text"].str.len_chars().to_list() == kept["length"].to_list()


@pytest.mark.parametrize("least", [0, 1 << 20])
def test_a_stage_that_changes_a_text_it_does_not_write_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int
):
    monkeypatch.setattr("distillery.runner.rows.HEAVY", least)
    with pytest.raises(
        ContractError, match=r"measured \(toy.measure\): it changed text, which is not in its"
    ):
        run_line(tmp_path / "line", LINE.replace("toy.measure,", "toy.measure, with: {spoil: true},"))


def test_an_empty_ledger_is_no_trouble(tmp_path: Path, heavy: None):
    made = run_line(tmp_path / "line", LINE.replace("toy.longest}", "toy.longest, with: {keep: 99}}"))
    assert made["longest"].ledger().equals(empty(LEDGER))
