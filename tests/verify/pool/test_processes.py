import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Errand
from distillery.verify.pool import processes as pool
from distillery.verify.pool.processes import judge, judge_one

GOLD = Problem("q", "2\\sqrt{2}", checker="math")
RIGHT, WRONG = "\\boxed{\\sqrt{8}}", "\\boxed{\\sqrt{7}}"
HARD, BOMB = Problem("q", "x!", checker="math"), "\\boxed{(10^8)!+x}"  # minutes of work


@pytest.fixture(scope="module", autouse=True)
def _end_workers() -> Iterator[None]:
    yield
    pool.close()


@pytest.fixture(autouse=True)
def _no_rough_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rough values refuse at once goes to the workers here: they are what is tested."""
    monkeypatch.setattr("distillery.verify.math.check._roughly", lambda *_: None)


def warm(workers: int) -> None:
    rows = [(GOLD, f"\\boxed{{\\sqrt{{{n}}}}}") for n in range(10, 10 + 4 * workers)]
    judge(rows, workers=workers)


def pids() -> set[int]:
    mine = pool._Pool.mine
    return {worker._process.pid for worker in mine.idle if worker._process} if mine else set()


@pytest.mark.slow
def test_each_row_has_its_verdict_in_its_place():
    rows = [
        (GOLD, RIGHT),
        (Problem("q", "4"), "4"),
        (GOLD, WRONG),
        (Problem("q", "B", checker="choice"), "\\boxed{B}"),
        (Problem("q", "", checker="math"), "\\boxed{1}"),
        (GOLD, "<think>no end"),
        (Problem("q", "4", checker="guess"), "4"),
        (Problem("q", "4", checker="layout"), "<think>a</think>b"),
        (GOLD, RIGHT),
    ]
    expected = [
        "correct",
        "correct",
        "wrong",
        "correct",
        "no_gold",
        "no_answer",
        "error",
        "correct",
        "correct",
    ]
    assert [verdict.outcome.value for verdict in judge(rows)] == expected
    assert judge([]) == []


@pytest.mark.slow
def test_a_bomb_is_killed_at_its_deadline_and_the_pool_goes_on():
    warm(2)
    begin = time.monotonic()
    verdicts = judge(
        [(HARD, BOMB), (GOLD, RIGHT), (HARD, BOMB[:-1] + "+1}"), (GOLD, WRONG)], deadline_s=1, workers=2
    )
    took = time.monotonic() - begin
    assert [verdict.outcome.value for verdict in verdicts] == ["wrong", "correct", "wrong", "wrong"]
    assert verdicts[0].detail == "stopped after 1 s; the gold was read in time"
    assert verdicts[0].extracted
    assert took < 10
    assert judge_one(GOLD, RIGHT).outcome is Outcome.CORRECT


def test_the_deadline_begins_when_a_worker_does_and_not_in_the_queue():
    rows = [(GOLD, f"\\boxed{{\\sqrt{{{n}}}+x}}") for n in range(30)]
    assert {verdict.outcome for verdict in judge(rows, deadline_s=2, workers=1)} == {Outcome.WRONG}


def test_what_eats_all_memory_is_an_error_and_the_pool_goes_on(monkeypatch: pytest.MonkeyPatch):
    pool.close()
    monkeypatch.setattr(pool, "MEMORY_BYTES", 700 << 20)
    problem = Problem("q", "x^2", checker="math")
    verdict = judge_one(problem, "\\boxed{x\\cdot 3^{3^{19}}}", deadline_s=20)
    assert verdict.score in (None, 0.0)
    assert verdict.outcome is not Outcome.CORRECT
    assert judge_one(GOLD, RIGHT).outcome is Outcome.CORRECT
    pool.close()


@pytest.mark.slow
def test_a_worker_that_dies_is_an_error_of_its_row_alone():
    pool.close()
    warm(1)
    assert pool._Pool.mine
    (worker,) = pool._Pool.mine.idle
    assert worker._process
    worker._process.send_signal(signal.SIGSTOP)  # it takes the errand and does not get to it
    batch = pool._Batch([Errand(json.dumps({"gold": "x+y", "answers": [f"y+x+{n}-{n}"]}), checker="math") for n in range(3)], most=1, deadline_s=10)  # fmt: skip
    batch._hand_out()
    worker = batch.mine[0]
    assert worker._process
    worker._process.kill()
    verdicts = list(batch.run().values())
    batch.give_back()
    assert [verdict.outcome.value for verdict in verdicts] == ["error", "correct", "correct"]
    assert "died" in verdicts[0].detail


def test_a_worker_that_cannot_start_is_an_error_of_every_row(monkeypatch: pytest.MonkeyPatch):
    pool.close()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    verdicts = judge([(GOLD, RIGHT), (GOLD, WRONG), (Problem("q", "1"), "1")], workers=1)
    assert [verdict.outcome.value for verdict in verdicts] == ["error", "error", "correct"]
    assert "at its start" in verdicts[0].detail
    pool.close()


def test_a_worker_that_never_gets_ready_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pool.close()
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    monkeypatch.setattr(pool, "START_S", 0.2)
    verdict = judge_one(GOLD, RIGHT)
    assert verdict.outcome is Outcome.ERROR
    assert "ready" in verdict.detail
    pool.close()


@pytest.mark.slow
def test_workers_are_kept_warm_and_recycled(monkeypatch: pytest.MonkeyPatch):
    pool.close()
    monkeypatch.setattr(pool, "RECYCLE_AFTER", 3)
    judge_one(GOLD, "\\boxed{\\sqrt{11}}")
    first = pids()
    judge_one(GOLD, "\\boxed{\\sqrt{12}}")
    assert pids() == first
    judge_one(GOLD, "\\boxed{\\sqrt{13}}")
    judge_one(GOLD, "\\boxed{\\sqrt{14}}")
    assert len(pids()) == 1
    assert pids() != first


def test_equal_errands_run_once():
    rows = [(GOLD, RIGHT)] * 500
    begin = time.monotonic()
    assert {verdict.outcome for verdict in judge(rows)} == {Outcome.CORRECT}
    assert time.monotonic() - begin < 20
    assert len({pool._first_look(*row) for row in rows}) == 1


def test_threads_share_the_workers():
    def work(number: int) -> list[Verdict]:
        return judge([(GOLD, RIGHT), (GOLD, f"\\boxed{{\\sqrt{{{number}}}+1}}")], workers=2)

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(work, range(20, 32)))
    assert all([v.outcome.value for v in verdicts] == ["correct", "wrong"] for verdicts in found)
    assert len(pids()) <= 2


def test_a_long_batch_lets_another_thread_in():
    warm(2)
    long = [(GOLD, f"\\boxed{{\\sqrt{{{n}}}+y}}") for n in range(150)]
    ended: dict[str, float] = {}

    def run(name: str, rows: list[tuple[Problem, str]]) -> None:
        judge(rows, workers=2)
        ended[name] = time.monotonic()

    first = threading.Thread(target=run, args=("long", long))
    first.start()
    time.sleep(0.1)
    run("short", [(GOLD, "\\boxed{\\sqrt{2}+y}")])
    first.join()
    assert ended["short"] <= ended["long"]


def test_it_works_from_an_event_loop():
    async def main() -> list[list[Verdict]]:
        return await asyncio.gather(*(asyncio.to_thread(judge, [(GOLD, RIGHT)]) for _ in range(3)))

    assert [verdicts[0].outcome for verdicts in asyncio.run(main())] == [Outcome.CORRECT] * 3


def _in_child(queue: "multiprocessing.Queue[tuple[str, list[int]]]") -> None:
    queue.put((judge_one(GOLD, RIGHT).outcome.value, sorted(pids())))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("daemon", [True, False])
def test_it_works_in_processes_that_others_start(method: str, daemon: bool, tmp_path: Path):
    code = (
        "import multiprocessing, sys\n"
        "from distillery.verify.pool.processes import judge_one\n"
        "from distillery.records import Problem\n"
        "def child(q): q.put(judge_one(Problem('q', '2\\\\sqrt{2}', checker='math'), '\\\\boxed{\\\\sqrt{8}}').outcome.value)\n"
        "if __name__ == '__main__':\n"
        f"    c = multiprocessing.get_context({method!r}); q = c.Queue()\n"
        f"    p = c.Process(target=child, args=(q,), daemon={daemon}); p.start(); print(q.get(timeout=60)); p.join(20)\n"
        "    sys.exit(p.exitcode)\n"
    )
    file = tmp_path / "starts.py"
    file.write_text(code)
    ran = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=90)
    assert (ran.stdout.strip(), ran.returncode) == ("correct", 0), ran.stderr


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_starts_its_own_workers_and_leaves_its_parents_alone():
    warm(1)
    before = pids()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    outcome, childs = queue.get(timeout=60)
    child.join(20)
    assert outcome == "correct"
    assert not before & set(childs)
    assert judge_one(GOLD, "\\boxed{\\sqrt{8}+0}").outcome is Outcome.CORRECT
    assert pids() == before


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_no_worker_outlives_a_killed_parent():
    code = (
        "import os, sys, time\n"
        "from distillery.verify.pool import processes as pool\n"
        "from distillery.records import Problem\n"
        "pool.judge_one(Problem('q', '2\\\\sqrt{2}', checker='math'), '\\\\boxed{\\\\sqrt{8}}')\n"
        "print(pool._Pool.mine.idle[0]._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        assert _alive(worker)
        parent.kill()
    deadline = time.monotonic() + 15
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(worker)


def test_an_interrupted_batch_gives_back_no_busy_worker(monkeypatch: pytest.MonkeyPatch):
    warm(1)

    def interrupt(*_: object, **__: object) -> list[int]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pool, "wait_for_any", interrupt)
        with pytest.raises(KeyboardInterrupt):
            judge([(HARD, BOMB)], deadline_s=30, workers=1)
    assert judge_one(GOLD, "\\boxed{\\sqrt{8}-0}").outcome is Outcome.CORRECT


def test_a_text_beyond_all_measure_is_no_answer():
    assert judge_one(GOLD, "x" * (pool.MAX_CHARS + 1)).outcome is Outcome.NO_ANSWER


@pytest.mark.slow
def test_a_million_characters_and_a_hundred_thousand_brackets_cost_little():
    warm(1)
    begin = time.monotonic()
    texts = [
        "\\boxed{" + "9" * 1_000_000 + "}",
        "\\boxed{" + "(" * 100_000 + ")" * 100_000 + "}",
        "\\boxed{" * 100_000,
        "<answer>" * 100_000,
        "{" * 500_000 + "\\boxed{1}",
        "The answer is " * 70_000,
        "**" * 400_000 + "1",
        "\\[" * 400_000,
        "answer to " * 80_000,
        "\\boxed{3} and " * 60_000,
        "is 3 " * 150_000,
    ]
    verdicts = judge([(GOLD, text) for text in texts])
    assert all(verdict.outcome in (Outcome.WRONG, Outcome.NO_ANSWER) for verdict in verdicts)
    assert time.monotonic() - begin < 60  # any hang would take hours


def test_usable_cores_are_those_of_this_process():
    assert pool.cores() == len(os.sched_getaffinity(0))
