"""Checkers in a user's own file, `module:name`: what one does, it does in a process that can be killed."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from inspect import isroutine
from typing import Any

from distillery.errors import ConfigError
from distillery.hashing import is_text
from distillery.installed.dotted import border, load
from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Checker, Errand

_WHAT = "a checker is module:name, a function (problem, text) -> Verdict or a distillery.verify.Checker"


def load_own(name: str) -> Checker:
    found = load(name, where="checker", what=_WHAT)
    if not isinstance(found, Checker) and not isroutine(found):
        raise ConfigError(f"checker {name!r}: is {found!r:.80}; {_WHAT}")
    return found if isinstance(found, Checker) else Checker(found)


def own_checker(name: str) -> Checker:
    """The checker `name` as an errand, nothing of it loaded here."""
    return Checker(
        lambda problem, text: Errand(json.dumps({"problem": asdict(problem), "text": text})),
        gold_errand=lambda problem: Errand(json.dumps({"problem": asdict(problem)})),
        prepare=partial(_prepare, name),
        work=partial(_work, name),
    )


def _prepare(name: str) -> None:
    checker = load_own(name)
    with border(name, where="checker"):
        checker.prepare()


def _work(name: str, problem: dict[str, Any], text: str | None = None) -> Verdict:
    """Without a text: NO_GOLD where the problem can never be judged."""
    checker, asked = load_own(name), Problem(**problem)
    if text is not None:
        found = checker.check(asked, text)
    elif (fault := checker.gold_fault(asked)) not in (None, ""):
        found = Verdict(Outcome.NO_GOLD, detail=fault)
    elif (found := checker.gold_errand(asked)) is None:
        return Verdict.of(True)
    if isinstance(found, Errand):
        found = checker.work(**json.loads(found.data))
    if fault := _fault(found):
        raise TypeError(f"checker {name!r} gave {found!r:.200}, {fault}")
    return found


_SCORES = {Outcome.CORRECT: "over 0 to 1", Outcome.WRONG: "from 0 to under 1", Outcome.NO_ANSWER: "0"}


def _fault(found: object) -> str | None:
    """What is wrong with a verdict that code outside this package gave: nobody else looks at it."""
    if not isinstance(found, Verdict):
        return "no Verdict"
    if type(found.outcome) is not Outcome:
        return "whose outcome is no Outcome"
    if not is_text(found.detail) or not (found.extracted is None or is_text(found.extracted)):
        return "whose detail or extracted is no text"
    score = found.score
    if found.outcome not in _SCORES:
        return None if score is None else f"whose score would be None: {found.outcome.value} is not judged"
    if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
        fits = {Outcome.CORRECT: score > 0, Outcome.WRONG: score < 1, Outcome.NO_ANSWER: score == 0}
        if fits[found.outcome]:
            return None
    return f"whose score would be {_SCORES[found.outcome]}"
