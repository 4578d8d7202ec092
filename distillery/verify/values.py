r"""Answers as numbers, sequences and what is left, and when two of them are equal.

Exact where it says so: no floats, no parser of expressions. What it cannot decide it hands to `atoms`, which is
"don't know" on the cheap path and a computer algebra system in a worker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from distillery.verify.spelling import canonical
from distillery.verify.units import conflict, part_unit, short_unit

Atoms = Callable[[str, str], bool | None]

SURE_DIGITS = 6  # a decimal with so many significant digits stands for the number it was rounded or cut from
_MAX_DEPTH = 12
_MAX_ITEMS = 200

_DECIMAL = r"(?:\d+\.?\d*|\.\d+)"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]*)(?:"
    rf"(?P<whole>\d+)?\\frac\{{(?P<top>-?{_DECIMAL})\}}\{{(?P<bottom>-?{_DECIMAL})\}}"
    rf"|(?P<over>{_DECIMAL})/(?P<under>{_DECIMAL})"
    rf"|(?P<mixed>\d+)\s(?P<mtop>\d+)/(?P<mbottom>\d+)"
    rf"|(?P<base>\d{{1,6}})\^\{{?(?P<power>-?\d{{1,4}})\}}?"
    rf"|(?P<plain>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|{_DECIMAL})"
    rf"(?:(?:\\cdot\s?|\*)10\^\{{?(?P<exp>[+-]?\d{{1,3}})\}}?|[eE](?P<e>[+-]?\d{{1,3}}))?"
    rf")(?P<percent>%?)"
)
_BASE = re.compile(r"\(?([\dA-Fa-f]+)\)?_\{?(?:\\text\{)?(\d+|two|eight|ten)\}?\}?")
_NAME = r"(?:\\(?:Delta|delta|partial|hat|bar|vec)\s?)?(?:\\?[A-Za-z]+|\\text\{[A-Za-z ]+\})(?:'|_\w|_\{[^{}]*\}|\^\{\\?\w+\})*"
_LEFT_SIDE = re.compile(
    rf"(\\hat\{{\\?\w+\}}|(?:{_NAME})(?:\((?:{_NAME}|\d+)(?:,(?:{_NAME}|\d+))*\))?)(?:=|:=|\\in\s?|\\approx\s?)"
)
_OPEN, _CLOSE = "([{", ")]}"
_SEPARATOR = re.compile(
    r"(?:,|;|\\text\{,?\s?(?:and|or|或|和)\s?\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])|或|和)"
)
_MATRIX = re.compile(r"\\begin\{pmatrix\}(.*)\\end\{pmatrix\}")
_WORDS = re.compile(r"[^\W\d_]+(?:[\s'\-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction
    percent: bool = False
    places: int | None = None  # digits after the point, where it is written as a decimal
    digits: int = 0  # significant ones


@dataclass(frozen=True, slots=True)
class Items:
    """A tuple, interval, set, matrix row or bare list. `fence` is how it is bracketed: "(]", "{}", "", ..."""

    fence: str
    items: tuple[str, ...]

    @property
    def ordered(self) -> bool:
        return self.fence not in ("", "{}", "cup")


def equal(gold: str, answer: str, atoms: Atoms) -> bool | None:
    """Whether two answers, spelled in any way, are the same; None: `atoms` did not know either."""
    return _equal(canonical(gold), canonical(answer), atoms, 0)


def _equal(gold: str, answer: str, atoms: Atoms, depth: int) -> bool | None:
    if gold == answer:
        return bool(gold)
    if not answer or depth > _MAX_DEPTH:
        return False
    gold, gold_unit = part_unit(gold)
    answer, answer_unit = part_unit(answer)
    if conflict(gold_unit, answer_unit or short_unit(answer)) or conflict(
        gold_unit or short_unit(gold), answer_unit
    ):
        return False
    gold, answer = _without_left_sides(gold, answer)
    if gold == answer:
        return True
    quick = _quick(gold, answer)
    if quick is not None:
        return quick
    first, second = items(gold), items(answer)
    if first and second:
        return _equal_items(first, second, atoms, depth)
    if _is_list(first) or _is_list(second):
        return _one_against_list(gold, answer, atoms)
    return atoms(gold, answer)


def atoms_of(text: str) -> Iterator[str]:
    """What of an answer only computer algebra could compare."""
    yield from _atoms_of(canonical(text), 0)


def _atoms_of(text: str, depth: int) -> Iterator[str]:
    text, _ = _without_left_sides(part_unit(text)[0], "")
    found = items(text)
    if found and depth < _MAX_DEPTH:
        for item in found.items:
            yield from _atoms_of(item, depth + 1)
    elif number(text) is None and words_of(text) is None and not _BASE.fullmatch(text):
        yield text


def _quick(gold: str, answer: str) -> bool | None:
    """What numbers, digits in a base, and words say."""
    one, other = number(gold), number(answer)
    if one and other:
        return same_number(one, other)
    if (one and _huge(answer)) or (other and _huge(gold)):
        return False
    in_base = _same_in_base(gold, answer)
    if in_base is not None:
        return in_base
    words, said = words_of(gold), words_of(answer)
    if words and said:
        return words == said
    if words and len(words) > 1 and other:
        return False
    if one and said and len(said) > 1:
        return False
    return None


_TOWER = re.compile(r"\d\)?\^\{?\(?\d+\)?\^|\^\{?\d{5,}")


def _huge(text: str) -> bool:
    """A tower of powers, or a power beyond any number that somebody writes out: never computed here."""
    return bool(_TOWER.search(text))


def _is_list(found: Items | None) -> bool:
    return found is not None and found.fence == ""


def _one_against_list(gold: str, answer: str, atoms: Atoms) -> bool | None:
    """Only one side is a bare list: "2 or 3" is no answer to "2", but "\\pm 2" may be one to "2, -2"."""
    if number(gold) or number(answer) or words_of(gold) or words_of(answer):
        return False
    return atoms(gold, answer)


def _equal_items(gold: Items, answer: Items, atoms: Atoms, depth: int) -> bool | None:
    if gold.fence != answer.fence and {gold.fence, answer.fence} != {"", "{}"}:
        return False
    if len(gold.items) != len(answer.items):
        return False
    if gold.ordered:
        return _all(
            _equal(one, other, atoms, depth + 1) for one, other in zip(gold.items, answer.items, strict=True)
        )
    return _same_members(list(gold.items), list(answer.items), atoms, depth)


def _same_members(gold: list[str], answer: list[str], atoms: Atoms, depth: int) -> bool | None:
    unsure = False
    left = list(answer)
    for one in gold:
        found = [_equal(one, other, atoms, depth + 1) for other in left]
        if True in found:
            left.pop(found.index(True))
        elif None in found:
            unsure = True
        else:
            return False
    return None if unsure else True


def _all(found: Iterable[bool | None]) -> bool | None:
    results = list(found)
    if False in results:
        return False
    return None if None in results else True


@lru_cache(maxsize=1 << 14)
def number(text: str) -> Number | None:
    found = _NUMBER.fullmatch(text)
    if not found and text[:1] in ("(", "{") and text[-1:] in (")", "}"):
        found = _NUMBER.fullmatch(text[1:-1])
    if not found or len(text) > 1000:
        return None
    group = found.groupdict()
    places, digits = None, 0
    try:
        if group["plain"]:
            plain = group["plain"].replace(",", "")
            power = int(group["exp"] or group["e"] or 0)
            value = Fraction(plain.rstrip(".")) * Fraction(10) ** power
            if "." in plain or group["exp"] or group["e"]:
                places = len(plain.partition(".")[2]) - power
                digits = len(plain.replace(".", "").lstrip("0"))
        elif group["base"]:
            value = Fraction(int(group["base"])) ** int(group["power"])
        else:
            value = _fraction(group)
    except ZeroDivisionError:
        return None
    sign = -1 if group["sign"].count("-") % 2 else 1
    return Number(sign * value, bool(group["percent"]), places, digits)


def _fraction(group: dict[str, str | None]) -> Fraction:
    whole = group["whole"] or group["mixed"] or "0"
    top = group["top"] or group["over"] or group["mtop"] or "0"
    bottom = group["bottom"] or group["under"] or group["mbottom"] or "1"
    return Fraction(whole) + Fraction(top) / Fraction(bottom)


def same_number(gold: Number, answer: Number) -> bool:
    """Equal, or one a decimal of the other with six sure digits. A percent sign may be missing, or be worked out."""
    if gold.percent == answer.percent:
        return _close(gold, gold.value, answer, answer.value)
    if _close(gold, gold.value, answer, answer.value):
        return True
    one = gold.value / 100 if gold.percent else gold.value
    other = answer.value / 100 if answer.percent else answer.value
    return one == other


def _close(gold: Number, one: Fraction, answer: Number, other: Fraction) -> bool:
    if one == other:
        return True
    for number_ in (gold, answer):
        if number_.places is not None and number_.digits >= SURE_DIGITS:
            exact = gold.places is None or answer.places is None or gold.places != answer.places
            if exact and abs(one - other) < Fraction(1, 10) ** number_.places:
                return True
    return False


def _same_in_base(gold: str, answer: str) -> bool | None:
    """1242_6 is 1242_6 and, as the question names the base, 1242; it is not 1242_7."""
    one, other = _BASE.fullmatch(gold), _BASE.fullmatch(answer)
    if not one and not other:
        return None
    digits = [found[1].upper() if found else text for found, text in ((one, gold), (other, answer))]
    if one and other and one[2] != other[2]:
        return False
    if digits[0] == digits[1]:
        return True
    return False if (one or number(gold)) and (other or number(answer)) else None


def words_of(text: str) -> str | None:
    r"""The words of an answer that is nothing but words, folded; "a" for "(A)", "\text{A}" and "A"."""
    if text.startswith("\\text{") and text.endswith("}") and text.count("{") == 1:
        text = text[6:-1].strip()
    elif "\\" in text or len(text) > 200:
        return None
    text = text.strip("()\"'.: ")
    return " ".join(text.casefold().replace("-", " ").split()) if _WORDS.fullmatch(text) else None


@lru_cache(maxsize=1 << 14)
def items(text: str) -> Items | None:
    """The parts of a list, tuple, interval, set, union or matrix; None for anything else."""
    if matrix := _MATRIX.fullmatch(text):
        rows = matrix[1].strip().removesuffix("\\\\").split("\\\\")
        cells = [cell.strip() for row in rows for cell in row.split("&")]
        return Items(f"matrix {len(rows)}", tuple(cells)) if 0 < len(cells) <= _MAX_ITEMS else None
    text = text.replace("\\pm", "±").replace("\\mp", "∓")
    parts = split_top(text, re.compile(r"\\cup\s?"))
    if len(parts) > 1:
        return Items("cup", parts)
    parts = split_top(text, _SEPARATOR)
    if len(parts) > 1:
        return Items("", tuple(side for part in parts for side in _both_signs(part)))
    fence, inner = _unfence(text)
    if fence:
        parts = split_top(inner, re.compile(r"[,;]"))
        if len(parts) > 1 or fence == "{}":
            return Items(fence, tuple(side for part in parts for side in _both_signs(part)))
    sides = _both_signs(text)
    return Items("", sides) if len(sides) > 1 else None


def _both_signs(text: str) -> tuple[str, ...]:
    if text.count("±") + text.count("∓") == 1:
        return tuple(
            text.replace("±", one).replace("∓", other).removeprefix("+") for one, other in ("+-", "-+")
        )
    return (text.replace("±", "\\pm ").replace("∓", "\\mp "),)


def _unfence(text: str) -> tuple[str, str]:
    if text.startswith("\\{") and text.endswith("\\}"):
        return "{}", text[2:-2]
    if len(text) > 2 and text[0] in "([" and text[-1] in ")]" and _encloses(text):
        return text[0] + text[-1], text[1:-1]
    return "", text


def _encloses(text: str) -> bool:
    """The first bracket is closed by the last character. Half-open intervals mix their brackets."""
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign in _OPEN) - (sign in _CLOSE)
        if depth == 0:
            return place == len(text) - 1
    return False


def split_top(text: str, separator: re.Pattern[str]) -> tuple[str, ...]:
    """Pieces between separators outside all brackets. Commas of thousands do not separate."""
    if re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?", text):
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


def _exact_side(text: str) -> str:
    """ "\\frac{1}{3}" of "\\frac{1}{3} \\approx 0.33"; a name may be approximately something and stays."""
    left, sign, _ = text.partition("\\approx")
    return left if sign and left and not _LEFT_SIDE.match(text) else text


def _without_left_sides(gold: str, answer: str) -> tuple[str, str]:
    """ "x=" before a value is taken off where the other side does not name a variable, or names the same one."""
    gold, answer = _exact_side(gold), _exact_side(answer)
    one, other = _LEFT_SIDE.match(gold), _LEFT_SIDE.match(answer)
    if one and other and one[1] != other[1]:
        return gold, answer
    bare_gold = gold[one.end() :] if one else gold
    bare_answer = answer[other.end() :] if other else answer
    if one and not other and "=" in answer:
        return gold, answer
    if other and not one and "=" in gold:
        return gold, answer
    return bare_gold, bare_answer
