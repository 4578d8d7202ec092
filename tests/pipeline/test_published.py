from __future__ import annotations

from pathlib import Path

import yaml

from distillery.pipeline import load_plan
from distillery.pipeline.published import published, published_text

PIPELINE = """
about: {note: of this machine}
engines:
  small: {kind: transformers, batch_size: 16, model: me/small}
  judge: {kind: openai, model: deepseek-chat, base_url: "http://gpu17:8000/v1", extra_body: {mode: flag-abcdefgh}}
  unused: {kind: openai, model: other, base_url: "http://elsewhere:1/v1"}
stages:
  - {id: web, use: ingest.miniature, with: {part: corpus, count: 9}}
  - {id: base, use: train.base}
  - {id: rows, use: ingest.file, with: {path: [/home/me/a.jsonl, "~/b/*.jsonl", data/seeds/general.jsonl]}}
  - {id: traces, use: generate.traces, with: {engine: {use: small, model: {from: base}}, prompt: solve.plain@1}}
  - {id: checked, use: verify.answers}
  - {id: judged, use: judge.answers, with: {engine: judge}}
  - id: unique
    use: dedup.semantic
    with: {key: trace_id, embedding: {model: BAAI/bge-m3, base_url: "http://10.0.0.9:80", api_key_env: MY_KEY}}
  - {id: chat, use: export.chat}
  - {id: hub, use: export.hub, with: {raw: judged}}
  - {id: after, use: train.sft, from: chat, with: {model: /models/secret}}
"""


def test_what_is_published_is_the_line_without_where_and_how_it_runs(tmp_path: Path):
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"question": "1", "gold": "1"}')
    (tmp_path / "p.yaml").write_text(PIPELINE.replace("/models/secret", "{from: base}"))
    plan = load_plan(tmp_path / "p.yaml", settings=[f"stages.rows.path=[{rows}, data/seeds/general.jsonl]"])
    text, private = published(plan, "hub")
    assert yaml.safe_load(text) == {
        "pipeline": "p",
        "engines": {
            "small": {"kind": "transformers", "batch_size": "(left out)", "model": "me/small"},
            "judge": {
                "kind": "openai", "model": "deepseek-chat", "base_url": "(left out)", "extra_body": "(left out)"
            },
        },
        "stages": [
            {"id": "web", "use": "ingest.miniature", "with": {"part": "corpus", "count": 9}},
            {"id": "base", "use": "train.base"},
            {"id": "rows", "use": "ingest.file", "with": {"path": ["(path)", "data/seeds/general.jsonl"]}},
            {
                "id": "traces", "use": "generate.traces",
                "with": {"engine": {"use": "small", "model": {"from": "base"}}, "prompt": "solve.plain@1"},
            },
            {"id": "checked", "use": "verify.answers"},
            {"id": "judged", "use": "judge.answers", "with": {"engine": "judge"}},
            {
                "id": "unique", "use": "dedup.semantic",
                "with": {
                    "key": "trace_id",
                    "embedding": {"model": "BAAI/bge-m3", "base_url": "(left out)", "api_key_env": "(left out)"},
                },
            },
            {"id": "chat", "use": "export.chat"},
            {"id": "hub", "use": "export.hub", "with": {"raw": "judged"}},
        ],
    }  # fmt: skip
    assert {"gpu17:8000", "gpu17", "flag-abcdefgh", "10.0.0.9:80", "elsewhere:1", str(rows)} <= {*private}
    assert not {"deepseek-chat", "me/small", "transformers", "solve.plain@1"} & {*private}


def test_the_whole_file_of_a_run_is_shown_the_same_way():
    found = yaml.safe_load(published_text(PIPELINE))
    assert [stage["id"] for stage in found["stages"]][-1] == "after"
    assert found["stages"][-1]["with"] == {"model": "(path)"}
    assert "about" not in found
    assert published_text("just a text") == ""


def test_the_file_that_a_run_keeps_can_be_run_again(tmp_path: Path):
    (tmp_path / "p.yaml").write_text(PIPELINE.replace("/models/secret", "{from: base}"))
    plan = load_plan(tmp_path / "p.yaml", settings=["stages.rows.path=data/seeds/general.jsonl"])
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "p.yaml").write_text(yaml.safe_dump(dict(plan.resolved)))
    again = load_plan(tmp_path / "kept" / "p.yaml")
    assert [step.fingerprint for step in again.steps] == [step.fingerprint for step in plan.steps]
