"""Puzzles of reasoning-gym, scored by their own task: {"task": name, "entry": {the entry, metadata and all}}.

Many puzzles have more than one solution, so the gold is only an example. A task's partial credit is kept in
the detail; the verdict asks for the full score, or for the payload's "threshold".
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from distillery.installed.extras import require
from distillery.reasoning import last_boxed, split, tagged_answer
from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Checker, Errand

MAX_ANSWER = 100_000  # characters; the largest grids have a few thousand
_UNREADABLE = ArithmeticError, AttributeError, LookupError, RuntimeError, SyntaxError, TypeError, ValueError


def decide(problem: Problem, text: str) -> Verdict | Errand:
    try:
        options = problem.options
    except ValueError as error:
        return Verdict(Outcome.ERROR, detail=str(error))
    task, entry = options.get("task"), options.get("entry")
    if not isinstance(task, str) or not isinstance(entry, dict):
        return Verdict(Outcome.NO_GOLD, detail="payload: a puzzle needs task (a name) and entry (an object)")
    answer = split(text).answer
    if answer is None:
        return Verdict.no_answer("the thought was never closed")
    found = tagged_answer(answer)
    found = last_boxed(answer) if found is None else found
    extracted = (answer if found is None else found).strip()
    if not extracted:
        return Verdict.no_answer("nothing after the thought")
    if len(extracted) > MAX_ANSWER:
        return Verdict.of(False, extracted[:1000], f"an answer of {len(extracted)} characters")
    data = {"task": task, "entry": entry, "answer": extracted, "threshold": options.get("threshold", 1.0)}
    return Errand(json.dumps(data), extracted)


def gold_fault(problem: Problem) -> str | None:
    found = decide(problem, "<answer>0</answer>")
    return None if isinstance(found, Errand) else found.detail


def prepare() -> None:
    require("reasoning_gym", "puzzles", where="puzzle")
    import reasoning_gym  # noqa: F401  # pyright: ignore[reportUnusedImport]


def work(task: str, entry: dict[str, Any], answer: str, threshold: float) -> Verdict:
    """In a worker: some tasks' scorers evaluate the answer."""
    scorer = _scorer(task)
    if scorer is None:
        return Verdict(Outcome.ERROR, detail=f"reasoning-gym has no task {task!r}")
    try:
        made = _as_made(scorer, entry)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        made = None
    if made is None:
        refused = f"the entry is none of {task}'s: it refuses its own gold"
        return Verdict(Outcome.NO_GOLD, None, answer, refused)
    try:
        score = float(scorer.score_answer(answer, made))
    except _UNREADABLE as error:
        return Verdict.of(False, answer, f"the scorer cannot read it: {type(error).__name__}")
    return Verdict.of(score >= threshold, answer, f"the task's own score: {score:g}")


def _as_made(scorer: Any, entry: dict[str, Any]) -> dict[str, Any] | None:
    """JSON makes lists of tuples, with which some scorers compare: the form in which the gold is right."""
    gold = entry.get("answer")
    forms = (entry, {**entry, "metadata": _tuples(entry["metadata"])})
    return next((form for form in forms if gold is None or scorer.score_answer(gold, form) == 1.0), None)


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {name: _tuples(item) for name, item in value.items()}
    return value


@lru_cache(maxsize=256)
def _scorer(task: str) -> Any:
    import reasoning_gym

    try:
        return reasoning_gym.create_dataset(task, size=1, seed=0)
    except ValueError:
        return None


CHECKER = Checker(decide, gold_fault=gold_fault, prepare=prepare, work=work)
