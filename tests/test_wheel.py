"""The built wheel, with its base dependencies alone, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[1]
LINE = """
pipeline: line
engines:
  teacher: {kind: openai, model: mock}
stages:
  - id: problems
    use: ingest.file
    with: {path: problems.jsonl, columns: {gold: answer}, constants: {checker: math}}
  - {id: gold, use: verify.gold}
  - {id: traces, use: generate.traces, with: {engine: teacher, prompt: solve.boxed@1, samples: 4}}
  - {id: checked, use: verify.answers}
  - {id: kept, use: select.traces, with: {per_problem: 1}}
  - {id: chat, use: export.chat}
"""
PUZZLES = "stages: [{id: puzzles, use: ingest.reasoning_gym, with: {task: countdown, size: 2}}]\n"
TRAINED = """
stages:
  - {id: web, use: ingest.miniature, with: {part: corpus, count: 5}}
  - {id: base, use: train.base}
"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment whose packages are the wheel and, as links to those of this one, what it requires
    without extras."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    (wheel,) = folder.glob("distillery-*.whl")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", wheel], check=True)
    (packages,) = folder.glob("env/lib/python*/site-packages")
    (installed,) = distributions(name="distillery", path=[str(packages)])
    for needed in {one.name: one for one in _required(installed, frozenset(), set())}.values():
        for top in {file.parts[0] for file in needed.files or () if file.parts[0] != ".."}:
            link = packages / top
            if not link.exists():
                link.symlink_to(Path(str(needed.locate_file(top))))
    return folder / "env" / "bin"


def _required(
    one: Distribution, extras: frozenset[str], seen: set[tuple[str, str]]
) -> Iterator[Distribution]:
    for text in one.requires or ():
        need = Requirement(text)
        wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
        if wanted and (need.name, str(sorted(need.extras))) not in seen:
            seen.add((need.name, str(sorted(need.extras))))
            found = distribution(need.name)
            yield found
            yield from _required(found, frozenset(need.extras), seen)


@pytest.fixture
def distillery(environment: Path, tmp_path: Path):
    """Runs a command in an empty folder; its output."""
    given = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def start(*arguments: str, code: int = 0) -> str:
        command = [environment / "distillery", *arguments]
        ended = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    return start


@pytest.fixture
def server(environment: Path) -> Iterator[str]:
    with subprocess.Popen(
        [environment / "distillery", "mock-server", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


def test_a_small_line_is_planned_run_and_reported(distillery, server: str, tmp_path: Path):
    (tmp_path / "line.yaml").write_text(LINE)
    rows = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(1, 9)]
    (tmp_path / "problems.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    where = ("--set", f"engines.teacher.base_url={server}")
    assert "line: 6 steps, 0 done, 6 owed" in distillery("plan", "line.yaml", *where)
    assert "8 in, 32 out, 0 dropped" in distillery("run", "line.yaml", *where)
    assert "\\boxed{" in distillery("show", "line", "chat", "--rows", "1")
    run = tmp_path / "data" / "runs" / "line" / "1"
    (run / "report.html").unlink()
    distillery("report", "line")
    assert "select.traces" in (run / "report.html").read_text()
    assert json.loads((run / "run.json").read_text())["git"] is None


@pytest.mark.parametrize(
    ("pipeline", "steps"), [("quickstart", 97), ("smollm2", 10), ("calibrate", 6), ("r1/5_general", 12)]
)
def test_the_pipelines_come_with_their_prompts_templates_seeds_and_prices(
    distillery, pipeline: str, steps: int
):
    text = distillery("plan", f"pipelines/{pipeline}.yaml")
    assert f"{steps} steps, 0 done" in text
    assert "_shipped/pipelines/prices.yaml, as of 20" in text


def test_what_needs_an_extra_says_so_before_anything_is_done(distillery, tmp_path: Path):
    (tmp_path / "puzzles.yaml").write_text(PUZZLES)
    (tmp_path / "trained.yaml").write_text(TRAINED)
    assert distillery("plan", "puzzles.yaml", code=2).endswith("; pip install 'distillery[puzzles]'\n")
    assert "base" in distillery("plan", "trained.yaml")
    said = distillery("run", "trained.yaml", code=2)
    assert said.endswith("stage base: trl is not installed; pip install 'distillery[train]'\n")
    assert "done in" not in said
