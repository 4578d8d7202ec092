from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from distillery.records import Outcome, Problem, Verdict
from distillery.verify.pool import background as beside
from distillery.verify.pool import processes as pool
from distillery.verify.pool.background import Beside

GOLD = Problem("q", "4")


@pytest.fixture(autouse=True)
def _end_workers() -> Iterator[None]:
    yield
    pool.close()


@pytest.fixture
def held(monkeypatch):
    """A judge that waits for leave, and notes the texts of each batch."""
    leave, batches = threading.Semaphore(0), []

    def judge(rows, **options):
        batches.append([text for _, text in rows])
        assert leave.acquire(timeout=10)
        return [Verdict.of(text == "right") for _, text in rows]

    monkeypatch.setattr(beside, "judge", judge)
    return leave, batches


def take_all(checkers):
    found, end = [], time.monotonic() + 30
    while checkers.busy:
        assert time.monotonic() < end
        found += checkers.take()
        time.sleep(0.002)
    return found


def test_each_text_has_its_verdict_under_its_own_name():
    checkers = Beside()
    rows = {"a": (GOLD, "4"), "b": (GOLD, "5"), "c": (Problem("q", "1/2", checker="math"), "\\boxed{0.5}")}
    for name, row in rows.items():
        checkers.submit(name, *row)
    found = {name: verdict.outcome for name, verdict in take_all(checkers)}
    checkers.close()
    assert found == {"a": Outcome.CORRECT, "b": Outcome.WRONG, "c": Outcome.CORRECT}


def test_nobody_waits_for_a_verdict(held):
    leave, _ = held
    checkers = Beside()
    checkers.submit("a", GOLD, "right")
    assert checkers.take() == []
    assert checkers.take() == []
    assert checkers.busy
    leave.release()
    assert [name for name, _ in take_all(checkers)] == ["a"]
    checkers.close()


def test_what_comes_in_meanwhile_is_the_next_batch(held):
    leave, batches = held
    checkers = Beside()
    checkers.submit("a", GOLD, "right")
    checkers.take()
    checkers.submit("b", GOLD, "wrong")
    checkers.submit("c", GOLD, "right")
    leave.release(2)
    assert [(name, verdict.score) for name, verdict in take_all(checkers)] == [
        ("a", 1.0),
        ("b", 0.0),
        ("c", 1.0),
    ]
    assert batches == [["right"], ["wrong", "right"]]
    checkers.close()


def test_a_judge_that_breaks_is_heard_of(monkeypatch):
    def judge(rows, **options):
        raise OSError("no processes left")

    monkeypatch.setattr(beside, "judge", judge)
    checkers = Beside()
    checkers.submit("a", GOLD, "4")
    checkers.take()
    with pytest.raises(OSError, match="no processes left"):
        take_all(checkers)
    checkers.close()


def test_closing_leaves_nothing_running(held):
    leave, _ = held
    checkers = Beside()
    checkers.submit("a", GOLD, "right")
    checkers.take()
    leave.release()
    checkers.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("verify beside")]
