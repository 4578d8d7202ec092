r"""The rough value, at one point, of 2\sqrt{3}-\frac{\pi}{4}: tells answers apart, never calls them equal."""

from __future__ import annotations

import math
import re
from functools import lru_cache

_TOKEN = re.compile(r"\d+\.\d+|\d+|\.\d+|\\frac|\\sqrt|\\pi|\\cdot|[-+*/^{}()]|[abcdknpqrxyz]")
# none that may be a unit
_VARIABLES = {letter: 1.2 + 0.13 * place for place, letter in enumerate("abcdknpqrxyz")}
_MAX_CHARS = 120
_DIFFERENT = 1e-3  # relative: decimals are rounded, and what is nearer is worth computing


def is_scalar(text: str) -> bool:
    return _value(text) is not None


def plainly_different(gold: str, answer: str) -> bool:
    one, other = _value(gold), _value(answer)
    if one is None or other is None:
        return False
    return abs(one - other) > _DIFFERENT * max(abs(one), abs(other))


@lru_cache(maxsize=1 << 14)
def _value(text: str) -> float | None:
    if len(text) > _MAX_CHARS:
        return None
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text.replace(" ", "") or re.search(r"\d\\frac|\d\s+\d|}\d|\)\d", text):
        return None  # 3\frac12 may be a sum
    reader = _Reader(tokens)
    try:
        value = reader.total()
    except (ArithmeticError, IndexError, ValueError):
        return None
    return value if not reader.tokens and math.isfinite(value) else None


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens[::-1]

    def total(self) -> float:
        value = self._product()
        while self._peek() in ("+", "-"):
            value += self._product() if self.tokens.pop() == "+" else -self._product()
        return value

    def _product(self) -> float:
        value = self._signed()
        while (sign := self._peek()) and sign not in "+-})":
            if sign in ("*", "\\cdot", "/"):
                self.tokens.pop()
            value = value / self._signed() if sign == "/" else value * self._signed()
        return value

    def _signed(self) -> float:
        if self._peek() in ("+", "-"):
            return self._signed() if self.tokens.pop() == "+" else -self._signed()
        value = self._atom()
        if self._peek() == "^":
            self.tokens.pop()
            value = math.pow(value, self._atom())
        return value

    def _atom(self) -> float:
        token = self.tokens.pop()
        if token == "\\frac":
            return self._atom() / self._atom()
        if token == "\\sqrt":
            return math.sqrt(self._atom())
        if token == "\\pi":
            return math.pi
        if token in ("(", "{"):
            value = self.total()
            if self.tokens.pop() != {"(": ")", "{": "}"}[token]:
                raise ValueError
            return value
        return _VARIABLES.get(token) or float(token)

    def _peek(self) -> str:
        return self.tokens[-1] if self.tokens else ""
