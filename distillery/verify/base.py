"""The shape of a judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from distillery.records import Outcome, Problem, Verdict


@dataclass(frozen=True, slots=True)
class Errand:
    """What a checker cannot decide cheaply: work for a process that can be killed. Equal errands run once."""

    data: str  # JSON object, the arguments of the checker's `work`
    extracted: str | None = None  # for the verdict when the work does not end
    checker: str = ""  # whose work it is; whoever asked the checker fills it in
    plain: str = ""  # the same for an easy answer: where that ends in time, a time-out is the answer's doing


def _nothing(_: Problem, /) -> None: ...


def _no_work(**_: object) -> Verdict:
    return Verdict(Outcome.ERROR, detail="the checker gave an errand and has no `work`")


@dataclass(frozen=True, slots=True)
class Checker:
    """All that the pool, verify.gold and GRPO ask of a checker. Only `check` must be there.

    `check` judges one raw completion and never raises for a bad answer. It extracts what it judges itself
    (`distillery.reasoning`), so that rejection sampling, GRPO's reward and evaluation cannot differ in what
    they look at. Equal arguments give equal verdicts, whatever else is judged.
    """

    check: Callable[[Problem, str], Verdict | Errand]
    gold_fault: Callable[[Problem], str | None] = _nothing  # why no answer could ever be judged; quick
    gold_errand: Callable[[Problem], Errand | None] = _nothing  # the same, where it takes `work`: NO_GOLD
    prepare: Callable[[], None] = lambda: None  # before `work`, in the worker process: heavy imports
    work: Callable[..., Verdict] = _no_work  # in a worker process, which is killed when it does not end
    threaded: bool = False  # `check` waits for processes that have a deadline of their own
