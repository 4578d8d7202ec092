"""Golds that no answer can ever be held against, told before a token is spent on their problems."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from distillery.errors import ConfigError
from distillery.records import Outcome, Problem, Verdict
from distillery.verify import Errand, get_checker
from distillery.verify.pool.processes import run_errands

_NOT_READ = (Outcome.NO_GOLD, Outcome.TIMEOUT, Outcome.ERROR)


def gold_faults(
    problems: Sequence[Problem], *, deadline_s: float, workers: int, own: Collection[str] = ()
) -> list[Verdict | None]:
    """Why each problem cannot be judged, None for those that can; in order. `own` as in `get_checker`.

    A NO_GOLD is the gold's fault; a TIMEOUT or an ERROR its checker's, which could say nothing of it.
    """
    looked = [_look(problem, own) for problem in problems]
    errands = [found for found in looked if isinstance(found, Errand)]
    read = run_errands(errands, workers=workers, deadline_s=deadline_s)
    verdicts = [read[found] if isinstance(found, Errand) else found for found in looked]
    return [verdict if verdict and verdict.outcome in _NOT_READ else None for verdict in verdicts]


def _look(problem: Problem, own: Collection[str]) -> Verdict | Errand | None:
    """The fault, None where there is none, or an errand where that takes work."""
    try:
        checker = get_checker(problem.checker, own=own)
        problem.options  # noqa: B018 -- reading it is the test
    except (ConfigError, ValueError) as error:
        return Verdict(Outcome.NO_GOLD, detail=str(error))
    if fault := checker.gold_fault(problem):
        return Verdict(Outcome.NO_GOLD, detail=fault)
    errand = checker.gold_errand(problem)
    return errand and replace(errand, checker=problem.checker)
