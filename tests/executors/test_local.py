from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from distillery.errors import DistilleryError, StoppedError
from distillery.executors import open_executor
from distillery.pipeline import Workers, load_plan
from distillery.runner import Watcher, open_run, run
from distillery.runner.events import Done, Failed, Unit
from distillery.runner.execute import Line, execute, folder_of

SOURCE = "- {id: rows, use: ingest.miniature, with: {part: general_worked, count: 30, shard_rows: 10}}"


def plan_of(tmp_path: Path, text: str):
    file = tmp_path / "p.yaml"
    file.write_text(text)
    return load_plan(file)


def do(tmp_path: Path, plan, jobs: int = 2) -> None:
    executor = open_executor("local", Workers(jobs=jobs, threads=1))
    record = open_run(plan, tmp_path / "runs")
    run(plan, store=tmp_path / "store", record=record, executor=executor, watcher=Watcher())


@pytest.mark.slow
def test_shards_are_shared_out_and_the_stage_ends_once(tmp_path):
    plan = plan_of(tmp_path, f"stages:\n  {SOURCE}\n  - {{id: good, use: filter.quality}}\n")
    do(tmp_path, plan)
    folder = folder_of(plan.step("good"), tmp_path / "store")
    note = folder.done()
    assert note is not None
    assert (note.shards, note.rows_in, note.rows_out + note.rows_dropped) == (3, 30, 30)
    alone = tmp_path / "alone"
    do(alone, plan, jobs=1)
    for shard in range(3):
        assert folder.read(shard).equals(folder_of(plan.step("good"), alone / "store").read(shard))


def test_an_error_of_a_stage_crosses_the_process_boundary_whole(tmp_path):
    text = f"stages:\n  {SOURCE}\n  - id: mixed\n    use: mix.quota\n    with: {{total: 99, quotas: [{{where: {{domain: [math]}}, rows: 99}}]}}\n"
    with pytest.raises(DistilleryError, match="mixed|mix.quota") as caught:
        do(tmp_path, plan_of(tmp_path, text))
    assert "99" in str(caught.value)


def test_a_worker_that_is_killed_is_said_with_the_end_of_its_log(tmp_path):
    text = (
        "stages:\n  - {id: web, use: ingest.miniature, with: {part: corpus, count: 100}}\n"
        "  - {id: base, use: train.base}\n"
    )
    plan = plan_of(tmp_path, text)
    executor = open_executor("local", Workers(jobs=1, threads=1))
    executor.start(plan.until(["web"]), tmp_path)
    try:
        executor.submit(Unit(plan.step("web")))
        events = []
        deadline = time.monotonic() + 60
        while not any(isinstance(event, Done) for event in events):
            assert time.monotonic() < deadline
            events += executor.wait(1.0)
        executor.submit(Unit(plan.step("base")))
        (flight,) = executor._flights
        os.kill(flight.process.pid, signal.SIGKILL)
        while not any(isinstance(event, Failed) for event in events):
            assert time.monotonic() < deadline
            events += executor.wait(1.0)
    finally:
        executor.close()
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert "stage base (train.base): died from signal 9" in str(failed.error)


@pytest.mark.parametrize("after_s", [0.0, 0.02])
def test_a_worker_told_to_stop_before_it_can_hear_has_stopped_and_not_failed(tmp_path, after_s):
    text = f"stages:\n  {SOURCE}\n  - {{id: traces, use: generate.traces, with: {{engine: e, prompt: solve.plain@1}}}}\n"
    engines = "engines:\n  e: {kind: openai, model: m, base_url: 'http://127.0.0.1:9/v1'}\n"
    plan = plan_of(tmp_path, engines + text)
    execute(Unit(plan.step("rows")), plan, tmp_path, Line(lambda _: None, lambda _: None))
    executor = open_executor("local", Workers(jobs=1, threads=1))
    executor.start(plan, tmp_path)
    try:
        executor.submit(Unit(plan.step("traces")))
        time.sleep(after_s)
        executor.drain()
        events = []
        deadline = time.monotonic() + 60
        while not events:
            assert time.monotonic() < deadline
            events += executor.wait(1.0)
    finally:
        executor.close()
    (failed,) = events
    assert isinstance(failed.error, StoppedError)


def test_an_unknown_executor_is_refused():
    with pytest.raises(DistilleryError, match="known executors: local, ray"):
        open_executor("slurm", Workers())
