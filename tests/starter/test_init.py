"""`distillery init`: what it writes runs as it stands."""

import json
from pathlib import Path

import pytest
import yaml

from distillery.cli import main

OPENR1 = [
    {
        "problem": f"What is {n} + {n + 3}?",
        "answer": str(2 * n + 3),
        "generations": [
            f"<think>\nI add {n} and {n + 3}, step by step.\n</think>\nThe sum is \\boxed{{{2 * n + 3 + wrong}}}."
            for wrong in (0, 1)
        ],
        "finish_reasons": ["stop", "stop"],
    }
    for n in range(20, 40)
]
SHAREGPT = [
    {
        "conversations": [
            {"from": "system", "value": "You are careful."},
            {"from": "human", "value": f"What is {n} times {n}?"},
            {
                "from": "gpt",
                "value": f"<think>\nI multiply {n} by itself.\n</think>\nIt is \\boxed{{{n * n}}}.",
            },
        ]
    }
    for n in range(50, 60)
]
PROBLEMS = [{"question": f"What is {n} - 3?", "answer": f"I take three.\n#### {n - 3}"} for n in range(7, 12)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, rows in {"openr1": OPENR1, "sharegpt": SHAREGPT, "mine": PROBLEMS}.items():
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "given", [["openr1.jsonl"], ["openr1.jsonl", "sharegpt.jsonl"], ["mine.jsonl"]], ids=str
)
def test_what_it_writes_runs_as_it_stands(folder: Path, given: list[str]):
    assert main(["init", *given, "-o", "starter.yaml"]) == 0
    assert main(["run", "starter.yaml"]) == 0
    assert (folder / "data/runs/starter/1/report.html").exists()


def test_problems_and_traces_join_before_they_are_checked(folder: Path):
    main(["init", "openr1.jsonl", "mine.jsonl", "-o", "starter.yaml"])
    stages = {stage["id"]: stage for stage in yaml.safe_load(Path("starter.yaml").read_text())["stages"]}
    assert stages["gold"]["from"] == ["mine"]
    assert stages["checked"]["from"] == ["openr1", "sampled"]
    assert stages["mine"]["with"]["gold_pattern"] == r"####\s*(.+)"


@pytest.mark.slow
def test_what_export_hub_has_published_is_read_by_its_name(folder: Path):
    main(["init", "openr1.jsonl", "-o", "starter.yaml"])
    main(["run", "starter.yaml"])
    (published,) = folder.glob("data/store/export.hub-*/out")
    for config in ("default", "sft", "rl", "raw"):
        for form, given in {
            "hub": [str(published), "--config", config],
            "file": [f"{config}.parquet"],
        }.items():
            (part,) = (published / "data" / config).iterdir()
            Path(f"{config}.parquet").write_bytes(part.read_bytes())
            line = f"{config}_{form}.yaml"
            assert main(["init", *given, "-o", line]) == 0
            source, *_ = yaml.safe_load(Path(line).read_text())["stages"]
            assert source["with"].keys() <= {"path", "name", "config", "split", "constants"}
            assert source["with"].get("constants", {}) == ({"checker": "layout"} if config == "sft" else {})
    assert main(["run", "default_file.yaml"]) == 0


@pytest.mark.slow
def test_of_several_each_has_the_name_of_its_source(folder: Path):
    main(["init", "openr1.jsonl", "-o", "starter.yaml"])
    main(["run", "starter.yaml"])
    (published,) = folder.glob("data/store/export.hub-*/out")
    main(["init", str(published), "sharegpt.jsonl", "--config", "raw", "-o", "both.yaml"])
    stages = yaml.safe_load(Path("both.yaml").read_text())["stages"]
    assert [stage["with"]["constants"]["source"] for stage in stages[:2]] == ["out", "sharegpt"]


def test_of_batch_results_each_choice_is_a_trace_and_what_is_left_over_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    said = [
        {
            "message": {"role": "assistant", "content": content, "reasoning_content": "hm"},
            "finish_reason": "stop",
        }
        for content in ("4", "5")
    ]
    row = {
        "custom_id": "t",
        "prompt": "2+2?",
        "gold": "4",
        "error": None,
        "response": {"body": {"choices": said}},
    }
    Path("batch.jsonl").write_text("".join(json.dumps({**row, "prompt": f"2+{n}?"}) + "\n" for n in range(5)))
    assert main(["init", "batch.jsonl", "-o", "starter.yaml"]) == 0
    out = capsys.readouterr().out
    assert "5 rows looked at give 10 of ours" in out
    assert "does not use custom_id, error" in out


def test_the_answers_of_conversations_are_golds(folder: Path, capsys: pytest.CaptureFixture[str]):
    rows = [{**row, "answer": str(n * n)} for n, row in enumerate(SHAREGPT, start=50)]
    Path("golds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    main(["init", "golds.jsonl"])
    assert "checker math can read 10 of 10" in capsys.readouterr().out


def test_how_a_file_is_written_is_said_once_and_stands_in_the_pipeline(folder: Path):
    Path("mine.csv").write_bytes("question^answer\nWas kostet “das” in €?^3\n".encode("cp1252"))
    assert main(["init", "mine.csv", "--encoding", "cp1252", "--delimiter", "^"]) == 0
    (source, *_) = yaml.safe_load(Path("mine.yaml").read_text())["stages"]
    assert (source["with"]["encoding"], source["with"]["delimiter"]) == ("cp1252", "^")


def test_an_endpoint_that_is_named_is_the_teacher(folder: Path):
    main(
        [
            "init",
            "mine.jsonl",
            "--base-url",
            "http://127.0.0.1:1/v1",
            "--model",
            "m",
            "--api-key-env",
            "MY_KEY",
        ]
    )
    teacher = yaml.safe_load(Path("mine.yaml").read_text())["engines"]["teacher"]
    assert teacher == {
        "kind": "openai",
        "model": "m",
        "base_url": "http://127.0.0.1:1/v1",
        "api_key_env": "MY_KEY",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["nothing.jsonl"], "no file at nothing.jsonl"),
        (["odd.jsonl"], "the rows of odd.jsonl have no form that is known (columns: colour)"),
        (["empty.jsonl"], "empty.jsonl has no row that can be read"),
        (["mine.jsonl", "-o", "openr1.jsonl"], "openr1.jsonl is there already"),
        (["mine.jsonl", "--model", "m"], "an endpoint needs --base-url and --model"),
    ],
    ids=str,
)
def test_what_cannot_be_begun_is_one_line(folder: Path, capsys, given: list[str], said: str):
    Path("odd.jsonl").write_text('{"colour": "red"}\n')
    Path("empty.jsonl").write_text("\n")
    assert main(["init", *given]) == 2
    assert said in capsys.readouterr().err
