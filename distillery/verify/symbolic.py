r"""The worker's half of the math checker: answers that only computer algebra can compare.

It has no deadline of its own and may run for ever, or eat all memory: only `distillery.verify.worker` calls it.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache, partial
from typing import Any

from distillery.records import Outcome, Verdict
from distillery.verify import numeric
from distillery.verify.values import atoms_of, equal

_DEGREES = re.compile(r"(\d+(?:\.\d+)?|\\frac\{[^{}]*\}\{[^{}]*\})°")


class _UnreadableError(Exception):
    pass


def prepare() -> None:
    import math_verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)
    math_verify.verify(
        _parsed("1+\\sqrt{2}"), _parsed("\\sqrt{2}+1"), timeout_seconds=None
    )  # loads its tables


def work(gold: str, answers: list[str], tolerance: float | None = None) -> Verdict:
    """CORRECT when every one of `answers` is `gold`. No answers: only whether the gold can be read."""
    extracted = " | ".join(answers)
    try:
        if not answers:
            return Verdict.of(all(_gold(atom) for atom in atoms_of(gold)))
        if tolerance is not None:
            found = [equal(gold, answer, partial(_near, tolerance)) for answer in answers]
        else:
            found = [equal(gold, answer, _same) for answer in answers]
    except _UnreadableError as error:
        return Verdict(Outcome.NO_GOLD, None, extracted, str(error))
    return Verdict.of(all(found), extracted, detail="symbolic")


def _same(gold: str, answer: str) -> bool:
    from math_verify import verify

    expected = _gold(gold)
    found = _parsed(answer)
    if not found:
        return False
    same = numeric.same(expected[0], found[0])  # first: it is the quicker, and sees what simplifying misses
    if same is not None:
        return same
    return verify(expected, found, timeout_seconds=None, allow_set_relation_comp=True)


def _near(tolerance: float, gold: str, answer: str) -> bool:
    from sympy import N

    expected, found = _gold(gold), _parsed(answer)
    try:
        return bool(found) and abs(complex(N(expected[0])) - complex(N(found[0]))) <= tolerance
    except (TypeError, ValueError):  # not a number: it has variables, or is a set
        return _same(gold, answer)


def _gold(expression: str) -> list[Any]:
    found = _parsed(expression)
    if not found:
        raise _UnreadableError(f"the gold {expression[:200]!r} cannot be read")
    return found


def _degrees_as_radians(expression: str) -> str:
    return _DEGREES.sub(r"(\1\\cdot\\frac{\\pi}{180})", expression).replace("°", "")


@lru_cache(maxsize=4096)
def _parsed(expression: str) -> list[Any]:
    """Empty when it cannot be read. Units come off in the first reading; a lone "t" or "m" may be a variable."""
    from math_verify import LatexExtractionConfig, parse
    from math_verify.parser import NormalizationConfig

    expression = _degrees_as_radians(expression)
    for units in (True, False):
        spelling = NormalizationConfig(units=units, boxed="none", equations=False)
        # bare numbers are read elsewhere: math-verify's own search for one finds the 5 in "\\foo(5"
        targets = [LatexExtractionConfig(normalization_config=spelling)]
        found = parse(
            f"${expression}$",
            targets,
            fallback_mode="no_fallback",
            parsing_timeout=None,  # pyright: ignore[reportArgumentType]  None: the pool has the clock
        )
        if found:
            return found
    return []
