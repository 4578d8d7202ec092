"""A whole line whose file is full of what is this machine's own; the exported folder has none of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from distillery.engines.base import Failure, FailureKind, Request
from distillery.engines.scripted import Scripted
from distillery.errors import ConfigError
from distillery.pipeline import load_plan
from distillery.report import write_report
from distillery.runner import RunDir, Watcher, open_run, run
from tests.inline import Inline

CANARY = "Canary7Kq2"
HOST = f"{CANARY.lower()}-gpu17:8123"
PLACE = f"/srv/{CANARY}/rows"


def reply(request: Request) -> str | Failure:
    """Right, wrong, or a failure that tells all it knows."""
    said = str(request.messages)
    if "2 + 2" in said:
        words = f"cannot connect to {HOST}; see '{PLACE}/my log.txt', ~/{CANARY} or C:\\{CANARY}\\x; env {CANARY}-env"
        return Failure(request.key, FailureKind.REFUSED, words)
    return (
        "<think>\nI count.\n</think>\nIt is \\boxed{2}." if "1 + 1" in said else "<think>\nhm\n</think>\nNo."
    )


def pipeline(folder: Path) -> dict[str, Any]:
    free = {"headers": {"X-Team": CANARY}, "deep": [{"er": [CANARY, f"{CANARY}-deep"]}]}
    teacher = {
        "kind": "openai", "model": f"{PLACE}/model", "base_url": [f"http://{HOST}/v1", f"http://{CANARY}:1/v1"],
        "api_key_env": f"{CANARY.upper()}_NAME", "extra_body": free, "env": {"WHERE": f"{CANARY}-env"},
        "command": ["serve", "--root", PLACE, CANARY], "server_args": {"tag": CANARY}, "engine_args": {"x": free},
    }  # fmt: skip
    unused = {"kind": "vllm", "model": f"/models/{CANARY}", "chat_template": f"~/{CANARY}.jinja"}
    return {
        "pipeline": "canaries",
        "about": {"note": CANARY},
        "engines": {"teacher": teacher, "unused": unused},
        "stages": [
            {"id": "problems", "use": "ingest.file", "with": {"path": [str(folder / CANARY / "rows.jsonl")]}},
            {
                "id": "traces",
                "use": "generate.traces",
                "with": {"engine": "teacher", "prompt": "solve.plain@1"},
            },
            {"id": "checked", "use": "verify.answers"},
            {"id": "kept", "use": "select.traces"},
            {"id": "chat", "use": "export.chat"},
            {"id": "hub", "use": "export.hub", "with": {"raw": "checked"}},
            {"id": "after", "use": "ingest.file", "with": {"path": [f"{folder}/{CANARY}/rows.jsonl"]}},
        ],
    }


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, RunDir]:
    here = tmp_path / f"{CANARY} home"
    (tmp_path / CANARY).mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here))
    rows = [
        {
            "question": f"What is {n} + {n}?",
            "gold": str(2 * n),
            "checker": "math",
            "source": f"{here}/rows.jsonl",
        }
        for n in range(1, 4)
    ]
    (tmp_path / CANARY / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    file = tmp_path / "canaries.yaml"
    file.write_text(yaml.safe_dump(pipeline(tmp_path)))
    engine = Scripted(name=f"{PLACE}/model", reply=reply)
    plan = load_plan(file, engines={"teacher": engine})
    record = open_run(plan, tmp_path / "runs")
    run(
        plan, store=tmp_path / "store", record=record, executor=Inline({"teacher": engine}), watcher=Watcher()
    )
    write_report(record.path, tmp_path / "store")
    return next((tmp_path / "store").glob("export.hub-*")) / "out", record


def told(file: Path) -> str:
    """All that a file says: its bytes, and a table's values, which are compressed in them."""
    values = json.dumps(pl.read_parquet(file).to_dicts()) if file.suffix == ".parquet" else ""
    return file.read_bytes().decode("latin-1") + values


def test_what_is_this_machines_own_is_nowhere_in_the_exported_folder(exported: tuple[Path, RunDir]):
    folder, _ = exported
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".md", ".yaml", "", ".parquet"}
    assert [str(file) for file in files if CANARY.lower() in told(file).lower()] == []


def test_what_is_left_of_the_pipeline_says_what_the_line_did(exported: tuple[Path, RunDir]):
    folder, _ = exported
    found = yaml.safe_load((folder / "pipeline.yaml").read_text())
    assert [stage["id"] for stage in found["stages"]] == [
        "problems",
        "traces",
        "checked",
        "kept",
        "chat",
        "hub",
    ]
    assert found["stages"][0]["with"] == {"path": ["(path)"]}
    assert found["stages"][1]["with"] == {"engine": "teacher", "prompt": "solve.plain@1"}
    assert list(found["engines"]) == ["teacher"]
    assert found["engines"]["teacher"]["kind"] == "openai"
    assert found["engines"]["teacher"]["extra_body"] == "(left out)"
    raw = pl.concat(pl.read_parquet(file) for file in (folder / "data" / "raw").iterdir())
    assert raw["model"].unique().to_list() == ["(path)"]


def test_the_report_shows_the_pipeline_without_them(exported: tuple[Path, RunDir]):
    _, record = exported
    page = (record.path / "report.html").read_text()
    assert "use: generate.traces" in page
    assert CANARY.lower() not in page.lower()


@pytest.mark.parametrize("name", ["env", "extra_body", "server_args", "engine_args"])
def test_with_the_name_of_a_secret_there_is_no_run(name: str, tmp_path: Path):
    raw = pipeline(tmp_path)
    raw["engines"]["unused"][name] = {"deep": [{"HF_TOKEN": CANARY}]}
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(raw))
    with pytest.raises(
        ConfigError, match=rf"engines\.unused\.{name}\.deep\[0\]\.HF_TOKEN: holds a secret"
    ) as caught:
        load_plan(tmp_path / "p.yaml")
    assert CANARY not in str(caught.value)
