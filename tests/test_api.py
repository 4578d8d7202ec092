"""`import distillery`, and the documents whose code users type."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import distillery
from distillery.errors import ConfigError
from distillery.records import Problem

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"^# ([\w.]+\.(?:py|yaml))\n")


def blocks(document: str, language: str) -> list[str]:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def write_files(document: str, folder: Path) -> None:
    """Each block of code that names its file in its first line."""
    for code in [*blocks(document, "python"), *blocks(document, "yaml")]:
        if found := NAMED.match(code):
            (folder / found[1]).write_text(code, encoding="utf-8")


def typed(folder: Path, *words: str) -> str:
    """What the command says; the same Python, in `folder`, as a user would."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_name_that_is_promised_is_there():
    assert sorted(distillery.__all__) == distillery.__all__
    assert dir(distillery) == distillery.__all__
    assert all(getattr(distillery, name) is not None for name in distillery.__all__)


def test_a_name_that_is_not_there_is_said_with_those_that_are():
    with pytest.raises(AttributeError, match=r"no attribute 'jugde'; it has .*judge"):
        _ = distillery.jugde


def test_importing_it_imports_nothing_else():
    probe = "import sys, distillery; print(*sorted(m for m in sys.modules if m.startswith('distillery')))"
    assert typed(ROOT, "-c", probe).split() == [
        "distillery",
        "distillery.installed",
        "distillery.installed.version",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("python.md", "python"), ids=["judge", "run"])
def test_the_code_for_python_runs(code: str, tmp_path: Path):
    (tmp_path / "script.py").write_text(code, encoding="utf-8")
    typed(tmp_path, "script.py")


def test_rows_of_a_stage_that_is_not_there_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    line = tmp_path / "line.yaml"
    line.write_text("stages: [{id: sums, use: ingest.miniature, with: {part: sums, count: 3}}]\n")
    run = distillery.run(distillery.load_plan(line))
    assert run.rows("sums").height == 3
    assert run.results["stages"][0]["rows_out"] == 3
    with pytest.raises(ConfigError, match="'smus': the run line/1 has none of that id; it has sums"):
        run.rows("smus")


@pytest.mark.slow
def test_a_stage_from_a_users_own_file_runs_and_is_known_by_its_source(tmp_path: Path):
    write_files("adding-a-stage.md", tmp_path)
    typed(tmp_path, "-m", "distillery", "run", "line.yaml")
    run = distillery.open_run("line", data_dir=tmp_path / "data")
    rows, before = run.rows("short"), run.path("sums")
    assert rows.filter(pl.col("chars") > 25).is_empty()
    assert set(run.dropped("short")["reason"]) == {"too_long"}
    assert rows.height + run.dropped("short").height == 20

    again = typed(tmp_path, "-m", "distillery", "run", "line.yaml")
    assert "2 of 2 steps were done already" in again
    mine = tmp_path / "my_stages.py"
    mine.write_text(mine.read_text().replace("> self.most_chars", ">= self.most_chars"))
    typed(tmp_path, "-m", "distillery", "run", "line.yaml")
    other = distillery.open_run("line", data_dir=tmp_path / "data")
    assert other.path("sums") == before
    assert other.path("short") != run.path("short")


@pytest.mark.slow
def test_an_engine_from_a_users_own_file_answers_and_is_known_by_its_source(tmp_path: Path):
    write_files("adding-an-engine.md", tmp_path)
    typed(tmp_path, "-m", "distillery", "run", "line.yaml")
    run = distillery.open_run("line", data_dir=tmp_path / "data")
    rows = run.rows("traces")
    assert rows.height == 4
    assert rows["answer"].equals(rows["reasoning"].rename("answer"))
    mine = tmp_path / "my_engine.py"
    mine.write_text(mine.read_text().replace('\\n{said}"', '\\n{said}!"'))
    typed(tmp_path, "-m", "distillery", "run", "line.yaml")
    rows = distillery.open_run("line", data_dir=tmp_path / "data").rows("traces")
    assert all(answer.endswith("!") for answer in rows["answer"])


@pytest.mark.parametrize(
    ("use", "says"),
    [
        ("my_stages:Nothing", "there is no Nothing in .*my_stages.py"),
        ("nowhere:Mine", "there is no module nowhere"),
        ("my_stages:dataclass", "is no stage; a stage is a frozen dataclass derived from"),
        ("my_stages:Output", "is no stage"),
        ("my_stages:Bare", "is no stage"),
        ("my_stages:", "module:name"),
    ],
)
def test_a_name_that_leads_to_no_stage_says_what_it_must_offer(
    use: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_files("adding-a-stage.md", tmp_path)
    mine = tmp_path / "my_stages.py"
    mine.write_text(mine.read_text() + "\n\nclass Bare(ShardStage):\n    version = 1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_stages", raising=False)
    line = tmp_path / "line.yaml"
    line.write_text(
        f"stages: [{{id: a, use: ingest.miniature, with: {{part: sums, count: 3}}}}, {{id: b, use: '{use}'}}]"
    )
    with pytest.raises(ConfigError, match=says):
        distillery.load_plan(line)


FIELDS = [field.name for field in fields(Problem)]


@pytest.mark.parametrize("value", [None, 2, 1.5, True, b"a", ["a"], "\ud800"])
def test_what_is_judged_is_text(value: Any):
    good = Problem("q", "a")
    for name in FIELDS:
        problem = replace(good, **{name: value})
        with pytest.raises(ConfigError) as refused:
            distillery.judge(problem, "a")
        assert str(refused.value) == f"rows[0]: {name} is {value!r}; it would be a text"
    with pytest.raises(ConfigError) as refused:
        distillery.judge_many([(good, "a"), (good, value)])
    assert str(refused.value) == f"rows[1]: text is {value!r}; it would be a text"


@pytest.mark.parametrize(
    "row", [None, "a", (), (Problem("q", "a"),), ("a", "a"), [Problem("q", "a"), "a"], Problem("q", "a")]
)
def test_what_is_no_row_to_judge_is_said(row: Any):
    with pytest.raises(ConfigError) as refused:
        distillery.judge_many([row])
    assert str(refused.value) == f"rows[0]: is {row!r:.80}; it would be (Problem, text)"


def test_one_checker_is_a_list_of_one():
    with pytest.raises(ConfigError, match=r"checkers: is 'my:dates'; it would be a list, \['my:dates'\]"):
        distillery.judge(Problem("q", "a"), "a", checkers="my:dates")


@pytest.mark.parametrize("plan", ["line.yaml", Path("line.yaml"), None, {"stages": []}])
def test_a_file_is_no_plan(plan: Any):
    with pytest.raises(ConfigError, match="is no plan; load_plan makes one of a pipeline's file"):
        distillery.run(plan)
