from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from distillery.cli import main
from distillery.pipeline import load_plan
from distillery.stages.base import Output
from distillery.store.stage_dir import StageDir

ROOT = Path(__file__).parents[2]
LINE = {
    "engines": {"teacher": {"kind": "openai", "model": "some-api"}},
    "stages": [
        {"id": "problems", "use": "ingest.reasoning_gym", "with": {"task": "chain_sum", "size": 1000}},
        {
            "id": "traces",
            "use": "generate.traces",
            "with": {"engine": "teacher", "prompt": "solve.plain@1", "samples": 2},
            "expect": {"tokens": 300, "prompt_tokens": 100},
        },
        {"id": "kept", "use": "dedup.exact", "with": {"key": "trace_id"}},
    ],
}
PRICES = "as_of: 2026-01\nbytes_per_token: 2\napi: {some-api: {input_usd: 1.0, output_usd: 10.0}}\n"


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pipeline with a price file beside it; prompts are found from the repository's root."""
    monkeypatch.chdir(ROOT)
    (tmp_path / "prices.yaml").write_text(PRICES)
    (tmp_path / "line.yaml").write_text(yaml.safe_dump(LINE))
    return tmp_path / "line.yaml"


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def row(text: str, stage: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.startswith(f"{stage} "))


def test_a_plan_shows_each_step_and_what_is_owed_in_all(line: Path, capsys: pytest.CaptureFixture[str]):
    text = said(capsys, "plan", line, "--data-dir", line.parent / "data")
    assert "line: 3 steps, 0 done, 3 owed, seed 0" in text
    assert row(text, "traces")[4:8] == ["owed", "2,000", "600K", "200K"]
    assert row(text, "kept")[4:7] == ["owed", "≤", "2,000"]
    assert "USD             6.20" in text
    assert "300 tokens a completion (expected): traces" in text


def test_a_plan_of_a_part_and_of_few_rows_is_of_these(line: Path, capsys: pytest.CaptureFixture[str]):
    text = said(capsys, "plan", line, "--until", "traces", "--limit", 5, "--data-dir", line.parent / "data")
    assert "2 steps" in text
    assert row(text, "traces")[5] == "10"


def test_what_no_price_is_known_for_is_a_question_mark(line: Path, capsys: pytest.CaptureFixture[str]):
    (line.parent / "prices.yaml").write_text("as_of: 2026-01\n")
    text = said(capsys, "plan", line, "--data-dir", line.parent / "data")
    assert "GPU-hours       0 + ? (traces)" in text


def test_a_dry_run_is_a_plan(line: Path, capsys: pytest.CaptureFixture[str]):
    assert "still owed" in said(capsys, "run", line, "--dry-run", "--data-dir", line.parent / "data")


def test_what_a_limited_run_measured_is_used_for_the_whole(line: Path, capsys: pytest.CaptureFixture[str]):
    data = line.parent / "data"
    sample = load_plan(line, limit=1)
    folder = StageDir(data / "store" / sample.step("traces").folder)
    rows = pl.DataFrame({"completion_tokens": [40, 60], "prompt_tokens": [7, 7]})
    folder.write(0, Output.all_kept(rows), 1)
    run = data / "runs" / "line" / "1"
    run.mkdir(parents=True)
    (run / "pipeline.yaml").write_text(yaml.safe_dump(dict(sample.resolved)))
    facts = [{"id": step.id, "folder": step.folder} for step in sample.steps]
    (run / "run.json").write_text(json.dumps({"steps": facts}))
    text = said(capsys, "plan", line, "--data-dir", data)
    assert "50 tokens a completion (measured on 2): traces" in text
    assert row(text, "traces")[6] == "100K"


def test_a_limited_run_with_another_engine_measured_something_else(
    line: Path, capsys: pytest.CaptureFixture[str]
):
    run = line.parent / "data" / "runs" / "line" / "1"
    run.mkdir(parents=True)
    (run / "pipeline.yaml").write_text(yaml.safe_dump({**LINE, "engines": {}}))
    (run / "run.json").write_text('{"steps": []}')
    text = said(capsys, "plan", line, "--data-dir", line.parent / "data")
    assert "300 tokens a completion (expected): traces" in text
