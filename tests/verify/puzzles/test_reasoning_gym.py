import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import reasoning_gym
from reasoning_gym.composite import DatasetSpec
from reasoning_gym.factory import DATASETS

from distillery.records import Outcome, Problem, Verdict
from distillery.sandbox import Limits, start_python
from distillery.verify.base import Errand
from distillery.verify.gold import gold_faults
from distillery.verify.pool.processes import judge_one
from distillery.verify.puzzles.reasoning_gym import Scorers, decide, work

COUNTDOWN = {
    "question": "Calculate 309 using all of these numbers: 6, 61, 94, 4.",
    "answer": "94*4 - 61 - 6",
    "metadata": {
        "source_dataset": "countdown",
        "numbers": [6, 61, 94, 4],
        "target": 309,
        "expression": "94*4 - 61 - 6",
    },
}


@pytest.fixture(autouse=True, scope="module")
def sandbox() -> Iterator[None]:
    yield
    Scorers.end()


def puzzle(**payload: object) -> Problem:
    return Problem(
        "q", "", checker="puzzle", payload=json.dumps({"task": "countdown", "entry": COUNTDOWN} | payload)
    )


def test_the_tasks_own_scorer_judges_in_a_worker():
    assert judge_one(puzzle(), "<think>x</think><answer>4*94 - 6 - 61</answer>").outcome is Outcome.CORRECT
    wrong = judge_one(puzzle(), "<answer>94 + 61</answer>")
    assert (wrong.outcome, wrong.score) == (Outcome.WRONG, 0.0)
    assert "own score: 0.05" in wrong.detail


def test_the_threshold_is_an_option():
    words = {"answer": "the cat sat down", "metadata": {}}
    assert work("sentence_reordering", words, "the cat down sat", 0.5).outcome is Outcome.CORRECT
    assert work("sentence_reordering", words, "the cat down sat", 0.6).outcome is Outcome.WRONG


def test_a_threshold_that_an_empty_answer_reaches_is_none():
    assert "pays 0.05 for '0'" in work("countdown", COUNTDOWN, "94 + 61", 0.05).detail


@pytest.mark.parametrize(
    "text", ["\\boxed{4*94 - 6 - 61}", "4*94 - 6 - 61", "<answer> 4*94 - 6 - 61 </answer>"]
)
def test_an_answer_may_stand_in_tag_box_or_text(text: str):
    found = decide(puzzle(), text)
    assert isinstance(found, Errand)
    assert json.loads(found.data)["answer"] == "4*94 - 6 - 61"


@pytest.mark.parametrize(
    ("problem", "text", "outcome"),
    [
        (puzzle(), "<think>x", Outcome.NO_ANSWER),
        (puzzle(), "<answer></answer>", Outcome.NO_ANSWER),
        (puzzle(), "9" * 200_000, Outcome.WRONG),
        (puzzle(entry=3), "1", Outcome.NO_GOLD),
        (puzzle(threshold=0), "1", Outcome.NO_GOLD),
        (puzzle(threshold="1"), "1", Outcome.NO_GOLD),
        (puzzle(entry={"answer": " ", "metadata": {}}), "1", Outcome.NO_GOLD),
        (Problem("q", "", payload="[]"), "1", Outcome.ERROR),
    ],
)
def test_what_needs_no_scorer_is_decided_at_once(problem: Problem, text: str, outcome: Outcome):
    found = decide(problem, text)
    assert isinstance(found, Verdict)
    assert found.outcome is outcome


def test_an_unknown_task_is_an_error():
    assert work("no_such_task", COUNTDOWN, "1", 1.0).outcome is Outcome.ERROR


def test_an_entry_of_another_task_is_no_gold():
    assert work("countdown", {"answer": "1", "metadata": {}}, "1", 1.0).outcome is Outcome.NO_GOLD


def entries(task: str, size: int = 2) -> list[dict[str, Any]]:
    options = {"datasets": [DatasetSpec("chain_sum", 1, {})]} if task == "composite" else {}
    found = reasoning_gym.create_dataset(task, size=size, seed=3, **options)
    return [json.loads(json.dumps(dict(entry))) for entry in found]


BOUGHT = {"coin_flip", "game_of_life_halting"}  # whose scorers pay for any text, or a first digit
UNDONE = {"intermediate_integration"}  # some of whose golds are integrals left to be solved


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # a data file that is left open
@pytest.mark.parametrize("task", sorted(DATASETS))
def test_each_task_takes_its_own_golds_and_pays_for_nobodys_answer(task: str):
    for entry in entries(task):
        gold = entry["answer"]
        verdicts = [work(task, entry, answer, 1.0) for answer in ("zzz", "0", "", "certainly not this")]
        own = work(task, entry, gold, 1.0)  # or without an answer, where there is no example
        if own.outcome is Outcome.NO_GOLD:
            assert task in BOUGHT | UNDONE
            nonsense = {Outcome.NO_GOLD} if task in UNDONE else {Outcome.NO_GOLD, Outcome.WRONG}
            assert {verdict.outcome for verdict in verdicts} == nonsense
            continue
        assert own.outcome is Outcome.CORRECT
        right = [verdict for verdict in verdicts if verdict.outcome is not Outcome.WRONG]
        assert not right or gold in ("0", "0.0", "zzz")


def test_a_gold_is_looked_at_before_anything_is_generated():
    assert judged_gold(puzzle()) is None
    halting = entries("game_of_life_halting", 1)[0]
    assert "pays 1 for '0'" in (judged_gold(puzzle(task="game_of_life_halting", entry=halting)) or "")
    assert "refuses its own gold" in (judged_gold(puzzle(entry=COUNTDOWN | {"answer": "1"})) or "")


def judged_gold(problem: Problem) -> str | None:
    found = gold_faults([problem], deadline_s=20, workers=1)[0]
    return found and found.detail


def test_without_a_sandbox_nothing_is_scored(monkeypatch: pytest.MonkeyPatch):
    Scorers.end()
    monkeypatch.setenv("DISTILLERY_SANDBOX", "none")
    verdict = work("countdown", COUNTDOWN, "94*4 - 61 - 6", 1.0)
    assert (verdict.outcome, verdict.score) == (Outcome.ERROR, None)
    assert "'none' is no sandbox" in verdict.detail
    monkeypatch.setenv("DISTILLERY_SANDBOX", "piston")
    assert "no program stays in 'piston'" in work("countdown", COUNTDOWN, "1", 1.0).detail


def test_a_sandbox_that_was_lost_is_started_anew():
    work("countdown", COUNTDOWN, "1", 1.0)
    assert isinstance(Scorers.mine, subprocess.Popen)
    Scorers.mine.kill()
    assert Scorers.mine.stdout
    Scorers.mine.stdout.read()
    assert "was lost" in work("countdown", COUNTDOWN, "1", 1.0).detail
    assert work("countdown", COUNTDOWN, "94*4 - 61 - 6", 1.0).outcome is Outcome.CORRECT


def test_what_a_scorer_prints_is_no_verdict():
    hanoi = entries("tower_of_hanoi", 1)[0]
    printed = f"Move disk 1 from Peg {'9' * 3000} to Peg 1"  # in the message of a scorer that prints
    for _ in range(30):  # more than is kept back
        assert work("tower_of_hanoi", hanoi, printed, 1.0).outcome is Outcome.WRONG
    assert work("countdown", COUNTDOWN, "94*4 - 61 - 6", 1.0).outcome is Outcome.CORRECT


def test_nothing_can_be_written_or_reached_where_scorers_run():
    """Were something of an answer to run after all."""
    found = start_python(PROBE, limits=Limits())
    assert isinstance(found, subprocess.Popen)
    with found:
        said = json.loads(found.communicate()[0])
    assert said["wrote"] == []
    assert said["reached"] == "OSError"
    assert set(said["environment"]) <= {
        "PATH",
        "HOME",
        "LANG",
        "PWD",
        "OPENBLAS_NUM_THREADS",
        "PYTHONHASHSEED",
        "LC_CTYPE",
    }


PROBE = """
import json, os, socket
print("begun", flush=True)
wrote = []
for folder, _, _ in os.walk("/"):
    if not folder.startswith("/proc"):
        try:
            open(os.path.join(folder, "mine"), "w").close()
            wrote.append(folder)
        except OSError:
            pass
try:
    socket.create_connection(("1.1.1.1", 53), 1)
    reached = "all"
except OSError:
    reached = "OSError"
print(json.dumps({"wrote": wrote, "reached": reached, "environment": list(os.environ)}))
"""
