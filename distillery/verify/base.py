"""The shape of a judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from distillery.records import Problem, Verdict


class Checker(Protocol):
    """Judges one raw completion. Picklable, single-item; never raises for a bad answer.

    It extracts what it judges itself (`distillery.reasoning`), so that rejection sampling, GRPO's reward and
    evaluation cannot differ in what they look at. Equal arguments give equal verdicts, whatever else is judged.
    """

    def __call__(self, problem: Problem, text: str, /) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Errand:
    """What a checker could not decide cheaply: work for a process that can be killed. Equal errands are run once."""

    kind: str  # "math", "puzzle": which function does it, see `distillery.verify.pool.worker`
    data: str  # JSON object, that function's arguments
    extracted: str | None  # for the verdict when the work does not end
