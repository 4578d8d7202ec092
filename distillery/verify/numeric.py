"""Whether two expressions have the same value wherever we look: what simplification misses, and a check on it.

For the worker only: it may run for ever on towers of powers, like everything there.
"""

from __future__ import annotations

from typing import Any

_DIGITS = 60
_SAME, _DIFFERENT = 1e-30, 1e-3  # relative; between them nothing is said
_MOST = 1e20  # beyond it, the digits kept would not tell neighbours apart
_POINTS = (1.2710, 2.3391, 0.6183, 3.7317, 1.9043)  # times a factor for each variable
_SIGNS = (
    (1, 1),
    (1, 1),
    (1, 1),
    (-1, 1),
    (1, -1),
)  # the first three are on the safe side of roots and logarithms


def same(gold: Any, answer: Any) -> bool | None:
    """True when equal to 30 digits at all points, False when plainly different at one, None where we cannot tell."""
    from sympy import Expr

    if not isinstance(gold, Expr) or not isinstance(answer, Expr):
        return None
    try:
        return _compared(_exact(gold), _exact(answer))
    except (ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
        return None  # no number: a symbolic sum, a function nobody defined


def _compared(gold: Any, answer: Any) -> bool | None:
    names = sorted({symbol for one in (gold, answer) for symbol in one.free_symbols}, key=str)
    found = []
    for place in range(len(_POINTS) if names else 1):
        point = {name: _value(place, order) for order, name in enumerate(names)}
        difference = _difference(gold, answer, point)
        if difference is None:
            found.append(None)
        elif difference > _DIFFERENT and place < 3:
            return False
        else:
            found.append(difference < _SAME or None)
    return True if all(found) else None


def _value(place: int, order: int) -> Any:
    from sympy import Rational

    return Rational(str(_SIGNS[place][order % 2] * _POINTS[place])) * (7 + 2 * order) / 7


def _difference(gold: Any, answer: Any, point: dict[Any, Any]) -> float | None:
    one, other = (expression.evalf(_DIGITS, subs=point, maxn=200) for expression in (gold, answer))
    if not one.is_number or not other.is_number:
        return None
    scale = max(1.0, abs(complex(one)), abs(complex(other)))
    if not scale < _MOST:
        return None
    return float(abs(one - other)) / scale


def _exact(expression: Any) -> Any:
    """The letter i as the imaginary unit, decimals as the fractions they are."""
    from sympy import Float, I, Rational

    decimals = {number: Rational(str(number)) for number in expression.atoms(Float)}
    return expression.xreplace(decimals | {name: I for name in expression.free_symbols if str(name) == "i"})
