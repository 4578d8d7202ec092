"""Whether two expressions are equal wherever we look: what simplification misses, and a check on it.

For the worker only: it may run for ever on towers of powers, like everything there.
"""

from __future__ import annotations

from typing import Any

_DIGITS = 60
_DEEP = 400  # digits, once these 60 agree: 1-2^{-300} is not 1
_SAME, _DIFFERENT = 1e-30, 1e-3  # relative; between them nothing is said where there are variables
_MOST = 1e250  # beyond it, the digits kept would not tell neighbours apart
_TERMS = 3000  # of a finite sum; a longer one is compared where it has a closed form that is exact
_POINTS = (1.2710, 2.3391, 0.6183, 3.7317, 1.9043)  # times a factor for each variable
# the first three are on the safe side of roots and logarithms
_SIGNS = (1, 1), (1, 1), (1, 1), (-1, 1), (1, -1)
_COUNTS = (2, 3, 4, 6, 9)  # for variables that bound a sum: n of them


def same(gold: Any, answer: Any, *, places: int | None = None) -> bool | None:
    """True when equal to 30 digits at all points, and at 400 at one; False when plainly different at one;
    None where we cannot tell. Without variables it is one of the two first. `places`: the digits behind the
    point that one of them was rounded or cut to.
    """
    from sympy import Expr

    if not isinstance(gold, Expr) or not isinstance(answer, Expr):
        return None
    try:
        return _compared(_exact(gold), _exact(answer), places)
    except (ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
        return None  # no number: a function nobody defined


def _compared(gold: Any, answer: Any, places: int | None) -> bool | None:
    from sympy import Product, Sum, nan, zoo

    if gold.has(nan, zoo) or answer.has(nan, zoo):
        return False
    if gold == answer:
        return True
    if gold.has(Sum, Product) or answer.has(Sum, Product):
        return _compared_sums(gold, answer, places)
    names = sorted(gold.free_symbols | answer.free_symbols, key=str)
    if not names:
        return _same_constant(gold, answer, places)
    found = []
    for place in range(len(_POINTS)):
        point = {name: _value(place, order) for order, name in enumerate(names)}
        difference = _difference(gold, answer, point, _DIGITS)
        if difference is None:
            found.append(None)
        elif difference > _DIFFERENT and place < 3:
            return False
        else:
            found.append(difference < _SAME or None)
    if not all(found):
        return None
    point = {name: _value(0, order) for order, name in enumerate(names)}
    deep = _difference(gold, answer, point, _DEEP)
    return None if deep is None else deep < _SAME**10


def _compared_sums(gold: Any, answer: Any, places: int | None) -> bool | None:
    """Finite sums and products as their terms, if not too many; with a variable bound at some counts."""
    names = gold.free_symbols | answer.free_symbols
    if not names:
        one, other = _expanded(gold), _expanded(answer)
        if one is None or other is None:
            return False  # two sums that differ in their last of many terms have the same first digits
        return _same_constant(one, other, places)
    if len(names) > 3:
        return None
    found: list[bool | None] = []
    for count in _COUNTS:
        point = {name: count + order for order, name in enumerate(sorted(names, key=str))}
        found.append(_same_constant(_expanded(gold.subs(point)), _expanded(answer.subs(point)), None))
    return False if False in found else True if all(found) else None


def _expanded(expression: Any) -> Any:
    """Without finite sums and products; None where one is too long. Infinite ones stay."""
    from sympy import Product, Sum

    for one in sorted(expression.atoms(Sum, Product), key=lambda one: -one.count_ops()):
        for limit in one.limits:
            if len(limit) < 3:
                return None
            low, high = limit[1:]
            if not (low.is_Integer and (high.is_Integer or high.is_infinite)):
                return None
            if high.is_Integer and high - low > _TERMS:
                closed = one.doit() if _has_closed_form(one) else one
                return expression.xreplace({one: closed}) if closed.is_Rational else None
        if len(one.limits) == 1 and one.limits[0][2].is_Integer:
            expression = expression.xreplace({one: _terms(one)})
    return expression


def _has_closed_form(one: Any) -> bool:
    """The sum of a polynomial or of a geometric row; of others the search may take for ever."""
    from sympy import Sum, simplify

    variable = one.limits[0][0]
    if not isinstance(one, Sum) or len(one.limits) != 1:
        return False
    term: Any = one.function
    following: Any = simplify(term.subs(variable, variable + 1) / term)
    return bool(term.is_polynomial(variable) or following.is_Rational)


def _terms(one: Any) -> Any:
    from sympy import Add, Mul, Sum

    variable, low, high = one.limits[0]
    terms = [one.function.subs(variable, value).doit() for value in range(int(low), int(high) + 1)]
    return Add(*terms) if isinstance(one, Sum) else Mul(*terms)


def _same_constant(gold: Any, answer: Any, places: int | None) -> bool | None:
    if gold is None or answer is None:
        return None
    one, other = _rational(gold), _rational(answer)
    if one is not None and other is not None:
        return bool(one == other) or (places is not None and bool(abs(one - other) < 10**-places))
    difference = _difference(gold, answer, {}, _DIGITS)
    if difference is None:
        return None
    if difference < _SAME:
        deep = _difference(gold, answer, {}, _DEEP)
        return None if deep is None else deep < _SAME**10
    return places is not None and bool(abs(complex((gold - answer).evalf(_DIGITS))) < 10.0**-places)


def _rational(expression: Any) -> Any:
    """Its exact value, where it is built of whole numbers only; None otherwise."""
    from sympy import Integer, Rational

    if all(isinstance(leaf, Rational | Integer) for leaf in expression.atoms()):
        value = expression.doit()
        return value if value.is_Rational else None
    return None


def _value(place: int, order: int) -> Any:
    from sympy import Rational

    return Rational(str(_SIGNS[place][order % 2] * _POINTS[place])) * (7 + 2 * order) / 7


def _difference(gold: Any, answer: Any, point: dict[Any, Any], digits: int) -> float | None:
    """Relative to the larger of the two; what is 0 by cancelling is 0."""
    from sympy import Float

    one, other = (
        expression.evalf(digits, subs=point, maxn=max(200, 2 * digits)) for expression in (gold, answer)
    )
    if not one.is_number or not other.is_number:
        return None
    one, other = (_cancelled(value, digits) for value in (one, other))
    scale = Float(max(abs(one), abs(other)), digits)
    if scale == 0:
        return 0.0
    return float(abs(one - other) / scale) if abs(scale) < _MOST else None


def _cancelled(value: Any, digits: int) -> Any:
    """0 for what is left of a difference of equals: a value with next to no sure digits."""
    from sympy import Float

    parts = [part for part in value.as_real_imag() if part != 0]
    unsure = all(
        isinstance(part, Float) and getattr(part, "_prec") <= 4 and abs(part) < 10.0 ** (-digits // 2)  # noqa: B009
        for part in parts
    )
    return 0 if unsure else value


def _exact(expression: Any) -> Any:
    """The letter i as the imaginary unit, decimals as the fractions they are."""
    from sympy import Float, I, Rational

    decimals = {number: Rational(str(number)) for number in expression.atoms(Float)}
    return expression.xreplace(decimals | {name: I for name in expression.free_symbols if str(name) == "i"})
