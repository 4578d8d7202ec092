"""A run that is killed again and again gives what an unbroken one gives, and pays for little twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import polars as pl
import pytest

from distillery.engines.mock.replies import MockOptions
from distillery.engines.request_store import RequestStore
from distillery.pipeline import load_plan
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from tests.engines.mock_server import MockServer
from tests.inline import Inline

IN_FLIGHT = 64
PROBLEMS, SAMPLES, KILLS = 1250, 4, 50
PROMPTS = Path(__file__).parents[2] / "prompts"
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["distillery.runner", "distillery.stages.generate.traces"])

PIPELINE = """
pipeline: killed
engines:
  mock: {{kind: openai, model: mock, base_url: "{url}", concurrency: {in_flight}}}
stages:
  - id: problems
    use: ingest.file
    with: {{path: "{problems}", shard_rows: 250, constants: {{checker: math, domain: math}}}}
  - id: traces
    use: generate.traces
    with: {{engine: mock, prompt: solve.boxed@1, samples: {samples}, sampling: {{max_tokens: 64}}}}
"""


def written(folder: Path, url: str, *, problems: int, samples: int) -> Path:
    rows = [
        {"question": f"What is {n} + {n}? [[answer: {2 * n} @0.5]]", "gold": f"{2 * n}"}
        for n in range(problems)
    ]
    file = folder / "problems.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    pipeline = folder / "killed.yaml"
    pipeline.write_text(PIPELINE.format(url=url, in_flight=IN_FLIGHT, problems=file, samples=samples))
    return pipeline


def work(pipeline: str, data: str, prompts: str) -> None:
    plan = load_plan(Path(pipeline), prompts=Path(prompts))
    store = Path(data) / "store"
    record = open_run(plan, Path(data) / "runs")
    run(plan, store=store, record=record, executor=Inline(), watcher=Watcher())


def rows(pipeline: Path, data: Path) -> pl.DataFrame:
    plan = load_plan(pipeline, prompts=PROMPTS)
    return pl.concat(
        [pl.read_parquet(file) for file in folder_of(plan.step("traces"), data / "store").shards()]
    )


def until(holds, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def stored(data: Path) -> int:
    return sum(size.completions for size in RequestStore(data / "store" / "requests").sizes())


@pytest.mark.slow
@pytest.mark.timeout(900)  # two minutes of work where the machine has other things to do
def test_fifty_kills_change_no_row_and_ask_again_only_for_what_was_in_flight(tmp_path: Path):
    random = Random(5)
    options = MockOptions(latency_s=0.03, latency_sigma=0.5)
    data, lost = tmp_path / "data", []
    with MockServer(options) as server:
        pipeline = written(tmp_path, server.url, problems=PROBLEMS, samples=SAMPLES)
        for _ in range(KILLS):
            child = PROCESSES.Process(target=work, args=(str(pipeline), str(data), str(PROMPTS)))
            child.start()
            moment = server.stats()["requests"] + random.randint(1, 150)
            until(lambda moment=moment: server.stats()["requests"] >= moment)
            assert child.pid
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            until(lambda: not server.stats()["in_flight"])
            lost.append(server.stats()["requests"] - stored(data) - sum(lost))
        work(str(pipeline), str(data), str(PROMPTS))
        asked = server.stats()["requests"]
    with MockServer(options) as server:
        pipeline = written(tmp_path, server.url, problems=PROBLEMS, samples=SAMPLES)
        work(str(pipeline), str(tmp_path / "whole"), str(PROMPTS))
        assert server.stats()["requests"] == PROBLEMS * SAMPLES
    assert rows(pipeline, data).equals(rows(pipeline, tmp_path / "whole"))
    assert max(lost) <= IN_FLIGHT
    assert asked == PROBLEMS * SAMPLES + sum(lost)


@pytest.mark.slow
def test_no_worker_outlives_a_scheduler_that_is_killed(tmp_path: Path):
    with MockServer(MockOptions(latency_s=600)) as server:
        pipeline = written(tmp_path, server.url, problems=10, samples=1)
        command = [
            sys.executable,
            "-m",
            "distillery",
            "run",
            str(pipeline),
            "--data-dir",
            str(tmp_path / "data"),
        ]
        scheduler = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=PROMPTS.parent)
        until(lambda: server.stats()["in_flight"] == 10)
        scheduler.kill()
        scheduler.wait()
        until(lambda: server.stats()["in_flight"] == 0, 10)
