r"""The worker's half of the math checker: answers that only computer algebra can compare.

It has no deadline of its own and may run for ever, or eat all memory: only the pool's `worker` calls it.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache, partial
from typing import Any

from distillery.records import Outcome, Verdict
from distillery.verify.math import numeric
from distillery.verify.math.equality import atoms_of, equal
from distillery.verify.math.numerals import SURE_DIGITS, Number, number
from distillery.verify.math.repeats import REPEATS
from distillery.verify.math.tolerance import Tolerance, read_tolerance

_DEGREES = re.compile(r"(\d+(?:\.\d+)?|\\frac\{[^{}]*\}\{[^{}]*\})°")
_SUBSCRIPT = re.compile(r"_\{?\\([a-zA-Z]+)\s?\}?")  # of R_\odot: any name will do

_EASY = "7919"


class _UnreadableError(Exception):
    pass


def prepare() -> None:
    import math_verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)
    # loads its tables
    math_verify.verify(_parsed("1+\\sqrt{2}"), _parsed("\\sqrt{2}+1"), timeout_seconds=None)


def work(
    gold: str,
    answers: list[str],
    tolerance: Any = None,
    joined: str = "",
    *,
    repeats: bool = False,
    compared: bool = False,
) -> Verdict:
    """CORRECT when every one of `answers` is `gold`, or their list `joined` is; `tolerance` as in a payload.

    Neither: only whether the gold can be read, or also `compared` with a number. What only `repeats` the
    question is WRONG though it is the gold.
    """
    extracted = joined or " | ".join(answers)
    try:
        if not answers and not joined:
            golds = list(atoms_of(gold))
            for atom in golds if compared else ():
                _same(atom, _EASY)
            return Verdict.of(all(map(_gold, golds)))
        found = _judged(gold, answers, tolerance, joined)
    except _UnreadableError as error:
        return Verdict(Outcome.NO_GOLD, None, extracted, str(error))
    if found and repeats:
        return Verdict.of(False, extracted, REPEATS)
    return Verdict.of(found, extracted, detail="symbolic")


def _judged(gold: str, answers: list[str], tolerance: Any, joined: str) -> bool:
    if tolerance is not None:
        near = read_tolerance(gold, tolerance)
        return all(equal(gold, answer, partial(_near, near), near.near) for answer in answers)
    if joined and equal(gold, joined, _same):
        return True
    return bool(answers) and all(equal(gold, answer, _same) for answer in answers)


def _same(gold: str, answer: str) -> bool:
    from math_verify import verify

    expected = _gold(gold)
    found = _parsed(answer)
    if not found:
        return False
    decimals = [one for one in map(number, (gold, answer)) if one and one.places is not None]
    # first: it is the quicker, sees what simplifying misses, and rounds nothing but decimals
    same = numeric.same(expected[0], found[0], places=_sure_places(decimals))
    if same is not None:
        return same
    return verify(expected, found, timeout_seconds=None, allow_set_relation_comp=True)


def _sure_places(decimals: list[Number]) -> int | None:
    """Digits behind the point of the one side that is a decimal of six or more."""
    return decimals[0].places if len(decimals) == 1 and decimals[0].digits >= SURE_DIGITS else None


def _near(tolerance: Tolerance, gold: str, answer: str) -> bool:
    from sympy import N

    expected, found = _gold(gold), _parsed(answer)
    try:
        most = tolerance.of(gold)
        return bool(found) and abs(complex(N(expected[0])) - complex(N(found[0]))) <= most
    except (TypeError, ValueError):  # not a number: it has variables, or is a set
        return _same(gold, answer)


def _gold(expression: str) -> list[Any]:
    found = _parsed(expression)
    if not found:
        raise _UnreadableError(f"the gold {expression[:200]!r} cannot be read")
    return found


@lru_cache(maxsize=4096)
def _parsed(expression: str) -> list[Any]:
    """Empty when it cannot be read. Units come off in a first try; a lone "t" or "m" may be a variable."""
    from math_verify import LatexExtractionConfig, parse
    from math_verify.parser import NormalizationConfig

    radians = _DEGREES.sub(r"(\1\\cdot\\frac{\\pi}{180})", expression).replace("°", "")
    expression = _SUBSCRIPT.sub(r"_{\1}", radians)
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
