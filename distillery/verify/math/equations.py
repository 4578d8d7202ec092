r"""Equations as answers: which of them state a value, x=5, and which are about something else, x^2=5."""

from __future__ import annotations

import re

from distillery.verify.math.sequences import SEPARATOR, split_top

_PRODUCT = (
    r"(?!(?:[a-z]{2}|abc|bcd|mnp|pqr|stu|uvw|xyz)(?![A-Za-z]))"  # xy is x times y, AB and area are names
)
NAME = (
    rf"(?:\\(?:Delta|delta|partial|hat|bar|vec)\s?)?(?:{_PRODUCT}\\?[A-Za-z]+|\\text\{{[A-Za-z ]+\}})"
    r"(?:'|_\w|_\{[^{}]*\}|\^\{\\?\w+\})*"
)
CALLED = rf"(?:\\hat\{{\\?\w+\}}|(?:{NAME})(?:\((?:{NAME}|\d+)(?:,(?:{NAME}|\d+))*\))?)"
_FUNCTION = r"\\(?:sin|cos|tan|cot|sec|csc|log|ln)"
_QUANTITY = re.compile(
    rf"m?\\(?:angle|triangle|overline|overrightarrow|vec|hat|bar)\s?\{{?[A-Za-z]{{1,5}}\}}?"
    rf"|{_FUNCTION}\s?\(?\\?(?:angle\s?)?[A-Za-z]+\)?|(?!{_FUNCTION}|\\pi){CALLED}|[a-z]\^\{{?-1\}}?\((?:{NAME}|\d+)\)"
    rf"|\|{CALLED}\||\[[A-Z]{{3,6}}\]"
)
_LETTERS = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|lambda|mu|rho|sigma|tau|phi|omega|Delta|Omega|text|angle"
    "|triangle"
)
_COMMAND = re.compile(rf"\\(?!(?:{_LETTERS})(?![a-z]))[A-Za-z]+")
_EQUALS = re.compile("=")


def sides(text: str) -> tuple[str, ...]:
    """What equal signs outside all brackets part; the whole where none does, or where it is a list."""
    if "=" not in text or len(split_top(text, SEPARATOR)) > 1:
        return (text,)
    return split_top(text, _EQUALS)


def is_quantity(text: str) -> bool:
    r"""One thing by its name, of which an equation may say what it is: x, f(2), P(A), AB, |z|, \sin A."""
    return bool(_QUANTITY.fullmatch(text))


def is_identity(text: str) -> bool:
    r"""An equation without a letter, as \log_2 8=3."""
    return len(sides(text)) > 1 and not any(sign.isalpha() for sign in _COMMAND.sub("", text))


def name_first(text: str) -> str:
    """ "5=x" as "x=5"."""
    said = sides(text)
    return (
        "=".join(said[::-1]) if len(said) == 2 and is_quantity(said[1]) and not is_quantity(said[0]) else text
    )
