"""Judges of answers. One table serves the verify stage, evaluation and GRPO alike."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

from distillery.errors import ConfigError
from distillery.verify.base import Checker, Errand
from distillery.verify.own import own_checker

CHECKERS = {
    "choice": "distillery.verify.choice:CHECKER",
    "exact": "distillery.verify.exact:CHECKER",
    "harmless": "distillery.verify.harm:check",
    "instruction": "distillery.verify.instruction.check:CHECKER",
    "knights": "distillery.verify.puzzles.knights:CHECKER",
    "language": "distillery.verify.language:CHECKER",
    "layout": "distillery.verify.layout:check",
    "math": "distillery.verify.math.check:CHECKER",
    "program": "distillery.verify.program.check:CHECKER",
    "puzzle": "distillery.verify.puzzles.reasoning_gym:CHECKER",
}
"""Each is a `Checker`, or its `check` alone."""

__all__ = ["CHECKERS", "Checker", "Errand", "get_checker"]


def get_checker(name: str, *, own: Collection[str] = ()) -> Checker:
    """`own` names the checkers outside this package that the pipeline allows; no row can bring another."""
    if name in CHECKERS:
        module, attribute = CHECKERS[name].split(":")
        found = getattr(import_module(module), attribute)
        return found if isinstance(found, Checker) else Checker(found)
    if name in own:
        return own_checker(name)
    if ":" in name:
        raise ConfigError(f"checker {name!r} is not named in this stage's option checkers")
    raise ConfigError(f"unknown checker {name!r}; known checkers: {', '.join(sorted(CHECKERS))}")
