from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from distillery.engines.mock.replies import MockOptions
from tests.engines.mock_server import MockServer

ROOT = Path(__file__).parents[2]
LINE = """
pipeline: cluster
workers: {jobs: 2, threads: 1}
stages:
  - {id: rows, use: ingest.miniature, with: {part: general_worked, count: 30, shard_rows: 10}}
  - {id: good, use: filter.quality}
  - {id: unique, use: dedup.exact, with: {key: trace_id}}
"""


def results(tmp_path: Path, executor: str, text: str = LINE) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "cluster.yaml"
    file.write_text(text)
    command = [sys.executable, "-m", "distillery", "run", str(file), "--executor", executor]
    data = ["--data-dir", str(tmp_path / executor)]
    return subprocess.run([*command, *data], cwd=ROOT, capture_output=True, text=True, timeout=200)


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_a_ray_cluster_makes_the_same_table_as_this_machine(tmp_path):
    for executor in ("local", "ray"):
        done = results(tmp_path, executor)
        assert done.returncode == 0, done.stdout + done.stderr
    local, ray = (
        (tmp_path / e / "runs" / "cluster" / "1" / "results.json").read_text() for e in ("local", "ray")
    )
    assert ray == local


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_an_error_of_a_stage_comes_back_from_the_cluster_as_it_was(tmp_path):
    quota = (
        "  - {id: mix, use: mix.quota, with: {total: 99, quotas: [{where: {domain: [math]}, rows: 99}]}}\n"
    )
    done = results(tmp_path, "ray", LINE + quota)
    assert done.returncode == 1
    assert "99" in done.stderr


ASKING = """
pipeline: cluster
workers: {{jobs: 2, threads: 1}}
{more}
engines:
  teacher: {{kind: openai, model: mock, base_url: "{url}", concurrency: 2}}
stages:
  - {{id: rows, use: ingest.miniature, with: {{part: sums, count: 30}}}}
  - {{id: traces, use: generate.traces, with: {{engine: teacher, prompt: solve.plain@1}}}}
"""


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_a_budget_of_hours_ends_the_tasks_of_a_cluster(tmp_path):
    with MockServer(MockOptions(latency_s=600)) as server:
        done = results(tmp_path, "ray", ASKING.format(url=server.url, more="budget: {max_hours: 0.003}"))
    assert done.returncode == 6, done.stdout + done.stderr
    assert "budget.max_hours" in done.stderr


@pytest.mark.slow
def test_a_budget_that_nobody_could_watch_is_refused(tmp_path):
    done = results(tmp_path, "ray", ASKING.format(url="http://x/v1", more="budget: {max_tokens: 1e6}"))
    assert done.returncode == 2
    assert "--executor ray has not" in done.stderr
