"""How far from the gold a number may be: one absolute error, or one for each item of the gold."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from distillery.verify.math.numerals import Number, number
from distillery.verify.math.sequences import items
from distillery.verify.math.spelling import canonical
from distillery.verify.math.units import part_unit


@dataclass(frozen=True, slots=True)
class Tolerance:
    most: dict[str, Fraction]  # by the items of the gold, as they are spelled
    otherwise: Fraction

    def of(self, gold: str) -> Fraction:
        return self.most.get(gold, self.otherwise)

    def near(self, gold: Number, answer: Number) -> bool:
        """A percent sign on one side only is worked out or left out, as without a tolerance."""
        most = next((most for item, most in self.most.items() if number(item) == gold), self.otherwise)
        if abs(gold.value - answer.value) <= most:
            return gold.percent or not answer.percent or abs(gold.value) >= 1
        one, other = 1 + 99 * gold.percent, 1 + 99 * answer.percent
        return one != other and abs(gold.value / one - answer.value / other) <= most / one


def read_tolerance(gold: str, value: Any) -> Tolerance:
    """TypeError or ValueError when it is not one number, or as many as the gold has items."""
    spelled = canonical(gold)
    found = items(spelled)
    parts = [part_unit(part)[0] for part in (found.items if found else (spelled,))]
    values = [_number(one) for one in (value if isinstance(value, list) else [value])]
    if len(values) == 1:
        return Tolerance({}, values[0])
    if len(values) != len(parts):
        raise ValueError
    return Tolerance(dict(zip(parts, values, strict=True)), min(values))


def _number(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    found = Fraction(str(value))
    if found < 0:
        raise ValueError
    return found
