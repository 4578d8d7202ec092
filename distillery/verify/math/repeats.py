r"""Answers that only say a formula of the question again: "2^3+1" is no answer to "Evaluate $2^3+1$.".

The gold's own form is none of these, nor is a number, a symbol or one of the choices that a question lists.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import lru_cache
from math import gcd

from distillery.records import Problem
from distillery.verify.math.equations import is_quantity, sides
from distillery.verify.math.sequences import SEPARATOR, items, split_top
from distillery.verify.math.spelling import canonical
from distillery.verify.math.units import part_unit

REPEATS = "repeats the question"
_MAX_CHARS = 20_000  # of a question
_TOKEN = re.compile(r"\\[A-Za-z]+|\\?[^\s{}()\[\]\\]")
_LITERAL = re.compile(r"[+-]?\(?(?:\d[\d,]*\.?\d*|\.\d+)(?:\\cdot\s?10\^\{?-?\d+\}?)?%?\)?")
_FRACTION = re.compile(r"[+-]?(?:\\frac\{-?(\d+)\}\{(\d+)\}|(\d+)/(\d+))")
_OPERATION = re.compile(
    r"[+/^!]|(?<=[\w)}\]])-|\\(?:frac|cdot|sqrt|binom|sum|prod|int|lim|log|ln|exp|(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?|gcd"
    r"|lcm|max|min|det|div|over|oplus|circ)(?![a-z])|\\begin\{[vV]matrix|\\end\{pmatrix\}\s*\\begin"
)
_PROSE = re.compile(r"(?<![\\A-Za-z])(?![pvV]matrix\})[A-Za-z]{3,}")
_CHOICES = re.compile(r"(?s)(?:^|[\s{$(])\(?A[).:、].*(?:[\s{$(])\(?B[).:、]")
_NUMBER_GOES_ON = {
    1: re.compile(r"\d(?:\d|\.\d)"),
    2: re.compile(r".\d(?:\d|\.\d)|\d\.\d"),
}  # by how many signs stand before the place


def repeats(answer: str, gold: str, question: str) -> bool:
    """Whether nothing of `answer` is new: a formula of the question, or a list with one."""
    spelled = canonical(answer)
    if _is_plain(spelled) or len(question) > _MAX_CHARS:
        return False
    own = _own_forms(gold)
    if written(spelled) in own:
        return False
    asked = _asked(question)
    said = [one for one in _parts(spelled) if not is_quantity(one)]
    if len(said) > 1 and "=" in spelled and not items(spelled):
        return _is_repeated(spelled, own, asked) or all(_is_repeated(one, own, asked) for one in said)
    return any(_is_repeated(one, own, asked) for one in (spelled, *said))


def may_repeat(problem: Problem) -> Problem:
    """The same problem, of which an answer may say a formula again; one whose payload is none stays."""
    if problem.checker != "math":
        return problem
    try:
        return replace(problem, payload=json.dumps(problem.options | {"repeats": "right"}))
    except ValueError:
        return problem


@lru_cache(maxsize=1 << 12)
def written(spelled: str) -> tuple[str, ...]:
    """An answer in canonical spelling as what is written down, without brackets: 1/2 is \\frac12."""
    while found := _last_fraction(spelled):
        before, top, bottom, behind = found
        spelled = f"{before}{top}/{bottom}{behind}"
    tokens = _TOKEN.findall(spelled)
    signs = [place for place, token in enumerate(tokens) if token in ("\\cdot", "*")]
    drop = {
        place
        for place in signs
        if not (0 < place < len(tokens) - 1 and tokens[place - 1].isdigit() and tokens[place + 1].isdigit())
    }
    return tuple("*" if token == "\\cdot" else token for n, token in enumerate(tokens) if n not in drop)


def _last_fraction(text: str) -> tuple[str, str, str, str] | None:
    """What stands before, above, below and behind the last \\frac{}{} of a text, in which no other can be."""
    begin = text.rfind("\\frac{")
    if begin < 0:
        return None
    groups: list[str] = []
    place = begin + len("\\frac")
    for _ in range(2):
        end = text.find("}", place) if text[place : place + 1] == "{" else -1
        while end >= 0 and text.count("{", place, end) != text.count("}", place, end + 1):
            end = text.find("}", end + 1)
        if end < 0:
            return text[:begin], "", "", text[begin + len("\\frac") :]
        groups.append(text[place + 1 : end])
        place = end + 1
    return text[:begin], groups[0], groups[1], text[place:]


def _is_plain(spelled: str) -> bool:
    """A number, a symbol, a name, a point: nothing in which something is to be worked out."""
    if _LITERAL.fullmatch(spelled) or not _OPERATION.search(part_unit(spelled)[0]) or _PROSE.search(spelled):
        return True
    if fraction := _FRACTION.fullmatch(spelled):
        top, bottom = (int(part) for part in fraction.groups() if part)
        return gcd(top, bottom) == 1
    return False


def _parts(spelled: str) -> tuple[str, ...]:
    found = items(spelled)
    parts = found.items if found else split_top(spelled, SEPARATOR)
    return tuple(side for part in parts for side in sides(part))


@lru_cache(maxsize=1 << 12)
def _own_forms(gold: str) -> set[tuple[str, ...]]:
    spelled = canonical(gold)
    return {written(one) for one in (spelled, part_unit(spelled)[0], *_parts(spelled))}


@lru_cache(maxsize=1 << 12)
def _asked(question: str) -> tuple[str, ...]:
    listed = _CHOICES.search(question)
    return written(canonical(question[: listed.start()] if listed else question))


def _is_repeated(spelled: str, own: set[tuple[str, ...]], asked: tuple[str, ...]) -> bool:
    said = written(part_unit(spelled)[0])
    if _is_plain(spelled) or said in own or not said or written(spelled) in own:
        return False
    size = len(said)
    return any(
        asked[place : place + size] == said
        and not _inside_number(asked, place)
        and not _inside_number(asked, place + size)
        for place in range(len(asked) - size + 1)
    )


def _inside_number(asked: tuple[str, ...], place: int) -> bool:
    around = "".join(token if len(token) == 1 else " " for token in asked[max(0, place - 2) : place + 2])
    return 0 < place < len(asked) and bool(_NUMBER_GOES_ON[min(place, 2)].match(around))
