"""`distillery init`: what it writes runs as it stands."""

import json
from pathlib import Path

import pytest
import yaml

from distillery.cli import main
from distillery.config import build
from distillery.stages.ingest.file import IngestFile

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


CHOICE = {
    "mmlu": [{"question": f"{n}?", "choices": ["3", "4", "1", "2"], "answer": n % 4} for n in range(8)],
    "csv": [
        {"question": f"{n}?", **dict(zip("ABCD", "3412", strict=True)), "answer": "ABCD"[n % 4]} for n in range(8)
    ],
    "arc": [
        {"question": f"{n}?", "choices": {"text": [*"3412"], "label": [*"ABCD"]}, "answerKey": "ABCD"[n % 4]}
        for n in range(8)
    ],
    "mmlu_pro": [
        {"question": f"{n}?", "options": [*"3412"], "answer": "ABCD"[n % 4], "answer_index": n % 4} for n in range(8)
    ],
    "medmcqa": [
        {"question": f"{n}?", **dict(zip(["opa", "opb", "opc", "opd"], "3412", strict=True)), "cop": n % 4}
        for n in range(8)
    ],
}  # fmt: skip


@pytest.mark.parametrize("form", CHOICE)
def test_multiple_choice_is_asked_with_its_choices(folder: Path, form: str):
    Path("x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CHOICE[form]))
    assert main(["init", "x.jsonl"]) == 0
    source, *_ = yaml.safe_load(Path("x.yaml").read_text())["stages"]
    (output,) = build(IngestFile, source["with"], where="x").shards(None)
    assert output.kept["gold"].to_list() == [*"ABCDABCD"]
    assert output.kept["question"][0] == "0?\n\n(A) 3\n(B) 4\n(C) 1\n(D) 2"
    assert set(output.kept["checker"]) == {"choice"}


def test_choices_by_a_number_that_may_be_either_are_left_without_golds_and_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    rows = [{"question": f"{n}?", "choices": ["3", "4", "1", "2"], "answer": 1 + n % 2} for n in range(8)]
    Path("x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["init", "x.jsonl"]) == 0
    assert "LOOK: the golds are left out" in capsys.readouterr().out
    source, *_ = yaml.safe_load(Path("x.yaml").read_text())["stages"]
    assert (source["with"]["choices"], source["with"]["constants"]["checker"]) == ("choices", "layout")


def test_verdicts_of_a_set_stand_and_others_are_mentioned(folder: Path, capsys: pytest.CaptureFixture[str]):
    kto = [{"prompt": f"{n}?", "completion": f"{n}.", "label": n % 2 == 0} for n in range(8)]
    Path("kto.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kto))
    rows = [{**row, "correctness_math_verify": [True, False]} for row in OPENR1]
    Path("openr1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["init", "kto.jsonl", "openr1.jsonl", "-o", "both.yaml"]) == 0
    assert "does not use correctness_math_verify" in capsys.readouterr().out
    text = Path("both.yaml").read_text()
    assert "# correctness_math_verify: what others found of a response" in text
    stages = {stage["id"]: stage for stage in yaml.safe_load(text)["stages"]}
    assert (stages["checked"]["from"], stages["filtered"]["from"]) == (["openr1"], ["checked", "kto"])
    assert main(["init", "kto.jsonl"]) == 0
    stages = {stage["id"]: stage for stage in yaml.safe_load(Path("kto.yaml").read_text())["stages"]}
    assert "checked" not in stages
    assert stages["hub"]["with"] == {"raw": "kto"}


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
