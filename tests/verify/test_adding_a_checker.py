"""What docs/adding-a-checker.md says, done to the letter."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import distillery.verify
from distillery import shards
from distillery.records import Problem
from distillery.train.examples import CHECKED
from distillery.train.rewards import CheckedReward
from distillery.verify import CHECKERS
from distillery.verify.gold import gold_faults
from distillery.verify.pool import processes as pool

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/adding-a-checker.md").read_text()
MODULE, PIPELINE, LINE, *_ = re.findall(r"^```(?:python|yaml)\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
OWN = "my_checks:dates"
DAYS = [
    ("Which day was it?", "1969-07-20", "<think>the moon</think><answer>1969-07-20</answer>", "correct"),
    ("Which day is that?", "1969-07-20", "<think>the moon</think>1969-07-21", "wrong"),
    ("Which day will it be?", "1969-07-20", "<think>the moon</think>in July", "no_answer"),
    ("Which day would it be?", "soon", "<think>the moon</think>soon", "no_gold"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the user works, with the checker of the document in a file."""
    (tmp_path / "my_checks.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    pool.close()  # workers stand where they were started
    yield tmp_path
    pool.close()
    sys.modules.pop("my_checks", None)


def assert_judged(checker: str, own: list[str]) -> None:
    problems = [Problem(question, gold, checker=checker) for question, gold, _, _ in DAYS]
    texts = [text for _, _, text, _ in DAYS]
    faults = gold_faults(problems, deadline_s=10, workers=1, own=own)
    assert [fault and fault.detail for fault in faults] == [None, None, None, "the gold is no date: 'soon'"]
    verdicts = pool.judge(list(zip(problems, texts, strict=True)), workers=1, own=own)
    assert [verdict.outcome.value for verdict in verdicts] == [outcome for *_, outcome in DAYS]
    columns = {name: [str(getattr(problem, name)) for problem in problems] for name in CHECKED}
    for rewards in ({"accuracy": 1.0}, {checker: 1.0}):
        assert CheckedReward(rewards, own=own)(texts, **columns) == [1.0, 0.0, 0.0, None]


def test_a_checker_in_a_file_of_the_users_serves_gold_pool_and_grpo(folder: Path):
    assert_judged(OWN, [OWN])


def test_its_function_alone_is_a_checker_too(folder: Path):
    problem = Problem("q", "1969-07-20", checker="my_checks:check")
    assert pool.judge_one(problem, "1969-07-20", own=["my_checks:check"]).outcome == "correct"


@pytest.mark.slow
def test_the_pipeline_of_the_document_runs(folder: Path):
    rows = [{"question": question, "gold": gold, "text": text} for question, gold, text, _ in DAYS]
    (folder / "days.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "days.yaml").write_text(PIPELINE)
    command = [sys.executable, "-P", "-m", "distillery", "run", "days.yaml"]  # as `distillery`: not from here
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.glob("data/store/verify.answers-*/shard-00000.parquet")
    judged = shards.read(file)
    assert dict(judged.select("question", "outcome").iter_rows()) == {
        question: outcome for question, _, _, outcome in DAYS if outcome != "no_gold"
    }


def test_in_the_package_it_takes_its_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "dates.py").write_text(MODULE)
    monkeypatch.setattr(distillery.verify, "__path__", [*distillery.verify.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    for name, place in ast.literal_eval(f"{{{LINE}}}").items():
        monkeypatch.setitem(CHECKERS, name, place)
        assert_judged(name, [])
    del sys.modules["distillery.verify.dates"]
