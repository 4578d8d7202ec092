r"""Answers as numbers, sequences and what is left, and when two of them are equal.

Exact where it says so: no floats, no parser of expressions. What it cannot decide it hands to `atoms`, which is
"don't know" on the cheap path and a computer algebra system in a worker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from distillery.verify.numerals import in_base, number, same_in_base, same_number, word_value, words_of
from distillery.verify.relations import assignments, intervals, lettered, same_figure
from distillery.verify.spelling import canonical
from distillery.verify.units import conflict, part_unit, short_unit

Atoms = Callable[[str, str], bool | None]

_MAX_DEPTH = 12
_MAX_ITEMS = 200

_NAME = r"(?:\\(?:Delta|delta|partial|hat|bar|vec)\s?)?(?:\\?[A-Za-z]+|\\text\{[A-Za-z ]+\})(?:'|_\w|_\{[^{}]*\}|\^\{\\?\w+\})*"
_LEFT_SIDE = re.compile(
    rf"(\\hat\{{\\?\w+\}}|(?:{_NAME})(?:\((?:{_NAME}|\d+)(?:,(?:{_NAME}|\d+))*\))?)(?:=|:=|\\in\s?|\\approx\s?)"
)
_MONEY = re.compile(r"^\s*\$?\\?[$€£¥]\s?\d|dollar|euro|yuan")
_ALTERNATIVE = re.compile(r"(.+?)(?:\\text\{)?\((?:or|i\.?e\.?,?|=)([^()]+)\)\}?")
_SPACED = re.compile(r"\d \d")
_FUNCTION = re.compile(r"y|[a-zA-Z]\([a-zA-Z]\)")
_OPEN, _CLOSE = "([{", ")]}"
_SEPARATOR = re.compile(
    r"(?:,|;|\\text\{,?\s?(?:and|or|或|和)\s?\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])|或|和)"
)
_MATRIX = re.compile(r"\\begin\{pmatrix\}(.*)\\end\{pmatrix\}")


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


def equal(gold: str, answer: str, atoms: Atoms) -> bool | None:
    """Whether two answers, spelled in any way, are the same; None: `atoms` did not know either."""
    kinds = [("%" in text, bool(_MONEY.search(text))) for text in (gold, answer)]
    if sorted(kinds) == [(False, True), (True, False)]:
        return False
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
    if "degree" in (gold_unit, answer_unit) and "" in (gold_unit, answer_unit) and "\\pi" in gold + answer:
        gold, answer = _radians(gold, gold_unit), _radians(answer, answer_unit)
    quick = _quick(gold, answer)
    if quick is not None:
        return quick
    several = _each_said(gold, answer, atoms, depth)
    return _by_shape(gold, answer, atoms, depth) if several is None else several


def _radians(text: str, unit: str) -> str:
    return f"\\frac{{{text}\\cdot\\pi}}{{180}}" if unit == "degree" else text


def _each_said(gold: str, answer: str, atoms: Atoms, depth: int) -> bool | None:
    """Where an answer is said twice, as in "(C) 12", "1/2 (or 0.5)" and "x = 1/2 = 0.5", every form must be right."""
    if found := _ALTERNATIVE.fullmatch(answer):
        return _all(_equal(gold, said, atoms, depth + 1) for said in found.groups())
    sides = answer.split("=")
    if len(sides) > 1 and "=" not in gold and all(number(side) for side in sides):
        return _all(_equal(gold, side, atoms, depth + 1) for side in sides)
    one, other = lettered(gold), lettered(answer)
    if one and other:
        return False if one[0] != other[0] else _equal(one[1], other[1], atoms, depth + 1)
    if other and re.fullmatch(r"\(?[A-J]\)?", gold):
        return gold.strip("()") == other[0]
    if one:
        return answer.strip("()") == one[0] or _equal(one[1], answer, atoms, depth + 1)
    return None


def _by_shape(gold: str, answer: str, atoms: Atoms, depth: int) -> bool | None:
    spans = intervals(gold), intervals(answer)
    if any(spans):
        gold, answer = spans[0] or gold, spans[1] or answer
    first, second = items(gold), items(answer)
    if any(spans) and not (first and second and first.is_span and second.is_span):
        return atoms(gold, answer)
    if first and second:
        return _equal_items(first, second, atoms, depth)
    if (number(gold) and _is_sequence(second)) or (number(answer) and _is_sequence(first)):
        return False
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
    elif number(text) is None and words_of(text) is None and in_base(text) is None:
        yield text


def _quick(gold: str, answer: str) -> bool | None:
    """What numbers, digits in a base, and words say."""
    one, other = number(gold), number(answer)
    if one and other:
        return same_number(one, other)
    if _huge(answer) if not _huge(gold) else bool(other):
        return False
    if _SPACED.search(gold) or _SPACED.search(answer):
        return False
    in_base = same_in_base(gold, answer)
    if in_base is not None:
        return in_base
    words, said = words_of(gold), words_of(answer)
    if words and said:
        return words == said or (word_value(words) is not None and word_value(words) == word_value(said))
    if (one and said) or (other and words):
        value = word_value(said or words or "")
        if value is not None and (one or other):
            return (one or other) == number(str(value))
    if words and len(words) > 1 and other:
        return False
    if one and said and len(said) > 1:
        return False
    return same_figure(gold, answer)


_TOWER = re.compile(
    r"[\d}]\)?\^[{(]*\w+[)}]*\^|\^[{(]*\d{5,}|\d{5,}\)?!|!\)*!|\\binom\{\d{6,}\}|\\(?:sum|prod)\b.{0,40}\^\{?\(?(?:\d{6,}|\d+\^)"
    r"|[a-z][^()]*\)\^\{?\d{4,}"
)


def _huge(text: str) -> bool:
    """A tower of powers, a power beyond any number that somebody writes out, or what grows like one: only such a
    gold is compared with it."""
    return bool(_TOWER.search(text))


def _is_list(found: Items | None) -> bool:
    return found is not None and found.fence == ""


def _is_sequence(found: Items | None) -> bool:
    return found is not None and found.ordered and len(found.items) > 1


def _one_against_list(gold: str, answer: str, atoms: Atoms) -> bool | None:
    """Only one side is a bare list: "2 or 3" is no answer to "2", but "\\pm 2" may be one to "2, -2"."""
    if number(gold) or number(answer) or words_of(gold) or words_of(answer):
        return False
    return atoms(gold, answer)


def _equal_items(gold: Items, answer: Items, atoms: Atoms, depth: int) -> bool | None:
    named = [assignments(found.items) if found.fence == "" else None for found in (gold, answer)]
    if all(named) or any(found.fence == "()" for found in (gold, answer)):
        gold, answer = _by_name(gold, named[0]), _by_name(answer, named[1])
    gold, answer = _column(gold, answer), _column(answer, gold)
    if gold.fence != answer.fence and {gold.fence, answer.fence} != {"", "{}"}:
        return False
    if len(gold.items) != len(answer.items):
        return False
    if gold.ordered:
        return _all(
            _equal(one, other, atoms, depth + 1) for one, other in zip(gold.items, answer.items, strict=True)
        )
    return _same_members(list(gold.items), list(answer.items), atoms, depth)


def _by_name(found: Items, named: dict[str, str] | None) -> Items:
    """Values of "y=2, x=1" in the order of their names."""
    return Items("()", tuple(named[name] for name in sorted(named))) if named else found


def _column(found: Items, beside: Items) -> Items:
    """A column of a matrix is a tuple beside one."""
    if beside.fence == "()" and found.fence == f"matrix {len(found.items)}" and len(found.items) > 1:
        return Items("()", found.items)
    return found


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
    if assignments(split_top(gold, _SEPARATOR)) or assignments(split_top(answer, _SEPARATOR)):
        return gold, answer
    functions = one and other and _FUNCTION.fullmatch(one[1]) and _FUNCTION.fullmatch(other[1])
    if one and other and one[1] != other[1] and not functions:
        return gold, answer
    bare_gold = gold[one.end() :] if one else gold
    bare_answer = answer[other.end() :] if other else answer
    if one and not other and "=" in answer:
        return gold, answer
    if other and not one and "=" in gold:
        return gold, answer
    return bare_gold, bare_answer
