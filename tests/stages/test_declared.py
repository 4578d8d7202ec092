"""What a stage in a user's own file says of itself is right, or refused with one line before anything runs."""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import distillery
from distillery.errors import ConfigError

MODULE = """
from __future__ import annotations
import datetime, decimal, threading
from collections.abc import Callable
from dataclasses import dataclass
import polars as pl
from distillery import Output, ShardStage, Source
from distillery.stages.base import AskingStage, Uses, computed

class Odd: ...

@dataclass(frozen=True, kw_only=True)
class Mine(ShardStage):
    version = 1
    key = "problem_id"
    reads = ("question",)
    {line}

    def apply(self, table, ctx):
        return Output.all_kept(table)
"""
RIGHT = {
    "version": {"7", "-1"},
    "key": {"'question'"},
    "reads": {"()", "('question',)"},
    "also_reads": {"None", "()", "('question',)"},
    "writes": {"{}", "{'chars': pl.UInt32()}", "{'chars': pl.UInt32}"},
    "reasons": {"()"},
    "may_drop": {"True"},
    "fan_out": {"None", "7"},
}
VALUES = (
    "None", "True", "7", "-1", "1.5", "''", "'question'", "()", "('question',)", "['question']", "(1,)", "('',)",
    "{}", "{'chars': 7}", "{'chars': int}", "{'chars': 'UInt32'}", "{1: pl.UInt32()}", "{'chars': pl.UInt32()}",
    "{'chars': pl.UInt32}", "pl.UInt32()", "Odd", "Odd()", "lambda: 1",
)  # fmt: skip
DECLARED = list(itertools.product(RIGHT, VALUES))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("my_stages", None)


def said(folder: Path, module: str) -> str:
    """What is said of a plan with the stage; "" where it is a plan."""
    (folder / "my_stages.py").write_text(module)
    sys.modules.pop("my_stages", None)
    line = folder / "line.yaml"
    line.write_text(
        "stages: [{id: a, use: ingest.miniature, with: {part: sums, count: 3}}, {id: b, use: 'my_stages:Mine'}]"
    )
    try:
        distillery.load_plan(line)
    except ConfigError as error:
        found = str(error)
    else:
        return ""
    assert found.startswith(f"{line}: stages[1] (b): ")
    assert "\n" not in found
    return found.removeprefix(f"{line}: stages[1] (b): ")


def test_a_declaration_of_another_shape_is_refused(folder: Path):
    for name, value in DECLARED:
        found = said(folder, MODULE.replace("{line}", f"{name} = {value}"))
        assert (found == "") is (value in RIGHT[name]), (name, value, found)
        if found:
            assert found.startswith("stage 'my_stages:Mine': ")
            assert name in found


@pytest.mark.parametrize(
    "option",
    [
        "odd: Odd",
        "odd: Odd | None = None",
        "odd: list[Odd]",
        "odd: threading.Thread",
        "odd: pl.DataFrame",
        "odd: Nowhere",
    ],
)
def test_an_option_that_no_file_can_say_is_refused(folder: Path, option: str):
    found = said(folder, MODULE.replace("{line}", option))
    assert found.startswith("stage 'my_stages:Mine': ")
    assert "odd" in found or "Nowhere" in found


@pytest.mark.parametrize(
    "option",
    ["set[str] = frozenset('a')", "datetime.date = datetime.date(2020, 1, 1)", "decimal.Decimal = decimal.Decimal(1)",
     "bytes = b'a'", "float = float('nan')", "str = '\\ud800'", "Callable = len"],
)  # fmt: skip
def test_an_option_that_has_no_name_is_refused(folder: Path, option: str):
    found = said(folder, MODULE.replace("{line}", f"odd: {option}"))
    assert found.startswith("stage 'my_stages:Mine': option odd is ")


@pytest.mark.parametrize("method", ["__post_init__", "uses", "code", "stamp"])
@pytest.mark.parametrize(
    "error", ["1 / 0", "exit('no licence')", "self.nothing", "pl.DataFrame().select('x')"]
)
def test_what_it_raises_when_it_is_asked_is_said_in_one_line(folder: Path, method: str, error: str):
    found = said(folder, MODULE.replace("{line}", f"def {method}(self): {error}"))
    assert found.startswith("stage 'my_stages:Mine': ")


@pytest.mark.parametrize("name", ["key", "reads", "also_reads", "writes", "fan_out"])
def test_what_a_computed_declaration_raises_is_said_in_one_line(folder: Path, name: str):
    lines = f"@computed\n    def {name}(self): return self.nothing"
    assert "'Mine' object has no attribute 'nothing'" in said(folder, MODULE.replace("{line}", lines))


@pytest.mark.parametrize(
    "lines",
    ["def uses(self): return ('a',)", "def uses(self): return Uses('a')", "def code(self): return 'my_stages:Mine'",
     "def stamp(self): return {1, 2}", "def stamp(self): return Odd()"],
)  # fmt: skip
def test_what_it_gives_of_another_shape_is_refused(folder: Path, lines: str):
    name = lines.removeprefix("def ").partition("(")[0]
    assert said(folder, MODULE.replace("{line}", lines)).startswith(
        f"stage 'my_stages:Mine': {name}() gives "
    )


def test_a_key_that_is_no_text_of_its_input_is_refused(folder: Path):
    found = said(folder, MODULE.replace("{line}", "key = 'trace_id'"))
    assert found.startswith(
        "its key 'trace_id' is not there; a key is a text, and there are checker, domain, gold"
    )


def test_a_class_that_can_be_changed_is_refused(folder: Path):
    module = MODULE.replace("{line}", "").replace("frozen=True, ", "")
    assert said(folder, module).startswith("stage 'my_stages:Mine': is not frozen: @dataclass(frozen=True); ")


def test_a_source_that_does_not_say_what_it_writes_is_refused(folder: Path):
    module = MODULE.replace("{line}", "def shards(self, ctx): ...").replace("ShardStage)", "Source)")
    (folder / "my_stages.py").write_text(module)
    (folder / "line.yaml").write_text("stages: [{id: a, use: 'my_stages:Mine'}]")
    with pytest.raises(
        ConfigError, match=r"'my_stages:Mine': writes is None; it would be columns with their types"
    ):
        distillery.load_plan(folder / "line.yaml")
