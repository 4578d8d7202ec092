from __future__ import annotations

import json
from pathlib import Path

import pytest

from distillery.cli import main
from distillery.engines import Completion
from distillery.engines.request_store import RequestStore
from distillery.records import LEDGER, empty
from distillery.stages.base import Output
from distillery.stages.note import Note
from distillery.store.stage_dir import StageDir

NAMED, UNNAMED = "toy.kept-0123456789abcdef", "toy.gone-0123456789abcdef"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One run of one stage, a folder of no run, and completions of two models."""
    for name in (NAMED, UNNAMED):
        folder = StageDir(tmp_path / "store" / name)
        folder.write(0, Output.all_kept(empty(LEDGER)), 0)
        facts = {"rows_in": 1234, "rows_out": 1000, "rows_dropped": 234, "seconds": 1.5}
        folder.finish(Note(id="a", use="ingest.file", fingerprint="f00d", shards=1, **facts))
        (folder.path / "model.bin").write_bytes(bytes(2**20))
    step = {
        "id": "a",
        "use": "toy.kept",
        "fingerprint": NAMED[-16:],
        "folder": NAMED,
        "status": "done",
        "shelves": [],
    }
    owed = {
        "id": "b",
        "use": "toy.owed",
        "fingerprint": "0" * 16,
        "folder": f"toy.owed-{0:016}",
        "status": "owed",
        "shelves": [],
    }
    record = {
        "pipeline": "toy",
        "number": 1,
        "status": "failed",
        "seed": 7,
        "started": "then",
        "finished": "now",
    }
    (tmp_path / "runs" / "toy" / "1").mkdir(parents=True)
    (tmp_path / "runs" / "toy" / "1" / "run.json").write_text(json.dumps({**record, "steps": [step, owed]}))
    store = RequestStore(tmp_path / "store" / "requests")
    for model, count in ((f"stage:{NAMED[-16:]}", 300), ("small", 2)):
        shelf = store.shelf({"model": model})
        shelf.put_many([Completion(f"{n}", "a thought", "stop", 1, 1) for n in range(count)])
        shelf.close()
    return tmp_path


def status(data: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[list[str]]:
    assert main(["status", *words, "--data-dir", str(data)]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_runs_and_their_steps_are_counted(data, capsys):
    assert ["toy/1", "failed", "1/2", "then", "now"] in status(data, capsys)


def test_the_request_store_is_weighed_model_by_model(data, capsys):
    lines = status(data, capsys)
    assert lines[-3] == ["model", "completions", "MiB", "bytes", "a", "completion"]
    model, stage, count, _, mean = lines[-2]
    assert (model, stage, count) == ("a", "(stage:0123456789abcdef)", "300")
    assert 80 < int(mean) < 1000
    assert lines[-1][:2] == ["small", "2"]


def test_stage_folders_are_weighed_and_those_of_no_run_are_said(data, capsys):
    said = [" ".join(line) for line in status(data, capsys)]
    assert "stage folders: 2, 2.0 MiB" in said
    assert "no run refers to 1 of them, 1.0 MiB: `distillery gc` tells more" in said


def test_many_models_are_cut_short(data, capsys):
    for number in range(25):
        RequestStore(data / "store" / "requests").shelf({"model": f"m{number}"}).put_many([])
    assert status(data, capsys)[-1] == ["and", "7", "smaller", "ones"]


def test_a_model_without_completions_has_no_mean(data, capsys):
    RequestStore(data / "store" / "requests").shelf({"model": "new"}).put_many([])
    assert ["new", "0", "0.0"] in status(data, capsys)


def test_one_run_is_shown_step_by_step(data, capsys):
    lines = status(data, capsys, "toy")
    assert "toy/1: failed, seed 7" in " ".join(lines[0])
    assert ["a", "toy.kept", "done", "1,234", "1,000", "234", "1.5"] in lines
    assert ["b", "toy.owed", "owed"] in lines
