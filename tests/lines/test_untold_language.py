"""What a line could not look at is in its console, its report and its card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from distillery.cli import main

PIPELINE = """
stages:
  - id: traces
    use: ingest.file
    with: {path: traces.jsonl, keep: [trace_id, text]}
  - {id: filtered, use: filter.quality}
  - {id: chat, use: export.chat}
  - {id: hub, use: export.hub, with: {configs: [sft]}}
"""
REMARK = "language: 1 of 2 rows could not be told; not checked"


@pytest.mark.slow
def test_rows_whose_language_could_not_be_told_are_named_everywhere(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        {"question": "Sum 2+2", "text": "<think>\n二加二等于四，所以答案是四。\n</think>\n4"},
        {
            "question": "What is the sum of the two numbers?",
            "text": "<think>\nI add two and two.\n</think>\nIt is four.",
        },
    ]
    (tmp_path / "traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "line.yaml").write_text(PIPELINE)
    data = tmp_path / "data"
    assert main(["run", str(tmp_path / "line.yaml"), "--data-dir", str(data)]) == 0
    said = capsys.readouterr().out
    assert f"2 in, 2 out, 0 dropped; {REMARK}" in said
    assert "LOOK: language: 1 of 2 rows could not be told" in said
    (report,) = data.glob("runs/line/*/report.html")
    assert f"filtered: {REMARK}" in report.read_text()
    (card,) = data.glob("store/export.hub-*/out/README.md")
    assert f"`filtered`: {REMARK}." in card.read_text()
