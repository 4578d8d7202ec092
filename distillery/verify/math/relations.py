r"""Inequalities, set builders, assignments, lettered choices, figures: answers that their shape tells."""

from __future__ import annotations

import re
from typing import NamedTuple

from distillery.verify.math.numerals import number

_VARIABLE = r"(?:[A-Za-z]|\\(?:theta|alpha|beta|lambda|mu|omega|phi))"
_UP = ("<", "\\le")
_RELATION = re.compile(r"(<|>|\\le(?![a-z])\s?|\\ge(?![a-z])\s?)")
_BUILDER = re.compile(
    rf"\\\{{(?P<name>{_VARIABLE})(?:\\in\s?(?:\\mathbb)?\{{?R\}}?)?\s?[|:](?P<condition>[^,;]+)\\\}}"
)
_OR = re.compile(r"\\text\{,?\s?or\s?\}|(?<![A-Za-z\\])or(?![a-z])|或|\\(?:lor|vee)(?![a-z])\s?")
_AND = re.compile(
    r",|\\text\{,?\s?and\s?\}|(?<![A-Za-z\\])and(?![a-z])|(?<=\d)and(?![a-z]{2})|且|\\(?:land|wedge)(?![a-z])\s?"
)
_ASSIGNMENT = re.compile(r"(\\?[A-Za-z]+(?:_\w|_\{\w+\})?)=([^=]+)")
_LETTERED = re.compile(r"(?:\\text\{)?(?:\((?P<fenced>[A-J])\)|(?P<plain>[A-J])[.):])\}?(?P<rest>\S.*)")
_OTHER_LETTER = re.compile(r"(?<![A-Za-z\\])\(?[A-J]\)?(?![A-Za-z])")
_FIGURE = re.compile(r"\\(?P<kind>angle|triangle|overrightarrow|vec|overline)\s?\{?(?P<points>[A-Z]{2,5})\}?")


class Span(NamedTuple):
    name: str
    left: str  # its bracket
    low: str
    high: str
    right: str

    def __str__(self) -> str:
        return f"{self.left}{self.low},{self.high}{self.right}"


def intervals(text: str) -> str | None:
    r"""The interval or union that inequalities in one variable say: "(-\infty,2)\cup(3,\infty)"."""
    if built := _BUILDER.fullmatch(text):
        text = built["condition"]
    found = [_conjunction(part) for part in _OR.split(text)]
    spans = [one for several in found for one in several]
    if not all(found) or len({one.name for one in spans}) != 1:
        return None
    return "\\cup".join(map(str, spans))


def _conjunction(text: str) -> list[Span]:
    """ "x>=2 and x<5" as one span. A comma may also stand for "or": between spans that do not meet."""
    parts = _AND.split(text)
    spans = [span for part in parts if (span := _span(part))]
    if len(spans) != len(parts) or len(parts) > 2:
        return []
    if len(parts) == 1:
        return spans
    lower = next((one for one in spans if one.high == "\\infty"), None)
    upper = next((one for one in spans if one.low == "-\\infty"), None)
    if not lower or not upper or lower is upper or lower.name != upper.name:
        return []
    low, high = number(lower.low), number(upper.high)
    if not low or not high:
        return []
    if low.value < high.value:
        return [Span(lower.name, lower.left, lower.low, upper.high, upper.right)]
    return [upper, lower] if "," in text else []


def _span(text: str) -> Span | None:
    parts = [part.strip() for part in _RELATION.split(text)]
    if len(parts) == 3:
        left, sign, right = parts
        if re.fullmatch(_VARIABLE, left):
            parts = ["-\\infty", "<", left, sign, right] if sign in _UP else ["\\infty", ">", *parts]
        elif re.fullmatch(_VARIABLE, right):
            parts = [left, sign, right, "<", "\\infty"] if sign in _UP else [*parts, ">", "-\\infty"]
    if len(parts) != 5 or not re.fullmatch(_VARIABLE, parts[2]) or (parts[1] in _UP) != (parts[3] in _UP):
        return None
    low, first, name, second, high = parts if parts[1] in _UP else parts[::-1]
    if not low or not high or name in low + high:
        return None
    return Span(name, "(" if first in "<>" else "[", low, high, ")" if second in "<>" else "]")


def assignments(parts: tuple[str, ...]) -> dict[str, str] | None:
    """Of "x=1" and "y=2"; None when a part names nothing or two name the same."""
    found = [_ASSIGNMENT.fullmatch(part) for part in parts]
    named = {match[1]: match[2] for match in found if match}
    return named if len(named) == len(parts) > 1 else None


def lettered(text: str) -> tuple[str, str] | None:
    """The letter and the value of "(C) 12"; None where another letter is named too."""
    found = _LETTERED.fullmatch(text)
    if not found or _OTHER_LETTER.search(found["rest"]) or found["rest"][0] in "+-^_=(":
        return None
    return found["fenced"] or found["plain"], found["rest"]


def same_figure(gold: str, answer: str) -> bool | None:
    r"""\angle ABC is \angle CBA and no other; None when one is no figure named by its points."""
    one, other = _FIGURE.fullmatch(gold), _FIGURE.fullmatch(answer)
    if not one or not other:
        return None
    kind, points, named = one["kind"], one["points"], other["points"]
    if {kind, other["kind"]} <= {"overrightarrow", "vec"}:
        return points == named
    if kind != other["kind"]:
        return False
    return sorted(points) == sorted(named) if kind == "triangle" else named in (points, points[::-1])
