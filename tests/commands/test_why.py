"""What `why` prints is rows of anybody's, and no markup."""

from __future__ import annotations

import json

import pytest

from distillery.cli import main

LINE = """
stages:
  - {id: rows, use: ingest.file, with: {path: rows.jsonl, keep: [trace_id, text]}}
  - {id: checked, use: verify.answers}
  - {id: filtered, use: filter.quality}
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["[/]", "[/red] a", "[bold]", "[link=x", "\\\\[", ":smile:", "-x", "../7"])
def test_an_id_that_looks_like_markup_is_printed_as_it_is(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    rows = [{"question": "Why?", "trace_id": name, "text": text} for text in ("So.", "Because.")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "line.yaml").write_text(LINE)
    assert main(["run", "line.yaml"]) == 0
    capsys.readouterr()
    assert main(["why", "line"]) == 0
    assert name in capsys.readouterr().out
    assert main(["why", "--", "line", name]) == 0
    assert f"dropped: no_thought  no thought  ({name})" in capsys.readouterr().out
    assert main(["why", "line", "rows.jsonl:2"]) == 0
    assert f"dropped: id_taken  {name}  (rows.jsonl:2)" in capsys.readouterr().out
