"""A stage that breaks its promise is told so, whatever it does: an own one as its user's error."""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from distillery.errors import ConfigError, ContractError
from distillery.records import LEDGER, empty
from distillery.runner.one_table import apply_alone
from distillery.stages.base import Decision, Output, ShardStage, TableStage

ROOT = Path(__file__).parents[2]
CTX: Any = SimpleNamespace(seed=0, alarm=print, progress=lambda **_: None)
TABLE = pl.DataFrame(
    {
        "key": ["a", "b", "c"],
        "text": ["x", None, "z"],
        "number": [1.0, float("nan"), None],
        "names": [["p"], [], None],
        "both": [{"x": 1}, None, {"x": None}],
    }
)
NOTHING = (None, 7, "text", [TABLE], TABLE.lazy(), (TABLE, TABLE))


class Drop(StrEnum):
    ODD = "odd"


@dataclass(frozen=True)
class Mine(ShardStage):
    does: Callable[[pl.DataFrame], Any]
    version = 1
    key = "key"
    writes = {"text": pl.String()}
    reasons = tuple(Drop)

    def apply(self, table: pl.DataFrame, ctx: Any) -> Output:
        return self.does(table)


@dataclass(frozen=True)
class Decides(TableStage):
    sketches: Callable[[pl.DataFrame], Any]
    decides: Callable[[pl.DataFrame], Any]
    version = 1
    key = "key"
    reasons = tuple(Drop)

    def sketch(self, table: pl.DataFrame, ctx: Any) -> pl.DataFrame:
        return self.sketches(table)

    def decide(self, sketches: pl.DataFrame, ctx: Any) -> Decision:
        return self.decides(sketches)


def refused(does: Callable[[pl.DataFrame], Any], table: pl.DataFrame = TABLE) -> str:
    """What is said of a shard stage that does this; "" where nothing is."""
    return of_stage(Mine(does), table)


def of_stage(stage: Mine | Decides, table: pl.DataFrame = TABLE) -> str:
    said: list[str] = []
    for use, kind in (("my_stages:Mine", ConfigError), ("toy.mine", ContractError)):
        try:
            apply_alone(use, stage, table.clone(), CTX)
        except (ConfigError, ContractError) as error:
            assert type(error) is kind  # noqa: PT017
            said.append(str(error).removeprefix(f"apply ({use}): "))
    assert len({*said}) < 2
    assert len(said) in (0, 2)
    return said[0] if said else ""


def ledger(*rows: tuple[str | None, str | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(LEDGER), orient="row")


def all_kept(table: pl.DataFrame) -> Output:
    return Output.all_kept(table)


def some_kept(table: pl.DataFrame) -> Output:
    return Output(table.filter(pl.col("key") != "a"), ledger(("a", "odd", "")))


def turned(table: pl.DataFrame) -> Output:
    return Output.all_kept(table.reverse())


def blanked(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """The last row's value is another."""
    other = {"key": "d", "text": "w", "number": 2.0, "names": ["q"], "both": {"x": 3}}[name]
    return pl.concat(
        [table.head(2), table.tail(1).with_columns(pl.Series(name, [other], dtype=table.schema[name]))]
    )


def in_place(table: pl.DataFrame, name: str) -> pl.DataFrame:
    table.replace_column(table.get_column_index(name), blanked(table, name)[name])
    return table


@pytest.mark.parametrize("output", [all_kept, some_kept, turned])
def test_what_is_as_it_came_is_fine(output: Callable[[pl.DataFrame], Output]):
    assert refused(output) == ""
    assert refused(output, TABLE.clear() if output is not some_kept else TABLE) == ""


@pytest.mark.parametrize("output", [all_kept, some_kept, turned])
@pytest.mark.parametrize("change", [blanked, in_place])
def test_a_column_that_it_does_not_write_is_as_it_came(output: Any, change: Any):
    for name in ("number", "names", "both"):
        said = refused(lambda table, name=name: output(change(table, name)))
        assert said == f"it changed {name}, which is not in its `writes`; add {name} to its `writes`"
    assert refused(lambda table: output(change(table, "text"))) == ""


def test_it_gives_an_output_of_two_tables():
    for found in (*NOTHING, TABLE):
        assert refused(lambda _, found=found: found).endswith(", no Output")
    for found, place in itertools.product(NOTHING, ("kept", "dropped")):
        parts = {"kept": TABLE, "dropped": empty(LEDGER), place: found}
        said = refused(lambda _, parts=parts: Output(**parts))
        assert said.startswith(f"apply: {place} gave ")
        assert said.endswith(", no DataFrame")
    for found in (None, [1], {"rows": "many"}, {"rows": None}, {"rows": [1]}):
        said = refused(lambda table, found=found: Output(table, empty(LEDGER), found))
        assert said.startswith("apply: metrics")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda t: t.with_columns(pl.lit(1).alias("chars")),
            "add ['chars'], change []; add chars to its `writes`",
        ),
        (lambda t: t.drop("number"), "lack ['number'], add []"),
        (
            lambda t: t.with_columns(pl.col("text").cast(pl.Categorical)),
            "change ['text: Categorical for String']",
        ),
        (lambda t: t.head(1), "rows not conserved by key: lost ['b', 'c'], invented []"),
        (lambda t: pl.concat([t, t.head(1)]), "3 rows in should give 3 kept or dropped, gave 4"),
        (lambda t: blanked(t, "key"), "rows not conserved by key: lost ['c'], invented ['d']"),
        (lambda t: t.with_columns(key=pl.lit(None, pl.String)), "lost ['a', 'b', 'c'], invented [None]"),
    ],
)
def test_its_rows_and_columns_are_those_it_promised(
    change: Callable[[pl.DataFrame], pl.DataFrame], says: str
):
    assert says in refused(lambda table: Output.all_kept(change(table)))


@pytest.mark.parametrize("reason", ["even", "", None, "ODD"])
def test_a_reason_is_one_that_it_declares(reason: str | None):
    said = refused(lambda table: Output(table.tail(2), ledger(("a", reason, ""))))
    assert said.startswith(f"dropped rows for {reason!r}; its `reasons` are odd; ")
    stage = Decides(lambda t: t.select("key"), lambda _: Decision(ledger(("a", reason, ""))))
    assert of_stage(stage) == said


def test_a_decision_is_over_all_rows():
    def keys(table: pl.DataFrame) -> pl.DataFrame:
        return table.select("key")

    def nothing(_: pl.DataFrame) -> Decision:
        return Decision(empty(LEDGER))

    assert of_stage(Decides(keys, nothing)) == ""
    assert of_stage(Decides(lambda t: keys(t).reverse(), nothing)) == ""
    for found in NOTHING:
        assert of_stage(Decides(lambda _, found=found: found, nothing)).startswith("sketch gave ")
        assert of_stage(Decides(keys, lambda _, found=found: found)).startswith("decide gave ")
        assert of_stage(Decides(keys, lambda _, found=found: Decision(found))).startswith(
            "decide: dropped gave "
        )
    for lost in (
        lambda t: keys(t).head(2),
        lambda t: pl.concat([keys(t), keys(t)]),
        lambda t: keys(blanked(t, "key")),
    ):
        assert of_stage(Decides(lost, nothing)).startswith("its sketch of 3 rows has ")
    for facts in ({"a": {1}}, {"a": TABLE}, {"a": b"x"}):
        said = of_stage(Decides(keys, lambda _, facts=facts: Decision(empty(LEDGER), facts=facts)))
        assert said.startswith("decide gave metrics or facts that are no JSON")


LINE = """
stages:
  - {id: sums, use: ingest.miniature, with: {part: sums, count: 3}}
  - {id: mine, use: "my_stages:Mine"}
"""
MODULE = """
from dataclasses import dataclass
from distillery import ShardStage

@dataclass(frozen=True)
class Mine(ShardStage):
    version = 1
    key = "problem_id"

    def apply(self, table, ctx):
        return table
"""


@pytest.mark.slow
def test_a_user_hears_it_in_one_line(tmp_path: Path):
    (tmp_path / "line.yaml").write_text(LINE)
    (tmp_path / "my_stages.py").write_text(MODULE)
    done = subprocess.run(
        [sys.executable, "-m", "distillery", "run", "line.yaml"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == ConfigError.exit_code
    said = "distillery: mine (my_stages:Mine): apply gave a DataFrame, no Output"
    assert done.stderr.splitlines()[-1] == said
