from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from distillery.config import build
from distillery.curate.publish.hub_rows import DEFAULT, RAW, RL, SCHEMAS, SFT
from distillery.errors import ConfigError, DistilleryError
from distillery.records import JUDGEMENT, LEDGER, PROBLEM, TRACE, VERDICT, Problem
from distillery.stages.base import ExportJob, Sink
from distillery.stages.export.chat import MESSAGES
from distillery.stages.export.hub import ExportHub
from distillery.stages.export.hub_files import features
from distillery.stages.ingest.hub import IngestHub
from distillery.stages.note import Note

PIPELINE = "pipeline: tiny\nstages:\n- {id: kept, use: select.traces}\n"


def sample(problem: Problem, number: int, **more: Any) -> dict[str, Any]:
    text = more.pop("text", f"<think>\ncount {number}\n</think>\nIt is {problem.gold}.")
    row = {
        **problem.row(),
        "trace_id": f"{problem.problem_id}-{number}",
        "sample": number,
        "engine": "teacher",
        "model": "tiny@main",
        "prompt": "solve@1:abc",
        "sampling": '{"temperature":0.6}',
        "text": text,
        "reasoning": f"count {number}",
        "answer": f"It is {problem.gold}.",
        "finish": "stop",
        "prompt_tokens": 10,
        "completion_tokens": 20 + number,
        "outcome": "correct",
        "score": 1.0,
        "extracted": problem.gold,
        "detail": "",
        "judge_verdict": None,
        "judge_text": None,
        "accepted": True,
        "accepted_by": "rule",
    }
    return row | more


def problems(count: int) -> list[Problem]:
    return [Problem(f"What is {n} + {n}?", str(2 * n), checker="math", source="sums") for n in range(count)]


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={**PROBLEM, **TRACE, **VERDICT, **JUDGEMENT})


def chats(table: pl.DataFrame) -> pl.DataFrame:
    said = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": text}]
        for question, text in zip(table["question"], table["text"], strict=True)
    ]
    tokens = table["prompt_tokens"] + table["completion_tokens"]
    return table.with_columns(pl.Series("messages", said, dtype=MESSAGES), tokens.alias("num_tokens"))


def save(table: pl.DataFrame, folder: Path, *, rows: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for number, piece in enumerate(table.iter_slices(rows)):
        files.append(folder / f"shard-{number:05d}.parquet")
        piece.write_parquet(files[-1])
    return files


def ledger(folder: Path, *entries: tuple[str, str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "dropped-00000.parquet"
    pl.DataFrame(list(entries), schema=dict(LEDGER), orient="row").write_parquet(file)
    return file


def note(use: str, rows_in: int, rows_out: int, **more: Any) -> Note:
    counts = {"rows_in": rows_in, "rows_out": rows_out, "rows_dropped": rows_in - rows_out}
    return Note(id=use.split(".")[0], use=use, **{"fingerprint": "f00d"} | counts | more)


def job(folder: Path, *, count: int = 5, rows: int = 4) -> ExportJob:
    """`count` problems of two samples each; the second sample of each is wrong and was not kept."""
    samples: list[dict[str, Any]] = []
    for problem in problems(count):
        wrong = {"outcome": "wrong", "score": 0.0, "judge_verdict": "incorrect", "accepted": False}
        samples += [sample(problem, 0), sample(problem, 1, **wrong, accepted_by="", text="<think>\nhm")]
    table = frame(samples)
    kept = chats(table.filter(pl.col("sample") == 0))
    lost = table.filter(pl.col("sample") == 1)["trace_id"]
    return ExportJob(
        tables=save(kept, folder / "export.chat-beef", rows=rows),
        ledger=[ledger(folder / "select.traces-f00d", *((key, "wrong", "said 7") for key in lost))],
        history=[note("select.traces", 2 * count, count)],
        pipeline=PIPELINE,
        out=folder / "hub",
        seed=0,
        raw=save(table, folder / "judge.answers-cafe", rows=rows),
    )


HUB = ExportHub(raw="judged", license="apache-2.0", languages=("en",), repo="me/tiny-traces")


def load(folder: Path, config: str, cache: Path) -> Any:
    from datasets import load_dataset

    return load_dataset(str(folder), config, split="train", cache_dir=str(cache))


def front(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])


def rows(folder: Path, config: str) -> list[dict[str, Any]]:
    return pl.concat(pl.read_parquet(f) for f in sorted((folder / "data" / config).iterdir())).to_dicts()


@pytest.fixture
def line(tmp_path: Path) -> ExportJob:
    return job(tmp_path)


def test_it_is_a_sink():
    assert isinstance(HUB, Sink)


@pytest.mark.slow
@pytest.mark.parametrize("config", ["default", "sft", "rl", "raw"])
def test_every_config_loads_back_as_it_was_written(line: ExportJob, config: str, tmp_path: Path):
    dataclasses.replace(HUB, rows_per_shard=2).export(line)
    loaded = load(line.out, config, tmp_path / "cache")
    assert loaded.features == features(SCHEMAS[config])
    assert loaded.to_list() == rows(line.out, config)
    assert len(loaded) == {"raw": 10}.get(config, 5)


def test_a_default_row_has_all_generations_of_its_problem(line: ExportJob):
    HUB.export(line)
    first = rows(line.out, "default")[0]
    assert list(first) == list(DEFAULT)
    assert first["problem"] == "What is 0 + 0?"
    assert first["answer"] == "0"
    assert first["question_type"] == "math-word-problem"
    assert first["generations"] == ["<think>\ncount 0\n</think>\nIt is 0.", "<think>\nhm"]
    assert first["is_reasoning_complete"] == [True, False]
    assert first["correctness_math_verify"] == [True, False]
    assert first["correctness_llama"] == [None, False]
    assert first["correctness_count"] == 1
    assert first["finish_reasons"] == ["stop", "stop"]
    assert first["messages"][1]["content"] == "<think>\ncount 0\n</think>\nIt is 0."


def test_a_sample_that_could_not_be_judged_is_null_and_not_false(line: ExportJob, tmp_path: Path):
    (problem,) = problems(1)
    table = frame([sample(problem, 0), sample(problem, 1, outcome="timeout", score=None)])
    raw = save(table, tmp_path / "judged", rows=9)
    HUB.export(dataclasses.replace(line, raw=raw))
    assert rows(line.out, "default")[0]["correctness_math_verify"] == [True, None]


def test_a_judge_who_was_never_asked_is_null(line: ExportJob):
    ExportHub(configs=("default",)).export(dataclasses.replace(line, raw=None))
    assert rows(line.out, "default")[0]["correctness_llama"] is None


def test_the_problems_keep_the_order_in_which_they_first_appear(line: ExportJob, tmp_path: Path):
    order = [3, 1, 3, 2, 1]
    table = chats(frame([sample(problems(5)[n], i) for i, n in enumerate(order)]))
    HUB.export(dataclasses.replace(line, tables=save(table, tmp_path / "mixed", rows=2), raw=None))
    assert [row["answer"] for row in rows(line.out, "default")] == ["6", "2", "4"]
    assert [len(row["generations"]) for row in rows(line.out, "default")] == [2, 2, 1]


def test_a_raw_row_says_why_it_left(line: ExportJob):
    HUB.export(line)
    kept, lost = rows(line.out, "raw")[:2]
    assert list(kept) == list(RAW)
    assert (kept["kept"], kept["reject_reason"]) == (True, None)
    assert (lost["kept"], lost["rejected_at"]) == (False, "select")
    assert (lost["reject_reason"], lost["reject_detail"]) == ("wrong", "said 7")
    assert (lost["prompt"], lost["verdict"], lost["judge_verdict"]) == ("solve@1:abc", "wrong", "incorrect")


def test_where_a_row_left_is_said_before_that_it_stood_in_two_inputs(line: ExportJob, tmp_path: Path):
    lost = pl.read_parquet(line.ledger[0])["key"]
    repeats = ledger(tmp_path / "mix.union-0a0a", *((key, "repeated", "first in a") for key in lost))
    HUB.export(dataclasses.replace(line, ledger=[repeats, *line.ledger]))
    assert {row["reject_reason"] for row in rows(line.out, "raw")} == {None, "wrong"}


def test_the_detail_of_a_raw_row_leaves_no_place_of_the_machine(line: ExportJob, tmp_path: Path):
    lost = pl.read_parquet(line.ledger[0])["key"]
    details = [
        "no file at /home/me/x",
        "gpu17:8000 refused",
        "x " * 95 + "/home/secretly/x",
        "flag abcdefgh",
        "3/4",
    ]
    entries = [(key, "error", detail) for key, detail in zip(lost, details, strict=True)]
    dropped = [ledger(tmp_path / "again" / "select.traces-f00d", *entries)]
    HUB.export(dataclasses.replace(line, ledger=dropped, private=("gpu17:8000", "abcdefgh")))
    told = [row["reject_detail"] for row in rows(line.out, "raw") if not row["kept"]]
    assert told == ["no file at (path)", "(left out) refused", "x " * 95 + "(path)", "flag (left out)", "3/4"]


def test_an_sft_row_can_be_trained_on_as_it_is(line: ExportJob):
    HUB.export(line)
    row = rows(line.out, "sft")[0]
    assert list(row) == list(SFT)
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
    assert (row["num_tokens"], row["source"], row["domain"], row["thinking"]) == (30, "sums", "math", "on")


def test_an_rl_row_is_one_problem_with_its_prompt_only(line: ExportJob):
    HUB.export(line)
    row = rows(line.out, "rl")[0]
    assert list(row) == list(RL)
    assert row["prompt"] == [{"role": "user", "content": "What is 0 + 0?"}]
    assert row["reward_model"] == {"style": "rule", "ground_truth": "0"}
    assert row["checker"] == "math"


def test_what_cannot_be_verified_is_not_in_rl(line: ExportJob, tmp_path: Path):
    table = chats(frame([sample(problems(1)[0], 0), sample(Problem("Say hello.", ""), 0)]))
    counts = HUB.export(dataclasses.replace(line, tables=save(table, tmp_path / "mixed", rows=9)))
    assert (counts["rl"], counts["sft"], counts["default"]) == (1, 2, 2)


def test_shards_are_numbered_and_hold_a_fixed_number_of_rows(line: ExportJob):
    dataclasses.replace(HUB, rows_per_shard=2).export(line)
    names = [file.name for file in sorted((line.out / "data" / "sft").iterdir())]
    assert names == [f"train-0000{n}-of-00003.parquet" for n in range(3)]


def test_the_output_does_not_depend_on_how_the_input_was_cut(tmp_path: Path):
    for name, size in (("a", 1), ("b", 100)):
        (tmp_path / name).mkdir()
        HUB.export(job(tmp_path / name, rows=size))
    files = sorted(f.relative_to(tmp_path / "a") for f in (tmp_path / "a" / "hub").rglob("*.parquet"))
    assert len(files) == 4
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_groups_on_disk_give_the_same_rows_as_one_group(line: ExportJob, monkeypatch: pytest.MonkeyPatch):
    HUB.export(line)
    monkeypatch.setattr("distillery.stages.export.hub._PROBLEMS_PER_GROUP", 2)
    again = dataclasses.replace(line, out=line.out.with_name("again"))
    HUB.export(again)
    assert rows(again.out, "default") == rows(line.out, "default")
    assert not (again.out / "groups").exists()


def test_a_set_without_rows_is_refused(line: ExportJob):
    pl.read_parquet(line.tables[0]).clear().write_parquet(line.tables[0])
    with pytest.raises(DistilleryError, match="no rows"):
        HUB.export(dataclasses.replace(line, tables=line.tables[:1]))


def test_a_config_without_rows_is_left_out(line: ExportJob, tmp_path: Path):
    table = chats(frame([sample(Problem("Say hello.", ""), 0)]))
    counts = HUB.export(dataclasses.replace(line, tables=save(table, tmp_path / "talk", rows=9)))
    assert counts["rl"] == 0
    assert "rl" not in [config["config_name"] for config in front(line.out)["configs"]]


def test_the_front_matter_is_what_the_hub_reads(line: ExportJob):
    HUB.export(line)
    head = front(line.out)
    assert head["license"] == "apache-2.0"
    assert head["language"] == ["en"]
    assert head["task_categories"] == ["text-generation"]
    assert head["size_categories"] == ["n<1K"]
    assert head["pretty_name"] == "tiny-traces"
    assert [config["config_name"] for config in head["configs"]] == ["default", "sft", "rl", "raw"]
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "data/default/train-*"}]
    infos = {info["config_name"]: info for info in head["dataset_info"]}
    assert infos["raw"]["splits"][0]["num_examples"] == 10


def test_the_card_tells_the_whole_line(line: ExportJob):
    history = [
        note("decontaminate.ngrams", 12, 10, fingerprint="dec0", facts={"benchmarks": ["aime24", "math500"]}),
        *line.history,
    ]
    dataclasses.replace(HUB, source_licenses={"sums": "cc0-1.0"}).export(
        dataclasses.replace(line, history=history)
    )
    card = (line.out / "README.md").read_text()
    assert "| `select` | `select.traces` | 10 | 5 | 5 | wrong 5 |" in card
    assert "`decontaminate` removed 2 of 12 rows" in card
    assert "aime24, math500" in card
    assert "| sums | 5 | cc0-1.0 |" in card
    assert "| `tiny@main` | `solve@1:abc` |" in card
    assert "| math | 5 | 30 | 30 | 30 | 30 | 30 |" in card
    assert "| wrong | 5 |" in card
    assert "- {id: kept, use: select.traces}" in card
    assert (line.out / "pipeline.yaml").read_text() == line.pipeline


def test_a_set_that_was_never_compared_with_benchmarks_says_so(line: ExportJob):
    HUB.export(line)
    assert "compared with no benchmark" in (line.out / "README.md").read_text()


def test_lengths_are_characters_where_nobody_counted_tokens(line: ExportJob, tmp_path: Path):
    table = pl.concat(pl.read_parquet(file) for file in line.tables).drop("num_tokens")
    HUB.export(dataclasses.replace(line, tables=save(table, tmp_path / "uncounted", rows=9)))
    assert "Lengths, in characters" in (line.out / "README.md").read_text()


def test_a_finished_folder_is_not_written_again(line: ExportJob):
    first = HUB.export(line)
    before = (line.out / "README.md").stat().st_mtime_ns
    assert HUB.export(line) == first
    assert (line.out / "README.md").stat().st_mtime_ns == before


def test_a_killed_export_leaves_nothing_that_looks_finished(line: ExportJob, monkeypatch: pytest.MonkeyPatch):
    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("distillery.stages.export.hub.front_matter", die)
        with pytest.raises(KeyboardInterrupt):
            HUB.export(line)
    assert not line.out.exists()
    assert HUB.export(line)["sft"] == 5
    assert [p.name for p in line.out.parent.glob("hub*")] == ["hub"]


def test_without_a_token_the_folder_is_written_and_nothing_is_sent(
    line: ExportJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with caplog.at_level(logging.WARNING):
        counts = dataclasses.replace(HUB, push=True).export(line)
    assert counts["pushed"] == 0
    assert "no token" in caplog.text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"push": True}, "owner/name"),
        ({"configs": ["raw"]}, "every sample"),
        ({"rows_per_shard": 0}, "at least 1"),
        ({"licence": "mit"}, "did you mean 'license'"),
        ({"configs": ["all"]}, "default"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], says: str):
    with pytest.raises(ConfigError, match=says):
        build(ExportHub, options, where="stages[9]")


def test_the_card_tells_how_a_judge_did_on_trial(line: ExportJob):
    scores = [
        {"model": "judge", "bench": "judge", "metric": name, "value": value, "samples": 40}
        for name, value in (("attack_success", 0.025), ("kappa", None))
    ]
    HUB.export(
        dataclasses.replace(line, history=[note("score.judge", 10, 10, metrics=scores), *line.history])
    )
    card = (line.out / "README.md").read_text()
    assert "| judge | `attack_success` | 0.025 | 40 |" in card
    assert "kappa" not in card


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("A shop sells three apples and then two more; how many is that?", ["en"]),
        ("小明有三个苹果，又买了五个苹果，一共有多少个？", ["zh"]),
    ],
)
def test_the_card_names_the_languages_that_the_rows_tell(tmp_path: Path, question: str, told: list[str]):
    line = job(tmp_path)
    table = pl.concat(pl.read_parquet(file) for file in line.tables)
    table = table.with_columns(pl.lit(question).alias("question"))
    line = dataclasses.replace(line, tables=save(table, tmp_path / "told", rows=9))
    dataclasses.replace(HUB, languages=()).export(line)
    assert front(line.out)["language"] == told


def test_that_only_its_form_was_looked_at_is_no_verdict_of_what_is_right(tmp_path: Path):
    line = job(tmp_path, count=1)
    table = pl.concat(pl.read_parquet(file) for file in line.raw or ()).with_columns(checker=pl.lit("layout"))
    HUB.export(dataclasses.replace(line, raw=save(table, tmp_path / "looked", rows=9)))
    (row,) = rows(line.out, "default")
    assert row["correctness_math_verify"] == [None, None]
    assert row["correctness_count"] == 0


def test_samples_that_differ_in_thinking_come_back_as_they_were(tmp_path: Path):
    line = job(tmp_path, count=2)
    table = pl.concat(pl.read_parquet(file) for file in line.raw or ())
    off = (pl.col("sample") == 1) & (pl.col("problem_id") == table["problem_id"][0])
    changed = {"thinking": pl.when(off).then(pl.lit("off")).otherwise(pl.lit("on"))}
    changed["text"] = pl.when(off).then(pl.lit("It is 0.")).otherwise("text")
    HUB.export(dataclasses.replace(line, raw=save(table.with_columns(**changed), tmp_path / "mixed", rows=9)))
    assert {row["thinking"] for row in rows(line.out, "default")} == {None, "on"}
    stage = build(IngestHub, {"name": str(line.out), "config": "default"}, where="stages.back")
    back = pl.concat(output.kept for output in stage.shards(None))
    assert back["thinking"].to_list() == table.with_columns(**changed)["thinking"].to_list()
