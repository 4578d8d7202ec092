"""Checkers in a user's own file, `module:name`: what one does, it does in a process that can be killed."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from inspect import isroutine
from typing import Any

from distillery.errors import ConfigError
from distillery.installed.dotted import load
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
        prepare=lambda: load_own(name).prepare(),
        work=partial(_work, name),
    )


def _work(name: str, problem: dict[str, Any], text: str | None = None) -> Verdict:
    """Without a text: NO_GOLD where the problem can never be judged."""
    checker, asked = load_own(name), Problem(**problem)
    if text is None and (fault := checker.gold_fault(asked)):
        return Verdict(Outcome.NO_GOLD, detail=fault)
    found = checker.gold_errand(asked) if text is None else checker.check(asked, text)
    if isinstance(found, Errand):
        found = checker.work(**json.loads(found.data))
    if text is None and found is None:
        return Verdict.of(True)
    if not isinstance(found, Verdict):
        raise TypeError(f"checker {name!r} gave {found!r:.80}, no Verdict")
    return found
