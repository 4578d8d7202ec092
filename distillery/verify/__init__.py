"""Judges of answers. One table serves the verify stage, evaluation and GRPO alike."""

from __future__ import annotations

from importlib import import_module

from distillery.errors import ConfigError
from distillery.verify.base import Checker

CHECKERS = {
    "choice": "distillery.verify.choice:check",
    "exact": "distillery.verify.exact:check",
    "harmless": "distillery.verify.harm:check",
    "instruction": "distillery.verify.instruction.check:check",
    "knights": "distillery.verify.puzzles.knights:check",
    "language": "distillery.verify.language:check",
    "layout": "distillery.verify.layout:check",
    "math": "distillery.verify.math.check:check",
    "program": "distillery.verify.program.check:check",
    "puzzle": "distillery.verify.puzzles.reasoning_gym:check",
}

__all__ = ["CHECKERS", "Checker", "get_checker"]


def get_checker(name: str) -> Checker:
    if name not in CHECKERS:
        raise ConfigError(f"unknown checker {name!r}; known checkers: {', '.join(sorted(CHECKERS))}")
    module, function = CHECKERS[name].split(":")
    return getattr(import_module(module), function)
