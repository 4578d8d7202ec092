"""What export.hub publishes comes back by its name alone, with every column that it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillery.api import Run
from distillery.config import build
from distillery.curate.publish.hub_rows import DROPPED, SCHEMAS, raw_rows
from distillery.engines.base import Request
from distillery.engines.scripted import Scripted
from distillery.errors import ConfigError
from distillery.pipeline import load_plan
from distillery.pipeline.estimate import estimate
from distillery.pipeline.prices import Prices
from distillery.reasoning import split
from distillery.records import JUDGEMENT, LEDGER, PROBLEM, TRACE, VERDICT, Problem
from distillery.runner import Watcher, open_run, run
from distillery.stages.base import ExportJob
from distillery.stages.export.chat import ExportChat
from distillery.stages.export.hub import ExportHub
from distillery.stages.ingest.file import IngestFile
from distillery.stages.ingest.hub import IngestHub
from distillery.stages.ingest.mapping.our_configs import OUR_CONFIGS, our_rows
from distillery.stages.note import Note
from tests.inline import Inline

COLUMNS = {**PROBLEM, **TRACE, **VERDICT, **JUDGEMENT}
OWN = {"default": {"solution"}, "sft": {"num_tokens"}, "rl": set[str](), "raw": {"kept", "rejected_at", "reject_reason", "reject_detail"}}  # fmt: skip
TALK = {"history": [["user", "Hi."], ["assistant", "Hello."]], "system": "Be brief."}
PROBLEMS = [
    Problem("What is 1 + 1?", "2", checker="math", source="sums", language="en"),
    Problem("Which? (A) 1 (B) 2", "B", checker="choice", domain="stem", source="https://x.org/exams"),
    Problem("And now?", "4", checker="exact", domain="general", thinking="off", payload=json.dumps(TALK)),
    Problem("Write f.", "", checker="program", domain="code", payload='{"tests": [{"input": "1", "output": "2"}]}'),
    Problem("  Weiß: \\frac{1}{2} | ` <b>\n---\n?  ", "½", checker="own:check", language="zh"),
]  # fmt: skip
WRONG = [
    ("<think>\nhm", "no_answer", 0.0, None),
    ("", "error", None, None),
    ("<answer> 7 </answer> </think>", "wrong", 0.0, "incorrect"),
    ("\n  <|begin_of_thought|> x <|end_of_thought|> 7\n", "timeout", None, "unclear"),
    ("reasoning: 7", "wrong", 0.0, "correct"),
]


def sample(
    problem: Problem, number: int, text: str, outcome: str, score: float | None, judge: str | None
) -> dict[str, Any]:
    thought, answer = split(text)
    return {
        **problem.row(), "trace_id": f"{problem.problem_id[:6]}-{number}", "sample": number, "engine": "teacher",
        "model": "tiny@main", "prompt": "solve@1:abc", "sampling": '{"temperature": 1.0}', "text": text,
        "reasoning": thought, "answer": answer, "finish": "stop" if thought is not None else "length",
        "prompt_tokens": 10, "completion_tokens": 20 + number, "outcome": outcome, "score": score,
        "extracted": problem.gold or None, "detail": "as told", "judge_verdict": judge,
        "judge_text": judge and f"It is {judge}.", "judge_tokens": judge and 3, "accepted": score == 1.0,
        "accepted_by": "rule" if score == 1.0 else "",
    }  # fmt: skip


def samples() -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for problem, wrong in zip(PROBLEMS, WRONG, strict=True):
        thought = "" if problem.thinking == "off" else "I count.\n\nTwice."
        right = f"<think>\n{thought}\n</think>\nIt is {problem.gold}."
        rows += [sample(problem, 0, right, "correct", 1.0, None), sample(problem, 1, *wrong)]
    return pl.DataFrame(rows, schema=COLUMNS)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return export(tmp_path, ExportChat())


def export(folder: Path, chat: ExportChat) -> Path:
    every = samples()
    kept = chat.apply(every.filter(pl.col("accepted")), _Prompts()).kept
    assert kept.height == len(PROBLEMS)
    lost = every.filter(~pl.col("accepted"))["trace_id"]
    place = folder / "select.traces-f00d"
    place.mkdir(parents=True)
    kept.write_parquet(folder / "kept.parquet")
    every.write_parquet(folder / "every.parquet")
    gone = {
        "key": lost,
        "reason": ["not_correct"] * len(lost),
        "detail": [f"no. {n}" for n in range(len(lost))],
    }
    pl.DataFrame(gone, schema=LEDGER).write_parquet(place / "dropped-00000.parquet")
    job = ExportJob(
        tables=[folder / "kept.parquet"],
        ledger=[place / "dropped-00000.parquet"],
        history=[Note(id="kept", use="select.traces", fingerprint="f00d", rows_in=10, rows_out=5, rows_dropped=5)],
        pipeline="stages: []",
        out=folder / "hub",
        seed=0,
        raw=[folder / "every.parquet"],
    )  # fmt: skip
    ExportHub(raw="judged").export(job)
    return job.out


class _Prompts:
    seed = 0

    def prompt(self, name: str) -> Any:
        from distillery.prompts import load_prompt, prompt_folders

        return load_prompt(name, *prompt_folders())


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


def read(stage: IngestHub | IngestFile) -> pl.DataFrame:
    outputs = list(stage.shards(None))
    assert [output.dropped.rows() for output in outputs] == [[]]
    return outputs[0].kept


def by_name(folder: Path, config: str) -> IngestHub:
    return build(IngestHub, {"name": str(folder), "config": config}, where="stages.back")


def expected(config: str) -> pl.DataFrame:
    every, kept = samples(), pl.col("accepted")
    if config == "default":
        said = pl.when(pl.col("outcome") == "no_answer").then(pl.lit("wrong")).otherwise("outcome")
        judged = ~pl.col("outcome").is_in(["error", "timeout"])
        judge = (
            pl.when(pl.col("judge_verdict") == "unclear").then(pl.lit("incorrect")).otherwise("judge_verdict")
        )
        return every.with_columns(outcome=pl.when(judged).then(said), judge_verdict=judge)
    return every if config == "raw" else every.filter(kept)


@pytest.mark.parametrize("config", SCHEMAS)
def test_a_config_comes_back_by_its_name_with_all_that_it_holds(exported: Path, config: str):
    stage = by_name(exported, config)
    found, before = read(stage), expected(config)
    assert found.schema == pl.Schema(stage.writes)
    held = [name for name in COLUMNS if name not in DROPPED[config]]
    if config == "sft":
        talk = [json.dumps(TALK, sort_keys=True) if "history" in text else "{}" for text in before["payload"]]
        assert [json.dumps(json.loads(text), sort_keys=True) for text in found["payload"]] == talk
        assert found["question"].to_list() == [text.strip() for text in before["question"]]
        held = [name for name in held if name not in ("payload", "question")]
    assert found.select(held).equals(before.select(held), null_equal=True)
    assert found.select(held).schema == before.select(held).schema


@pytest.mark.parametrize("config", SCHEMAS)
def test_what_a_config_does_not_hold_is_declared_and_nothing_else(config: str):
    options = OUR_CONFIGS[config]
    given = {*PROBLEM, *options.get("keep", ())}
    assert given - {*COLUMNS} == OWN[config]
    columns = {*SCHEMAS[config]}
    made = {
        "problem_id",
        "reasoning",
        "answer",
        *(("question", "text", "payload") if config == "sft" else ()),
    }
    source = {name: options.get("columns", {}).get(name, name) for name in given}
    lost = {
        name for name in COLUMNS if name not in given or (source[name] not in columns and name not in made)
    }
    assert lost == {*DROPPED[config]}


@pytest.mark.parametrize("config", SCHEMAS)
def test_its_parquet_files_alone_are_recognised(exported: Path, config: str):
    files = IngestFile(path=str(exported / "data" / config / "*.parquet"))
    assert files.remark == f"read as the config {config} of export.hub"
    assert read(files).equals(read(by_name(exported, config)))


def test_the_default_config_needs_no_name(exported: Path):
    stage = build(IngestHub, {"name": str(exported)}, where="stages.back")
    assert stage.our_config == "default"
    assert read(stage)["sample"].to_list() == [0, 1] * len(PROBLEMS)


def test_why_a_row_left_comes_back_as_columns(exported: Path):
    found = read(by_name(exported, "raw")).select("kept", "rejected_at", "reject_reason", "reject_detail")
    assert found.rows()[:2] == [(True, None, None, None), (False, "kept", "not_correct", "no. 0")]
    assert found.schema["kept"] == pl.Boolean


def test_a_chat_comes_back_as_it_was_said_and_goes_out_the_same(tmp_path: Path):
    chat = ExportChat(prompt="solve.boxed@1")
    folder = export(tmp_path, chat)
    found = read(by_name(folder, "sft"))
    assert found["question"][0] != "What is 1 + 1?"
    before = pl.read_parquet(folder / "data" / "sft" / "*.parquet")["messages"]
    assert ExportChat().apply(found, _Prompts()).kept["messages"].to_list() == before.to_list()


def test_a_row_for_rl_keeps_its_problem_whatever_the_chat_made_of_it(tmp_path: Path):
    found = read(by_name(export(tmp_path, ExportChat(prompt="solve.boxed@1")), "rl"))
    assert found.equals(samples().filter("accepted").select(*PROBLEM))


def test_a_mapping_of_ones_own_goes_before_what_is_recognised(exported: Path):
    options = {"name": str(exported), "config": "raw", "columns": {"question": "problem"}, "keep": ["kept"]}
    stage = build(IngestHub, options, where="stages.back")
    assert stage.remark == ""
    assert stage.writes.keys() == {*PROBLEM, "kept"}


def test_files_that_have_our_columns_only_together_are_anybodys(exported: Path, tmp_path: Path):
    whole = pl.read_parquet(exported / "data" / "raw" / "*.parquet")
    whole.select("problem", "uuid").write_parquet(tmp_path / "part.parquet")
    whole.drop("uuid").write_parquet(tmp_path / "rest.parquet")
    assert build(IngestFile, {"path": str(tmp_path / "[pr]*t.parquet")}, where="x").our_config == ""


def test_columns_that_are_nearly_ours_are_anybodys(exported: Path):
    file = next((exported / "data" / "raw").glob("*.parquet"))
    pl.read_parquet(file).with_columns(more=1).write_parquet(file)
    with pytest.raises(ConfigError, match="there is no column 'question'"):
        read(IngestFile(path=str(file)))


TEXT = st.lists(
    st.sampled_from(
        ["<think>", "</think>", "\n", " ", "7", "<|begin_of_thought|>", "<answer>", "\0", "\u2028", "# Thought\n", "🙂", "NaN", "null"]
    ),
    max_size=6,
).map("".join)  # fmt: skip


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_no_text_is_read_into_anything_else(texts: list[tuple[str, str]]):
    problem = Problem("What is 1 + 1?", "2", checker="math", language="en-US", payload='{"a": [1, null]}')
    made = [
        sample(problem, n, text, "wrong", 0.0, None)
        | {"extracted": other, "prompt": other, "judge_text": other}
        for n, (text, other) in enumerate(texts)
    ]
    table = pl.DataFrame(made, schema=COLUMNS)
    kept = table.select("trace_id").head(1)
    left = pl.DataFrame(
        schema={"key": pl.String, "stage": pl.String, "reason": pl.String, "detail": pl.String}
    )
    mapped = [our_rows("raw", "x", {}).row(row) for row in raw_rows(table, kept=kept, left=left).to_dicts()]
    held = [name for name in COLUMNS if name not in DROPPED["raw"]]
    assert [[row[name] for name in held] for row in mapped] == [
        list(row) for row in table.select(held).rows()
    ]


LINE = """
engines: {teacher: {kind: scripted}}
stages:
  - {id: problems, use: ingest.file, with: {path: ROWS}}
  - {id: traces, use: generate.traces, with: {engine: teacher, prompt: solve.boxed@1, samples: 3}}
  - {id: checked, use: verify.answers}
  - {id: judged, use: judge.answers, with: {engine: teacher}}
  - {id: kept, use: select.traces}
  - {id: chat, use: export.chat}
  - {id: hub, use: export.hub, with: {raw: judged}}
"""
BACK = """
stages:
  - foreach: {config: [default, sft, rl, raw]}
    stages: [{id: "${config}", use: ingest.hub, with: {name: FOLDER, config: "${config}"}}]
"""


def answer(request: Request) -> str:
    text = str(request.messages)
    if "Final answer" in text or "reference" in text.lower():
        return "incorrect"
    number = request.key[-1] in "01234567"
    return f"<think>\nI count, {request.key[:5]}.\n</think>\nIt is \\boxed{{{4 if number else 5}}}."


def run_line(folder: Path, name: str, text: str, engine: Scripted) -> Run:
    file = folder / f"{name}.yaml"
    file.write_text(text)
    plan = load_plan(file, engines={"teacher": engine})
    record = open_run(plan, folder / "runs")
    run(plan, store=folder / "store", record=record, executor=Inline({"teacher": engine}), watcher=Watcher())
    return Run(record.path, folder)


def test_a_line_reads_back_what_an_earlier_one_has_published(tmp_path: Path):
    rows = [
        {"question": f"What is {4 - n} + {n}?", "gold": "4", "checker": "math", "source": "sums"}
        for n in range(5)
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    engine = Scripted(reply=answer)
    line = run_line(tmp_path, "line", LINE.replace("ROWS", str(tmp_path / "rows.jsonl")), engine)
    text = BACK.replace("FOLDER", str(line.path("hub") / "out"))
    back = run_line(tmp_path, "back", text, engine)
    tables = {"default": "judged", "sft": "chat", "rl": "chat", "raw": "judged"}
    for config, stage in tables.items():
        found, before = back.rows(config), line.rows(stage)
        if config == "default":
            chosen = line.rows("chat")["problem_id"].unique().implode()
            before = before.filter(pl.col("problem_id").is_in(chosen))
        lost = {*DROPPED[config], *(("question", "problem_id", "payload") if config == "sft" else ())}
        held = [name for name in before.columns if name in COLUMNS and name not in lost]
        assert found.height == before.height > 0
        assert found.select(held).sort(held).equals(before.select(held).sort(held))
    notes = estimate(load_plan(tmp_path / "back.yaml"), store=None, prices=Prices())[3].notes
    assert "read as the config raw of export.hub" in notes
