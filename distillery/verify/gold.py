"""Golds that no answer can ever be held against, told before a token is spent on their problems."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from distillery.errors import ConfigError
from distillery.records import Outcome, Problem
from distillery.verify import Errand, get_checker
from distillery.verify.pool.processes import run_errands


def gold_faults(
    problems: Sequence[Problem], *, deadline_s: float, workers: int, own: Collection[str] = ()
) -> list[str | None]:
    """Why each problem cannot be judged, None for those that can; in order. `own` as in `get_checker`."""
    looked = [_look(problem, own) for problem in problems]
    errands = [found for found in looked if isinstance(found, Errand)]
    read = run_errands(errands, workers=workers, deadline_s=deadline_s)
    faults = {errand: verdict.detail for errand, verdict in read.items()
              if verdict.outcome in (Outcome.NO_GOLD, Outcome.TIMEOUT)}  # fmt: skip
    return [faults.get(found) if isinstance(found, Errand) else found for found in looked]


def _look(problem: Problem, own: Collection[str]) -> str | Errand | None:
    """The fault, None where there is none, or an errand where that takes work."""
    try:
        checker = get_checker(problem.checker, own=own)
        problem.options  # noqa: B018 -- reading it is the test
    except (ConfigError, ValueError) as error:
        return str(error)
    if fault := checker.gold_fault(problem):
        return fault
    errand = checker.gold_errand(problem)
    return errand and replace(errand, checker=problem.checker)
