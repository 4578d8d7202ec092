from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from distillery import shards
from distillery.cli import main

LINE = """
pipeline: line
stages:
  - {id: given, use: ingest.file, with: {path: rows.jsonl}}
  - {id: unique, use: dedup.exact}
"""


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run of two stages."""
    monkeypatch.chdir(tmp_path)
    rows = [{"question": f"What is {n} + {n}?", "gold": str(2 * n)} for n in (1, 2, 3)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0]]))
    (tmp_path / "line.yaml").write_text(LINE)
    assert main(["run", "line.yaml"]) == 0
    return tmp_path / "data"


def test_a_run_that_is_as_it_was(done: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["verify-run", "line"]) == 0
    said = capsys.readouterr().out
    assert "line: 4 files" in said
    assert "all as the manifest says" in said


def test_the_manifest_names_what_the_run_stands_on(done: Path):
    known = json.loads((done / "runs" / "line" / "1" / "manifest.json").read_text())
    assert known["seed"] == 0
    assert known["resolved"]["stages"][0]["use"] == "ingest.file"
    assert "polars" in known["versions"]
    given, unique = known["steps"]
    assert (given["rows_out"], given["rows_dropped"], unique["rows_in"]) == (3, 1, 3)
    assert list(given["files"]) == ["dropped-00000.parquet", "shard-00000.parquet"]
    assert all(len(digest) == 64 for digest in unique["files"].values())


def test_equal_work_is_an_equal_manifest(done: Path, tmp_path: Path):
    assert main(["run", "line.yaml", "--data-dir", "other"]) == 0
    one, two = (folder / "runs" / "line" / "1" / "manifest.json" for folder in (done, tmp_path / "other"))
    assert one.read_bytes() == two.read_bytes()


def test_a_changed_a_lost_and_a_shortened_file_are_named(done: Path, capsys: pytest.CaptureFixture[str]):
    given, unique = (next((done / "store").glob(f"{use}-*")) for use in ("ingest.file", "dedup.exact"))
    shard = given / "shard-00000.parquet"
    shards.write(shard, shards.read(shard).with_columns(gold=pl.lit("7")))
    (unique / "dropped-00000.parquet").unlink()
    rows = shards.read(unique / "shard-00000.parquet")
    shards.write(unique / "shard-00000.parquet", rows.head(2))
    assert main(["verify-run", "line"]) == 4
    said = capsys.readouterr().out
    assert "shard-00000.parquet: its sha256 is" in said
    assert "dropped-00000.parquet: gone" in said
    assert "unique: rows_out is 3; its files have 2" in said
    assert "line: 4 files" in said
    assert "4 faults" in said


def test_a_run_without_a_manifest_says_what_to_do(done: Path, capsys: pytest.CaptureFixture[str]):
    (done / "runs" / "line" / "1" / "manifest.json").unlink()
    assert main(["verify-run", "line"]) == 2
    assert "run its pipeline again" in capsys.readouterr().err
    assert main(["run", "line.yaml"]) == 0
    assert main(["verify-run", "line"]) == 0
