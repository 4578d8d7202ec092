from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.hub import load_split
from distillery.records import PROBLEM
from distillery.stages.base import Output, Uses
from distillery.stages.ingest.hub import IngestHub

ROWS = [{"problem": f"What is {n}+1?", "answer": n + 1} for n in range(5)] + [{"problem": "", "answer": 0}]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


def folder(tmp_path: Path) -> str:
    data = tmp_path / "set"
    data.mkdir()
    with (data / "train.jsonl").open("w") as out:
        out.writelines(json.dumps(row) + "\n" for row in ROWS)
    return str(data)


def ingest(**options: object) -> list[Output]:
    options = {"columns": {"question": "problem", "gold": "answer"}, **options}
    return list(build(IngestHub, options, where="stages.ingest").shards(None))


@pytest.mark.parametrize("streaming", [False, True])
def test_a_split_becomes_problems_and_bad_rows_go_to_the_ledger(tmp_path: Path, streaming: bool):
    path = folder(tmp_path)
    outputs = ingest(name=path, streaming=streaming, shard_rows=3)
    assert [output.kept.height for output in outputs] == [3, 2]
    assert outputs[0].kept.schema == pl.Schema(PROBLEM)
    assert outputs[0].kept["gold"].to_list() == ["1", "2", "3"]
    assert outputs[1].dropped.rows() == [(f"{path}:train:6", "no_question", "the question is ''")]


def test_kept_columns_have_the_types_that_the_card_tells_or_the_first_rows(tmp_path: Path):
    data = tmp_path / "typed"
    data.mkdir()
    rows = {"question": ["a"], "level": [3], "tags": [["x"]], "answers": [["p", "q"]]}
    pl.DataFrame(rows).write_parquet(data / "train.parquet")
    options = {"name": str(data), "columns": {"text": "answers"}, "explode": "answers", "split": "train[:1]"}
    stage = build(IngestHub, {**options, "keep": ["text", "level", "tags"]}, where="x")
    assert (stage.writes["level"], stage.writes["tags"]) == (pl.Int64(), pl.String())
    features = "[{name: question, dtype: string}, {name: level, dtype: int8}, {name: tags, list: string},"
    features += " {name: answers, list: string}]"
    (data / "README.md").write_text(f"---\ndataset_info:\n  features: {features}\n---\n")
    assert (stage.writes["level"], stage.writes["tags"]) == (pl.Int8(), pl.List(pl.String()))
    (output,) = stage.shards(None)
    assert output.kept.select("text", "level", "tags").rows() == [("p", 3, ["x"]), ("q", 3, ["x"])]


def test_types_that_nobody_can_tell_before_the_run_are_to_be_said(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"keep: no type can be told .*say it: keep: \{level: TYPE\}"):
        _ = build(IngestHub, {"name": str(tmp_path / "nowhere"), "keep": ["level"]}, where="x").writes
    assert (
        build(IngestHub, {"name": "no/where", "keep": {"level": "int"}}, where="x").writes["level"]
        == pl.Int64()
    )


def test_a_format_with_files_works_as_a_name(tmp_path: Path):
    file = f"{folder(tmp_path)}/train.jsonl"
    (output,) = ingest(name="json", data_files=file, split="train[:2]", constants={"source": "here"})
    assert output.kept["source"].to_list() == ["here", "here"]


def test_what_cannot_be_loaded_is_a_config_error(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"ingest.hub: .*nowhere cannot be loaded"):
        ingest(name=str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="cannot be loaded"):
        ingest(name=folder(tmp_path), split="validation")


def test_a_wrong_column_is_named_with_the_columns_there_are(tmp_path: Path):
    with pytest.raises(ConfigError, match="no column 'query'; there are: answer, problem"):
        ingest(name=folder(tmp_path), columns={"question": "query"})


def test_the_stamp_names_the_set_its_revision_and_its_split():
    stage = IngestHub(name="openai/gsm8k", config="main", revision="abc", split="test")
    assert stage.stamp() == {"name": "openai/gsm8k", "config": "main", "split": "test", "revision": "abc"}
    assert stage.writes == PROBLEM
    assert stage.uses() == Uses()


class LostError(Exception):
    """As the hub's transport raises it: with no base of Python's."""


@pytest.mark.parametrize(("module", "expected"), [("httpx2", ConfigError), ("somewhere", LostError)])
def test_a_lost_connection_is_a_config_error_and_a_bug_stays_one(
    monkeypatch: pytest.MonkeyPatch, module: str, expected: type[Exception]
):
    def load(*_: object, **__: object) -> None:
        raise LostError("gone")

    monkeypatch.setattr(LostError, "__module__", module)
    monkeypatch.setattr("datasets.load_dataset", load)
    with pytest.raises(expected, match="gone"):
        load_split("a/b", where="ingest.hub")
