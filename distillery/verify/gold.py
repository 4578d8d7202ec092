"""Golds that no answer can ever be held against, told before a token is spent on their problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from distillery.records import Outcome, Problem
from distillery.verify import CHECKERS, choice
from distillery.verify.base import Errand
from distillery.verify.instruction import check as instruction
from distillery.verify.math import check as math
from distillery.verify.pool.processes import run_errands
from distillery.verify.program import check as program
from distillery.verify.puzzles import knights
from distillery.verify.puzzles import reasoning_gym as puzzle


def gold_faults(problems: Sequence[Problem], *, deadline_s: float, workers: int) -> list[str | None]:
    """Why each problem cannot be judged, None for those that can; in order."""
    faults = [_plain_fault(problem) for problem in problems]
    errands = [
        math.gold_errand(problem.gold) if fault is None and problem.checker == "math" else None
        for problem, fault in zip(problems, faults, strict=True)
    ]
    read = run_errands([errand for errand in errands if errand], workers=workers, deadline_s=deadline_s)
    for place, errand in enumerate(errands):
        if errand and read[errand].outcome in (Outcome.NO_GOLD, Outcome.TIMEOUT):
            faults[place] = f"unreadable: {read[errand].detail}"
    return faults


def _plain_fault(problem: Problem) -> str | None:
    if problem.checker not in CHECKERS:
        return f"no checker is called {problem.checker!r}"
    try:
        problem.options  # noqa: B018 -- reading it is the test
    except ValueError as error:
        return str(error)
    return _FAULTS[problem.checker](problem)


def _exact(problem: Problem) -> str | None:
    return None if problem.gold.strip() else "the gold is empty"


def _language(problem: Problem) -> str | None:
    return None if problem.language else "the problem names no language"


def _puzzle(problem: Problem) -> str | None:
    found = puzzle.decide(problem, "<answer>0</answer>")
    return None if isinstance(found, Errand) else found.detail


_FAULTS: dict[str, Callable[[Problem], str | None]] = {
    "choice": choice.gold_fault,
    "exact": _exact,
    "harmless": lambda _: None,
    "instruction": instruction.gold_fault,
    "knights": knights.gold_fault,
    "language": _language,
    "layout": lambda _: None,
    "math": lambda problem: math.gold_fault(problem.gold),
    "program": lambda problem: program.payload_fault(problem.options),
    "puzzle": _puzzle,
}
