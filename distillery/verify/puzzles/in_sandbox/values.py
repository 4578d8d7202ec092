"""Text as a value: literals, arithmetic, unknowns and the elementary functions. Nothing of it runs as code.

Stands in for `eval` and sympy's `parse_expr` wherever a scorer calls them; what it refuses is no answer.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MOST_NODES = 5000
MOST_BITS = 1 << 13  # and fewer digits than Python turns into text
MOST_EXPONENT = 1000
CONSTANTS = frozenset({"pi", "E", "I"})
_FUNCTIONS = """
    exp log ln sqrt Abs sin cos tan cot sec csc asin acos atan acot asec acsc sinh cosh tanh coth sech csch
    asinh acosh atanh acoth asech acsch erf erfi erfc
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
Two = dict[type[ast.operator], Callable[[Any, Any], Any]]
One = dict[type[ast.unaryop], Callable[[Any], Any]]
_FOUR: Two = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_WHOLE: Two = _FOUR | {
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}  # fmt: skip
_SIGNS: One = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_WHOLE_SIGNS: One = _SIGNS | {ast.Invert: operator.invert}
_PLAIN = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
_SYMBOLIC = (*_PLAIN, ast.Name, ast.Call, ast.Load)


class RefusedError(ValueError):
    pass


@dataclass
class Told:
    """What an expression is made of."""

    value: Any
    numerals: list[str] = field(default_factory=list)
    beyond: set[str] = field(default_factory=set)  # the four operations

    def differs(self, gold: Told) -> str | None:
        """Why this expression without unknowns does not answer a puzzle that `gold` answers."""
        if self.value.free_symbols or gold.value.free_symbols:
            return None
        if self.value - gold.value != 0:
            return f"its value is {str(self.value)[:80]}, not {str(gold.value)[:80]}"
        if sorted(self.numerals) != sorted(gold.numerals):
            return "its numbers are not the puzzle's"
        if self.beyond - gold.beyond:
            return f"more than the four operations: {', '.join(sorted(self.beyond - gold.beyond))}"
        return None


class Values:
    """`here`: whether arithmetic may be done in this process; else `wanted` says that it was asked for."""

    def __init__(self, *, here: bool) -> None:
        self.here = here
        self.wanted = False
        self.refused: str | None = None
        self.told: dict[str, Told] = {}

    def clear(self) -> None:
        self.wanted, self.refused = False, None
        self.told.clear()

    def plain(self, text: Any, *scope: Any) -> Any:
        """For `eval`."""
        try:
            if scope:
                raise RefusedError("names of somebody's own")
            tree = _parsed(text)
            if _is_literal(tree):
                return ast.literal_eval(tree)
            _only(tree, _PLAIN)
            self._arithmetic()
            return _whole(tree)
        except RefusedError as error:
            self.refused = str(error)
            raise

    def symbolic(self, text: Any, local_dict: dict[str, Any] | None = None, *_: Any, **__: Any) -> Any:
        """For `parse_expr`."""
        try:
            tree = _parsed(text)
            _only(tree, _SYMBOLIC)
            self._arithmetic()
            told = Told(None)
            told.value = _symbolic(tree, local_dict or {}, told)
            _finite(told.value)
        except RefusedError as error:
            self.refused = str(error)
            raise
        self.told[text.strip()] = told
        return told.value

    def _arithmetic(self) -> None:
        if not self.here:
            self.wanted = True
            raise RefusedError("not in this process")


def unless_nonzero(simplify: Callable[..., Any]) -> Callable[..., Any]:
    """For scorers, which ask whether something simplifies to 0: first a look at one point, which is quick."""
    import sympy

    def looked_at(expression: Any, **options: Any) -> Any:
        point = {
            name: sympy.Rational(17 + 2 * place, 13)
            for place, name in enumerate(sorted(expression.free_symbols, key=str))
        }
        value = expression.subs(point).evalf()
        return expression if value.is_Number and abs(value) > 1e-9 else simplify(expression, **options)

    return looked_at


def _parsed(text: Any) -> ast.expr:
    if not isinstance(text, str):
        raise RefusedError(f"a {type(text).__name__} is no text")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
            raise RefusedError("it is too long to be evaluated")
    except (SyntaxError, RecursionError, MemoryError):
        raise RefusedError("it is no expression") from None
    except ValueError as error:  # a null byte
        raise RefusedError(str(error)) from None
    return tree


def _only(tree: ast.expr, kinds: tuple[type[ast.AST], ...]) -> None:
    for node in ast.walk(tree):
        if not isinstance(node, kinds):
            raise RefusedError(f"{_said(node)} is no arithmetic")


def _is_literal(tree: ast.expr) -> bool:
    inner = ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Constant, ast.UnaryOp, ast.Load, ast.UAdd, ast.USub
    try:
        return all(isinstance(node, inner) for node in ast.walk(tree)) and (ast.literal_eval(tree), True)[1]
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False


def _whole(node: ast.expr) -> int | float:
    match node:
        case ast.Constant(value=int() | float() as value) if type(value) is not bool:
            return value
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _WHOLE_SIGNS:
            return _WHOLE_SIGNS[type(op)](_whole(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _WHOLE:
            one, other = _whole(left), _whole(right)
            _bound(type(op), one, other)
            return _WHOLE[type(op)](one, other)
        case _:
            raise RefusedError(f"{_said(node)} is no arithmetic")


def _bound(op: type[ast.operator], one: float, other: float) -> None:
    bits = [number.bit_length() if isinstance(number, int) else 64 for number in (one, other)]
    grows = op in (ast.Pow, ast.LShift) and (abs(other) > MOST_EXPONENT or bits[0] * other > MOST_BITS)
    if grows or max(bits) > MOST_BITS:
        raise RefusedError("a number that is too large")


def _symbolic(node: ast.expr, names: dict[str, Any], told: Told) -> Any:
    import sympy

    match node:
        case ast.Constant(value=int() | float() as value) if type(value) is not bool:
            told.numerals.append(repr(value))
            return sympy.Integer(value) if isinstance(value, int) else sympy.Float(repr(value))
        case ast.Name(id=name):
            told.beyond.add(name)
            return names.get(name) or (getattr(sympy, name) if name in CONSTANTS else sympy.Symbol(name))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
            return _SIGNS[type(op)](_symbolic(operand, names, told))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            told.beyond.add("a power")
            return _power(_symbolic(left, names, told), _symbolic(right, names, told))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _FOUR:
            return _short(_FOUR[type(op)](_symbolic(left, names, told), _symbolic(right, names, told)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS and args:
            told.beyond.add(name)
            function: Callable[..., Any] = getattr(sympy, name)
            return function(*(_symbolic(one, names, told) for one in args))
        case _:
            raise RefusedError(f"{_said(node)} is no arithmetic")


def _power(base: Any, exponent: Any) -> Any:
    if exponent.is_Rational:
        bits = max(_bits(base), 1)
        if abs(exponent) > MOST_EXPONENT or bits * abs(exponent) > MOST_BITS:
            raise RefusedError("a number that is too large")
    return base**exponent


def _short(value: Any) -> Any:
    if _bits(value) > MOST_BITS:
        raise RefusedError("a number that is too large")
    return value


def _bits(value: Any) -> int:
    return max(int(value.p).bit_length(), int(value.q).bit_length()) if value.is_Rational else 0


def _finite(value: Any) -> None:
    import sympy

    if value.has(sympy.zoo, sympy.oo, sympy.nan):
        raise RefusedError("no finite number")


def _said(node: ast.AST) -> str:
    return repr(ast.unparse(node)[:80])
