"""Whatever is wrong with rows, the whole line ends well: each of them is in a table or in a ledger, with a
reason, what was good of it as it came, and everybody can read what is exported."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from distillery import shards
from distillery.cli import main
from distillery.engines import Request
from distillery.engines.scripted import Scripted
from distillery.pipeline import Plan, Step, load_plan
from distillery.records import Thinking
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from distillery.stages.base import RowStage, Sink
from tests.inline import Inline
from tests.lines.any_rows import FORMATS, ODD_TEXTS, SHAPES, THOUGHTS, Given, Grammar, write

KEPT = {"trace_id": None, "n": "int"}
RESPONSES = {"text": None, "finish": None, "completion_tokens": None}
SHAPED: dict[str, dict[str, Any]] = {
    "flat": {},
    "talk": {"messages": "messages"},
    "lists": {"explode": ["texts"], "columns": {"text": "texts"}},
}


@dataclass
class File:
    path: Path
    shape: str
    places: dict[int, Given | None]


@dataclass
class Line:
    """A pipeline, what it reads, and what it made."""

    folder: Path
    inputs: dict[str, File]
    plan: Plan

    def rows(self, step: str, columns: list[str] | None = None) -> pl.DataFrame:
        files = folder_of(self.plan.step(step), self.folder / "data/store").shards()
        return pl.concat(shards.read(file, columns) for file in files)

    def ledger(self, step: str) -> pl.DataFrame:
        return folder_of(self.plan.step(step), self.folder / "data/store").ledger()


def laid(folder: Path, seed: int, rows: int, *, shard_rows: int, faults: float = 0.5) -> Line:
    """Its files: problems with golds, and traces of the same and of other ones."""
    rng, grammar = random.Random(seed), Grammar(seed, faults=faults)
    formats = [FORMATS[seed % len(FORMATS)], rng.choice(FORMATS)]
    shape = "flat" if ".csv" in formats[1] else SHAPES[seed % len(SHAPES)]
    golds = [grammar.given(n, rows, golds=True, texts=False) for n in range(rows)]
    traces = [grammar.given(rows + n, rows, golds=False, texts=True) for n in range(rows)]
    places = {}
    for name, given, ending, form in (
        ("golds", golds, formats[0], "flat"),
        ("traces", traces, formats[1], shape),
    ):
        file = folder / f"{name}{ending}"
        places[name] = File(file, form, write(file, given, form, rng))
    bench = [{"question": grammar.problem(world)["question"]} for world in range(3)]
    (folder / "bench.jsonl").write_text("".join(json.dumps(row) + "\n" for row in bench))
    stages = [
        _ingest("golds", places["golds"], KEPT, shard_rows),
        _ingest("traces", places["traces"], KEPT | RESPONSES, shard_rows),
        {"id": "checked", "use": "verify.answers", "from": ["golds", "traces"], "with": {"deadline_s": 0.5}},
        *_curated("trace_id", folder, "", {"use": "filter.quality"}),
        {
            "id": "selected",
            "use": "select.traces",
            "with": {"per_problem": 2, "require_outcome": False, "distinct_text": True},
        },
        {
            "id": "mixed",
            "use": "mix.quota",
            "with": {"shortfall": "take", "per_problem": 2, "quotas": [{"rows": 20_000}]},
        },
        {"id": "chat", "use": "export.chat"},
        {"id": "hub", "use": "export.hub", "with": {"raw": "checked"}},
        _ingest("problems", places["golds"], {}, shard_rows),
        {"id": "labelled", "use": "label.thinking"},
        *_curated("problem_id", folder, "-problems", {"use": "verify.gold", "with": {"deadline_s": 0.5}}),
        {"id": "rl", "use": "export.rl"},
        {"id": "signatures", "use": "export.signatures"},
    ]
    (folder / "any.yaml").write_text(yaml.safe_dump({"seed": seed, "stages": stages}, sort_keys=False))
    return Line(folder, places, load_plan(folder / "any.yaml"))


def _ingest(name: str, file: File, keep: dict[str, Any], shard_rows: int) -> dict[str, Any]:
    options = {"path": str(file.path), "keep": keep, "shard_rows": shard_rows, **SHAPED[file.shape]}
    return {"id": name, "use": "ingest.file", "with": options}


def _curated(key: str, folder: Path, of: str, first: dict[str, Any]) -> list[dict[str, Any]]:
    against = [str(folder / "bench.jsonl")]
    return [
        {"id": f"first{of}", **first},
        {"id": f"exact{of}", "use": "dedup.exact", "with": {"key": key}},
        {"id": f"near{of}", "use": "dedup.minhash", "with": {"key": key}},
        {"id": f"clean{of}", "use": "decontaminate.ngrams", "with": {"key": key, "against": against}},
    ]


def told(*words: str) -> None:
    assert main([*words]) == 0, words


def place_of(key: str) -> int:
    return int(key.rpartition(":")[2].partition("[")[0])


def check_file(line: Line, name: str, file: File) -> None:
    """Each of its rows was kept, or is in the ledger; what was good of it is what it was."""
    table, ledger = line.rows(name), line.ledger(name)
    by_n = {given.n: (place, given) for place, given in file.places.items() if given}
    kept = {by_n[n][0] for n in table["n"]} if "n" in table.columns else set()
    left = {place_of(key) for key in ledger["key"]}
    assert ledger["key"].str.starts_with(f"{file.path}:").all()
    assert ledger["key"].is_unique().all()
    if "n" in table.columns:
        assert kept | left == set(file.places)
    if file.shape == "flat":
        assert not kept & left
        assert table.height + ledger.height == len(file.places)
    for key, reason, detail in ledger.iter_rows():
        given = file.places[place_of(key)]
        assert given is not None or reason == "malformed", (key, reason, detail)
        if given is not None and not given.spoilt:
            assert reason in ("repeated", "id_taken"), (key, reason, detail)
    for row in table.iter_rows(named=True) if kept else ():
        _check_row(row, by_n[row["n"]][1], file.shape)


def _check_row(row: dict[str, Any], given: Given, shape: str) -> None:
    for name in given.good & row.keys() - {"payload", "finish", "completion_tokens"}:
        if shape == "lists" and name in ("text", "trace_id"):
            continue
        if name == "text" and row["thinking"] == Thinking.OFF:
            continue
        assert row[name] == given.row[name], (name, given)


def check_step(line: Line, step: Step) -> None:
    """All that came in went out, or stands in its ledger with a reason."""
    note = folder_of(step, line.folder / "data/store").done()
    assert note is not None
    if not isinstance(step.stage, RowStage):
        return
    key, ledger = step.stage.key, line.ledger(step.id)
    came = pl.concat(line.rows(parent, [key]) for parent in step.parents)[key].sort()
    went = pl.concat([line.rows(step.id, [key])[key], ledger["key"]]).sort()
    assert went.to_list() == came.to_list()
    assert (note.rows_in, note.rows_in - note.rows_out) == (came.len(), ledger.height)
    assert set(ledger["reason"]) <= {*step.stage.reasons}


def check_export(line: Line) -> None:
    from datasets import load_dataset

    out = folder_of(line.plan.step("hub"), line.folder / "data/store").path / "out"
    chat, checked = line.rows("chat"), line.rows("checked", ["trace_id"])
    wanted = {
        "sft": chat["trace_id"],
        "raw": checked["trace_id"],
        "default": chat["problem_id"].unique(),
    }
    for config in ("sft", "raw", "default", "rl"):
        rows = load_dataset(str(out), config, split="train", cache_dir=str(line.folder / "cache"))
        ids = rows["uuid"][:]
        assert len(set(ids)) == rows.num_rows
        if config in wanted:
            assert sorted(ids) == sorted(wanted[config])
        else:
            assert set(ids) <= {*chat["problem_id"]}


def check_commands(line: Line, capsys: pytest.CaptureFixture[str], *, most: int = 5) -> None:
    data = ("--data-dir", str(line.folder / "data"))
    told("status", *data)
    told("status", "any", *data)
    told("verify-run", "any", *data)
    told("why", "any", *data)
    told("report", "any", *data)
    ids = {*line.rows("checked", ["trace_id"])["trace_id"]}
    ids |= {key for step in line.plan.steps if step.makes_table for key in line.ledger(step.id)["key"]}
    odd = sorted(name for name in ids if not re.fullmatch(r"t?\d+(-\d)?|[0-9a-f]{16}|/.*", name))
    for key in [*odd[:: len(odd) // most + 1], min(ids)]:
        told("why", *data, "--", "any", key)
        told("show", "any", "checked", f"--where=trace_id={key}", *data)
    for step in line.plan.steps:
        if not isinstance(step.stage, Sink):
            told("show", "any", step.id, "--rows", "5", *data)
    capsys.readouterr()


def check_run(line: Line, engines: dict[str, Scripted]) -> None:
    """In this process."""
    record = open_run(line.plan, line.folder / "data/runs")
    store = line.folder / "data/store"
    run(line.plan, store=store, record=record, executor=Inline(engines), watcher=Watcher())


def check_line(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a line that has run."""
    for name in ("golds", "traces", "problems"):
        check_file(line, name, line.inputs["golds" if name == "problems" else name])
    for step in line.plan.steps:
        check_step(line, step)
    check_export(line)
    check_commands(line, capsys)
    (report,) = (line.folder / "data/runs").glob("any/*/report.html")
    assert report.stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_rows_end_in_a_table_or_a_ledger_and_the_line_in_a_set_that_all_can_read(tmp_path, capsys, seed):
    line = laid(tmp_path, seed, 100, shard_rows=60)
    check_run(line, {})
    check_line(line, capsys)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_of_any_rows_go_through_the_line_as_a_user_runs_it(tmp_path, capsys):
    line = laid(tmp_path, 9, 5000, shard_rows=2500, faults=0.3)
    assert sum(len(file.places) for file in line.inputs.values()) >= 10_000
    told("run", str(tmp_path / "any.yaml"), "--data-dir", str(tmp_path / "data"))
    check_line(line, capsys)


def odd(request: Request) -> str:
    """An answer, or a verdict, of a model that is not well; the same to the same question."""
    rng = random.Random(str(request.messages))
    said = rng.choice(
        (*ODD_TEXTS, "correct", '{"analysis": "", "correctness": "correct"}', "17", "\\boxed{17}")
    )
    return rng.choice(THOUGHTS)(rng.choice(ODD_TEXTS), said)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_any_problems_are_asked_and_judged_by_a_model_that_says_anything(tmp_path, capsys, seed):
    line = laid(tmp_path, seed, 60, shard_rows=40)
    engine = Scripted(reply=odd)
    asked = [
        _ingest("golds", line.inputs["golds"], {}, 40),
        {"id": "labelled", "use": "label.thinking"},
        {
            "id": "written",
            "use": "generate.traces",
            "with": {"engine": "one", "prompt": "solve.boxed@1", "samples": 2},
        },
        {"id": "checked", "use": "verify.answers", "with": {"deadline_s": 0.5}},
        {"id": "judged", "use": "judge.answers", "with": {"engine": "one"}},
        *_curated("trace_id", tmp_path, "", {"use": "filter.quality", "with": {"skip": ["truncated"]}}),
        {"id": "chat", "use": "export.chat"},
    ]
    (tmp_path / "any.yaml").write_text(yaml.safe_dump({"seed": seed, "stages": asked}, sort_keys=False))
    line = Line(tmp_path, line.inputs, load_plan(tmp_path / "any.yaml", engines={"one": engine}))
    check_run(line, {"one": engine})
    for step in line.plan.steps:
        if step.id != "written":
            check_step(line, step)
    samples, lost = line.rows("written", ["problem_id"]), line.ledger("written")
    assert samples.height + lost.height == 2 * line.rows("labelled", ["problem_id"]).height
    check_commands(line, capsys)
