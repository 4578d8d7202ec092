r"""Answers of several parts, in canonical spelling: lists, tuples, intervals, sets, unions and matrices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from distillery.verify.math.relations import assignments
from distillery.verify.math.spelling import first_closes_last

_MAX_ITEMS = 200
_OPEN, _CLOSE = "([{", ")]}"
SEPARATOR = re.compile(
    r"(?:,|;|\\text\{,?\s?(?:and|or|或|和)\s?\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])|或|和|\\(?:lor|vee)(?![a-z])\s?"
    r"|(?<=[\d)}\]])(?:and|or)(?=[A-Z]|[a-z][=(_]))"
)
_OR = re.compile(
    r";|\\text\{[,;]?\s?(?:or|and|或)\s?\}|(?<![A-Za-z\\])or(?![A-Za-z])|或|(?<=[\d)}\]])or(?=[a-z][=(_])"
)
_COMMA = re.compile(r"[,;]")
_SEMICOLON = re.compile(r";")
_TRANSPOSED = re.compile(r"(?<=[)\]])\^\{?(?:T|\\top|\\intercal|\\text\{T\})\s?\}?$")
_MATRIX = re.compile(r"\(?\\begin\{pmatrix\}((?:(?!\\begin).)*)\\end\{pmatrix\}\)?")


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple, interval, set, matrix row or bare list. `fence` is how it is bracketed: "(]", "{}", "", ..."""

    fence: str
    items: tuple[str, ...]

    @property
    def is_span(self) -> bool:
        return self.fence == "cup" or (len(self.fence) == len(self.items) == 2 and self.fence != "{}")

    @property
    def ordered(self) -> bool:
        return self.fence not in ("", "{}", "cup")


@lru_cache(maxsize=1 << 14)
def items(text: str) -> Items | None:
    """The parts of a list, tuple, interval, set, union or matrix; None for anything else."""
    if matrix := _MATRIX.fullmatch(text):
        rows = matrix[1].strip().removesuffix("\\\\").split("\\\\")
        cells = [cell.strip() for row in rows for cell in row.split("&")]
        return Items(f"matrix {len(rows)}", tuple(cells)) if 0 < len(cells) <= _MAX_ITEMS else None
    if found := groups(text):
        return Items("", found)
    text = text.replace("\\pm", "±").replace("\\mp", "∓")
    parts = split_top(text, re.compile(r"\\cup\s?"))
    if len(parts) > 1:
        return Items("cup", parts)
    parts = split_top(text, SEPARATOR)
    if len(parts) > 1:
        return Items("", tuple(side for part in parts for side in _both_signs(part)))
    row = _TRANSPOSED.sub("", text)
    fence, inner = _unfence(row)
    if row != text and fence == "[]":
        fence = "()"
    if fence:
        parts = split_top(inner, _COMMA, thousands=False)
        sides = _both_signs(inner) if fence == "()" else ()
        if len(sides) > 1 and len(parts) > 1:
            return Items("", tuple(f"({side})" for side in sides))
        if len(parts) > 1 or fence == "{}":
            return Items(fence, tuple(side for part in parts for side in _both_signs(part)))
    sides = _both_signs(text)
    return Items("", sides) if len(sides) > 1 else None


def groups(text: str) -> tuple[str, ...]:
    """ "p=5,q=2;p=7,q=2" as pairs in the order of the names."""
    if text.count("=") < 4:
        return ()
    for separator in (_OR, _SEMICOLON):
        named = [assignments(split_top(part, SEPARATOR)) for part in split_top(text, separator)]
        found = [one for one in named if one]
        if len(found) == len(named) > 1 and len({tuple(sorted(one)) for one in found}) == 1:
            return tuple("(" + ",".join(one[name] for name in sorted(one)) + ")" for one in found)
    return ()


def _both_signs(text: str) -> tuple[str, ...]:
    if text.count("±") + text.count("∓") == 1:
        return tuple(text.replace("±", up).replace("∓", down).removeprefix("+") for up, down in ("+-", "-+"))
    return (text.replace("±", "\\pm ").replace("∓", "\\mp "),)


def _unfence(text: str) -> tuple[str, str]:
    if text.startswith("\\{") and text.endswith("\\}"):
        return "{}", text[2:-2]
    if len(text) > 2 and text[0] in "([" and text[-1] in ")]" and first_closes_last(text, _OPEN, _CLOSE):
        return text[0] + text[-1], text[1:-1]
    return "", text


def split_top(text: str, separator: re.Pattern[str], *, thousands: bool = True) -> tuple[str, ...]:
    """Pieces between separators outside all brackets. With `thousands`, the comma of 12,345 is none."""
    if thousands and re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?", text):
        return (text,)
    depths: list[int] = []
    depth = 0
    for sign in text:
        depth += sign in _OPEN
        depths.append(depth)
        depth -= sign in _CLOSE
    pieces: list[str] = []
    begin = 0
    for match in separator.finditer(text):
        if depths[match.start()] == 0 or (match[0][0] == "\\" and depths[match.start()] <= 0):
            pieces.append(text[begin : match.start()].strip())
            begin = match.end()
    pieces.append(text[begin:].strip())
    return tuple(piece for piece in pieces if piece)[:_MAX_ITEMS]
