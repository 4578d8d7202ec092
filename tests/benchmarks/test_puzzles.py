"""All tasks of reasoning-gym, 50 entries each: golds taken, nobody's answers and payloads not; verdicts a second."""

import json
import time
from collections import Counter, defaultdict

import pytest

from distillery.records import Outcome, Problem, Verdict
from distillery.verify.pool.processes import close, judge
from tests.verify.test_payloads import payloads

reasoning_gym = pytest.importorskip("reasoning_gym")
SIZE, SEED = 50, 7
BOUGHT = {"coin_flip", "game_of_life_halting"}  # whose scorers pay for any text, or a first digit
UNDONE = {"intermediate_integration"}  # some of whose golds are integrals left to be solved


def problems() -> list[tuple[str, str | None, Problem]]:
    """Task, gold and problem."""
    from reasoning_gym.composite import DatasetSpec
    from reasoning_gym.factory import DATASETS

    found: list[tuple[str, str | None, Problem]] = []
    for task in sorted(DATASETS):
        options = {"datasets": [DatasetSpec("chain_sum", 1, {})]} if task == "composite" else {}
        for entry in reasoning_gym.create_dataset(task, size=SIZE, seed=SEED, **options):
            payload = json.dumps({"task": task, "entry": dict(entry)}, default=str)
            found.append((task, entry["answer"], Problem("q", "", checker="puzzle", payload=payload)))
    return found


def verdicts(rows: list[tuple[Problem, str]]) -> tuple[list[Verdict], float]:
    close()
    judge(rows[:1], deadline_s=60, workers=1)
    begin = time.monotonic()
    return judge(rows, deadline_s=60, workers=1), time.monotonic() - begin


def answered(answer: str) -> str:
    return f"<think>t</think><answer>{answer}</answer>"


@pytest.mark.filterwarnings("ignore")
def test_golds_nobodys_answers_and_payloads_of_all_tasks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = problems()
    golds = [(task, gold, problem) for task, gold, problem in asked if gold is not None]
    found, seconds = verdicts([(problem, answered(gold)) for _, gold, problem in golds])
    print(
        f"\n{len(found)} golds of {len({task for task, *_ in asked})} tasks: {len(found) / seconds:.0f} verdicts a second"
    )
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (task, gold, _), verdict in zip(golds, found, strict=True):
        told[task][verdict.outcome.value] += 1
        fault = task in BOUGHT | UNDONE or not gold.strip()
        assert verdict.outcome is Outcome.CORRECT or (fault and verdict.outcome is Outcome.NO_GOLD), (
            task,
            verdict,
        )
    print({task: dict(counts) for task, counts in told.items() if set(counts) != {"correct"}})

    for answer in ("zzz", "0"):
        found, seconds = verdicts([(problem, answered(answer)) for *_, problem in asked])
        print(
            f"{answer!r}: {dict(Counter(it.outcome.value for it in found))}, {len(found) / seconds:.0f} a second"
        )
        for (task, gold, _), verdict in zip(asked, found, strict=True):
            own = gold is not None and (gold == answer or float_of(gold) == float_of(answer))
            assert own or verdict.outcome in (Outcome.WRONG, Outcome.NO_GOLD), (task, gold, verdict)

    texts = payloads(tmp_path / "ran")
    rows = [(problem, answered(texts[place % len(texts)])) for place, (*_, problem) in enumerate(asked)]
    found, seconds = verdicts(rows)
    print(f"payloads: {dict(Counter(it.outcome.value for it in found))}, {len(found) / seconds:.0f} a second")
    assert {verdict.outcome for verdict in found} <= {Outcome.WRONG, Outcome.NO_GOLD, Outcome.NO_ANSWER}
    assert list(tmp_path.iterdir()) == []


def float_of(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
