"""A step that asks an engine: shards overlap, stragglers hold up nobody, stops are clean."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from distillery.config import build
from distillery.engines import Completion, Engine, Failure
from distillery.engines.mock.replies import MockOptions
from distillery.engines.request_store import RequestStore
from distillery.engines.scripted import Scripted
from distillery.errors import ConfigError, ContractError, DistilleryError, StoppedError
from distillery.executors import open_executor
from distillery.pipeline import Workers, load_plan
from distillery.pipeline.prices import Prices
from distillery.runner import Watcher, asking, open_run, run, schedule
from distillery.runner.execute import folder_of
from tests.engines.mock_server import MockServer
from tests.inline import Inline

ROOT = Path(__file__).parents[2]
PIPELINE = """
pipeline: asks
engines:
  teacher: {engine}
{more}stages:
  - id: problems
    use: ingest.file
    with: {{path: "{problems}", shard_rows: {shard_rows}, constants: {{checker: math}}}}
  - id: traces
    use: generate.traces
    with: {{engine: teacher, prompt: solve.boxed@1, samples: {samples}, sampling: {{max_tokens: 64}}}}
"""


def pipeline(folder: Path, engine: str, *, count=40, shard_rows=10, samples=1, more="", order=1) -> Path:
    rows = [
        {"question": f"What is {n} + {n}? [[answer: {2 * n} @0.5]]", "gold": f"{2 * n}"} for n in range(count)
    ]
    problems = folder / "problems.jsonl"
    problems.write_text("\n".join(map(json.dumps, rows[::order])))
    file = folder / "asks.yaml"
    text = PIPELINE.format(
        engine=engine, problems=problems, shard_rows=shard_rows, samples=samples, more=more
    )
    file.write_text(text)
    return file


def do(file: Path, data: Path, *, engine: Engine | None = None, watcher=None, prices=None, settings=()):
    engines = {"teacher": engine} if engine else {}
    plan = load_plan(file, engines=engines, settings=settings, prompts=ROOT / "prompts")
    record = open_run(plan, data / "runs")
    executor = Inline(engines) if engine or not plan.budget else open_executor("local", Workers(jobs=1))
    run(
        plan,
        store=data / "store",
        record=record,
        executor=executor,
        watcher=watcher or Watcher(),
        prices=prices,
    )
    return folder_of(plan.step("traces"), data / "store")


def mock(server: MockServer, **options) -> str:
    return json.dumps({"kind": "openai", "model": "mock", "base_url": server.url, **options})


def test_a_straggler_holds_up_its_own_shard_and_nothing_else(tmp_path):
    """Its reply comes when everything else was asked, which a barrier between shards would never allow."""
    held: list = []

    class Straggling(Scripted):
        def batches(self, requests):
            for request in requests:
                if request is None:
                    if held and len(self.calls) == 40:
                        yield (Completion(held.pop().key, "late", "stop", 1, 1),)
                    yield ()
                    continue
                self.calls.append(request)
                if "What is 3 +" in request.messages[-1][1]:
                    held.append(request)
                else:
                    yield (Completion(request.key, "fine", "stop", 1, 1),)

    engine = Straggling()
    folder = do(pipeline(tmp_path, "{kind: scripted}"), tmp_path, engine=engine)
    assert folder.done().rows_out == 40
    assert folder.read(0)["text"].to_list().count("late") == 1


@pytest.mark.slow
def test_reordered_doubled_and_extended_input_asks_only_for_what_is_new(tmp_path):
    with MockServer() as server:
        do(pipeline(tmp_path, mock(server)), tmp_path)
        assert server.stats()["requests"] == 40
        do(pipeline(tmp_path, mock(server), order=-1), tmp_path)
        assert server.stats()["requests"] == 40
        do(pipeline(tmp_path, mock(server), count=45, shard_rows=7), tmp_path)
        assert server.stats()["requests"] == 45
        do(pipeline(tmp_path, mock(server), samples=2), tmp_path)
        assert server.stats()["requests"] == 45 + 40
        do(
            pipeline(tmp_path, mock(server), samples=2),
            tmp_path,
            settings=["stages.traces.prompt=solve.plain@1"],
        )
        assert server.stats()["requests"] == 45 + 40 + 80
    with MockServer() as elsewhere:
        do(pipeline(tmp_path, mock(elsewhere), samples=2), tmp_path)
        assert elsewhere.stats()["requests"] == 0


def test_an_engine_that_leaves_a_request_unanswered_is_found_out(tmp_path):
    class Forgetful(Scripted):
        def batches(self, requests):
            for group in super().batches(requests):
                if len(self.calls) == 25:
                    return
                yield group

    with pytest.raises(ContractError, match="requests unanswered"):
        do(pipeline(tmp_path, "{kind: scripted}"), tmp_path, engine=Forgetful())


class Reads(Scripted):
    """Reads on where there is nothing to ask, and gives its turn at the 300th time."""

    def batches(self, requests):
        asked = []
        for request in requests:
            asked.append(request)
            if asked.count(None) == 300:
                break
        yield [Completion(one.key, "fine", "stop", 1, 1) for one in asked if one]
        yield from super().batches(requests)


def test_an_engine_that_reads_the_feed_on_and_on_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "_TURN_S", 0.1)
    heard: list[str] = []

    class Hears(Watcher):
        def alarms(self, step, text):
            heard.append(text)

    folder = do(pipeline(tmp_path, "{kind: scripted}"), tmp_path, engine=Reads(), watcher=Hears())
    assert folder.done().rows_out == 40
    assert len(heard) == 1
    assert "times where there was nothing to ask, and gives no turn; `batches` would `yield []`" in heard[0]


def test_an_engine_that_gives_no_sign_of_life_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, "SILENT_S", 0.0)
    heard: list[str] = []

    class Hears(Watcher):
        def alarms(self, step, text):
            heard.append(f"{step.id}: {text}")

    class Silent(Inline):
        """Its work never ends."""

        turns = 0

        def wait(self, timeout_s):
            if self._queue and self._queue[0].step.id != "traces":
                return super().wait(timeout_s)
            self.turns += 1
            if self.turns == 3:
                raise DistilleryError("enough")
            return []

    plan = load_plan(pipeline(tmp_path, "{kind: scripted}"), prompts=ROOT / "prompts")
    record = open_run(plan, tmp_path / "runs")
    with pytest.raises(DistilleryError, match="enough"):
        run(plan, store=tmp_path / "store", record=record, executor=Silent(), watcher=Hears())
    assert set(heard) == {"traces: nothing was heard for 0 s: teacher gives no reply and no turn"}


def test_the_same_question_in_two_shards_is_asked_once(tmp_path):
    rows = [{"question": f"What is {n % 5} + 1? {'!' * (n // 5)}", "gold": "1"} for n in range(10)]
    judged = tmp_path / "rows.jsonl"
    judged.write_text("\n".join(map(json.dumps, rows)))
    engine = Scripted(reply=lambda asked: "\\boxed{4}")
    file = tmp_path / "twice.yaml"
    file.write_text(f"""
pipeline: twice
engines: {{teacher: {{kind: scripted}}}}
stages:
  - id: problems
    use: ingest.file
    with: {{path: "{judged}", shard_rows: 5, constants: {{checker: math}}}}
  - id: traces
    use: generate.traces
    with: {{engine: teacher, prompt: solve.boxed@1, samples: 2}}
  - id: checked
    use: verify.answers
  - id: judged
    use: judge.answers
    with: {{engine: teacher, policy: judge_only}}
""")
    plan = load_plan(file, engines={"teacher": engine}, prompts=ROOT / "prompts")
    record = open_run(plan, tmp_path / "runs")
    run(
        plan, store=tmp_path / "store", record=record, executor=Inline({"teacher": engine}), watcher=Watcher()
    )
    keys = [request.key for request in engine.calls]
    assert len(keys) == len(set(keys)) == 20 + 10


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Failure("", kind, "as the server said"), kind)
        for kind in ("transport", "rate_limit", "context_length")
    ]
    + [
        (Failure("", kind, "as the server said"), kind)
        for kind in ("refused", "empty", "malformed", "no_reasoning")
    ],
)
def test_each_kind_of_failure_leaves_a_row_in_the_ledger(tmp_path, reply, kind):
    fails = Scripted(
        reply=lambda asked: Failure(asked.key, reply.kind, reply.message) if asked.seed % 2 else "fine"
    )
    folder = do(pipeline(tmp_path, "{kind: scripted}", count=12), tmp_path, engine=fails)
    ledger = folder.ledger()
    assert 0 < ledger.height < 12
    assert set(ledger["reason"]) == {kind}
    assert ledger["detail"][0] == "sample 0: as the server said"
    assert folder.done().rows_out + ledger.height == 12


@pytest.mark.slow
def test_a_token_budget_stops_cleanly_and_a_larger_one_goes_on(tmp_path):
    with MockServer(MockOptions(latency_s=0.1)) as server:
        engine = mock(server, concurrency=8)
        whole = pipeline(tmp_path, engine, count=300, more="budget: {max_tokens: 3000}\n")
        with pytest.raises(StoppedError, match=r"budget.max_tokens: [\d,]+ of 3,000 tokens"):
            do(whole, tmp_path, watcher=None)
        asked = server.stats()["requests"]
        assert asked < 300
        stored = RequestStore(tmp_path / "store" / "requests").sizes()[0].completions
        assert stored == asked
        with pytest.raises(StoppedError):
            do(whole, tmp_path)
        assert server.stats()["requests"] <= asked + 40
        folder = do(whole, tmp_path, settings=["budget.max_tokens=1e9"])
        assert server.stats()["requests"] == 300
    assert folder.done().rows_out == 300


@pytest.mark.slow
def test_a_money_budget_counts_by_the_price_list(tmp_path):
    prices = build(Prices, {"api": {"mock": {"input_usd": 1.0, "output_usd": 1000.0}}}, where="prices")
    with MockServer(MockOptions(latency_s=0.1)) as server:
        file = pipeline(tmp_path, mock(server, concurrency=8), count=300, more="budget: {max_cost: 1.5}\n")
        with pytest.raises(StoppedError, match=r"budget.max_cost: [\d.]+ of 1.50 USD"):
            do(file, tmp_path, prices=prices)
        assert server.stats()["requests"] < 300


def test_money_without_a_price_is_refused_before_anything_is_asked(tmp_path):
    with MockServer() as server:
        file = pipeline(tmp_path, mock(server), more="budget: {max_cost: 1.5}\n")
        with pytest.raises(ConfigError, match="price of engine 'teacher'"):
            do(file, tmp_path)
        assert server.stats()["requests"] == 0


def test_an_hour_budget_stops_too(tmp_path):
    with MockServer(MockOptions(latency_s=0.05)) as server:
        file = pipeline(
            tmp_path, mock(server, concurrency=2), count=400, more="budget: {max_hours: 0.0001}\n"
        )
        with pytest.raises(StoppedError, match="budget.max_hours"):
            do(file, tmp_path)


@pytest.mark.slow
def test_when_nothing_comes_any_more_it_says_what_it_waits_for(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "STALL_S", 0.2)
    alarms = []

    class Listener(Watcher):
        def alarms(self, step, text):
            alarms.append(text)

    with MockServer(MockOptions(latency_s=1.5)) as server:
        do(pipeline(tmp_path, mock(server), count=1), tmp_path, watcher=Listener())
    assert alarms[0].startswith("no completion for")
    assert "What is 0 + 0?" in alarms[0]


def start(file: Path, data: Path) -> subprocess.Popen[str]:
    heard = ["env", "--default-signal=INT"]  # a shell's background job passes on that it hears no Ctrl-C
    command = [*heard, sys.executable, "-m", "distillery", "run", str(file), "--data-dir", str(data)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def wait_for(holds, seconds=60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interrupt_keeps_what_is_in_flight(tmp_path, number):
    with MockServer(MockOptions(latency_s=1.0)) as server:
        file = pipeline(tmp_path, mock(server, concurrency=16), count=200)
        process = start(file, tmp_path)
        wait_for(lambda: server.stats()["in_flight"] == 16)
        os.killpg(process.pid, number)
        out, _ = process.communicate(timeout=60)
        stats = server.stats()
        assert process.returncode == 130
        assert "saves what is in flight" in out
        assert stats["errors"] == {}
        stored = RequestStore(tmp_path / "store" / "requests").sizes()[0].completions
        assert stored == stats["served"] == stats["requests"] < 200
        folder = do(file, tmp_path)
        assert server.stats()["requests"] == 200
    assert pl.concat([folder.read(shard) for shard in range(20)]).height == 200


def test_told_to_stop_when_all_was_asked_it_is_done(tmp_path):
    class Draining(Inline):
        def submit(self, unit):
            super().submit(unit)
            if unit.step.id == "traces":
                self.drain()

    with MockServer(MockOptions(latency_s=0.2)) as server:
        file = pipeline(tmp_path, mock(server, concurrency=64), count=8, shard_rows=8)
        plan = load_plan(file, engines={}, prompts=ROOT / "prompts")
        run(
            plan,
            store=tmp_path / "store",
            record=open_run(plan, tmp_path / "runs"),
            executor=Draining(),
            watcher=Watcher(),
        )
    assert folder_of(plan.step("traces"), tmp_path / "store").done().rows_out == 8


@pytest.mark.slow
def test_the_second_interrupt_leaves_at_once(tmp_path):
    with MockServer(MockOptions(latency_s=600)) as server:
        process = start(pipeline(tmp_path, mock(server), count=20), tmp_path)
        wait_for(lambda: server.stats()["in_flight"] == 20)
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(1.0)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=10)
        assert process.returncode == 130
        wait_for(lambda: server.stats()["in_flight"] == 0, 10)


def test_when_no_row_is_left_it_says_why(tmp_path):
    alarms = []

    class Listener(Watcher):
        def alarms(self, step, text):
            alarms.append((step.id, text))

    with MockServer(MockOptions(max_model_len=3)) as server:
        do(pipeline(tmp_path, mock(server), count=5), tmp_path, watcher=Listener())
    ((step, text),) = alarms
    assert step == "traces"
    assert text.startswith(
        "no row is left of 5: 5 context_length (sample 0: status 400: This model's maximum context"
    )
