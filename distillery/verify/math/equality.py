r"""Answers as numbers, sequences and what is left, and when two of them are equal.

Exact where it says so: no floats, no parser of expressions. What it cannot decide it hands to `atoms`, which
is "don't know" on the cheap path and a computer algebra system in a worker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from distillery.verify.math.equations import CALLED, is_identity, is_quantity, name_first, sides
from distillery.verify.math.numerals import (
    Number,
    in_base,
    number,
    same_in_base,
    same_number,
    word_value,
    words_of,
)
from distillery.verify.math.relations import assignments, intervals, lettered, same_figure
from distillery.verify.math.remarks import without_condition
from distillery.verify.math.repeats import written
from distillery.verify.math.sequences import SEPARATOR, Items, groups, items, split_top
from distillery.verify.math.spelling import canonical
from distillery.verify.math.units import conflict, is_other_currency, money, part_unit, short_unit

Atoms = Callable[[str, str], bool | None]
Numbers = Callable[[Number, Number], bool]

_MAX_DEPTH = 12
_LEFT_SIDE = re.compile(rf"({CALLED})(?:=|:=|\\in\s?|\\approx\s?)")
_PERCENT = re.compile(r"%|percent|pct")
_COMMA = re.compile(r"[+-]?(?:0,\d+|\d+,(?:\d\d?|\d{4,})|\d{4,},\d+)")
_POINT = re.compile(r"[+-]?\d*\.\d+")
_AREA = re.compile(r"(?<=\d)m\^\{?[23]\}?$")
_TEXT = re.compile(r"\\text\{([^{}]*)\}")
_NAMED_TUPLE = re.compile(r"\(([^()=]+)\)=\(([^()=]+)\)")
_MODULO = re.compile(r"(?:\\[pb]?mod\s?\{?(\d+)\}?|\((?:\\text\{)?\s?mod\s?\}?\s?(\d+)\))$")
_CLOCK = re.compile(r"(\d+):(\d\d)")
_MONEY = re.compile(
    r"^\s*\$?\\?[$€£¥]\s?\d|[€£¥￥₹₩₽¢]|\\\$|\\(?:pounds|euro|cent)(?![a-z])|dollar|euro|yuan"
)
_ALTERNATIVE = re.compile(r"(.+?)(?:\\text\{)?\((?:or|i\.?e\.?,?|=)([^()]+)\)\}?")
_SPACED = re.compile(r"\d \d")
_FUNCTION = re.compile(r"y|[a-zA-Z]\([a-zA-Z]\)")


@dataclass(frozen=True, slots=True)
class Ways:
    atoms: Atoms  # of what is no number, word or list
    numbers: Numbers = same_number


def equal(gold: str, answer: str, atoms: Atoms, numbers: Numbers = same_number) -> bool | None:
    """Whether two answers, spelled in any way, are the same; None: `atoms` did not know either."""
    kinds = [(bool(_PERCENT.search(text)), bool(_MONEY.search(text))) for text in (gold, answer)]
    if sorted(kinds) == [(False, True), (True, False)]:
        return False
    if any(money for _, money in kinds) and _other_currency(gold, answer):
        return False
    gold, answer = _with_points(gold, answer), _with_points(answer, gold)
    return _equal(*_without_conditions(canonical(gold), canonical(answer)), Ways(atoms, numbers), 0)


def _other_currency(gold: str, answer: str) -> bool:
    signs = money(gold), money(answer)
    units = [part_unit(canonical(text))[1] for text in (gold, answer)]
    named = [sign or unit for sign, unit in zip(signs, units, strict=True)]
    return any(signs) and all(named) and is_other_currency(*(named if signs[0] else named[::-1]))


def _without_conditions(gold: str, answer: str) -> tuple[str, str]:
    """Without what the answer says of a letter in it where the gold says nothing, or the same."""
    (plain, said), (other, also) = without_condition(gold), without_condition(answer)
    return (plain, other) if also and said in ("", also) else (gold, answer)


def _with_points(text: str, beside: str) -> str:
    """2,5 as 2.5 beside a decimal; with a space behind it, or as in 1,234, the comma is another one."""
    if _COMMA.fullmatch(text.strip(" $")) and _POINT.fullmatch(beside.strip(" $")):
        return text.replace(",", ".")
    return text


def _equal(gold: str, answer: str, ways: Ways, depth: int) -> bool | None:
    if gold == answer:
        return bool(gold)
    if not answer or depth > _MAX_DEPTH:
        return False
    if "=" in gold and is_identity(gold):
        return _same_identity(gold, answer)
    if "\\text" in gold + answer and _without_text(gold) == _without_text(answer):
        return True
    gold, answer = _same_residue(gold, answer)
    gold, gold_unit = part_unit(gold)
    answer, answer_unit = part_unit(answer)
    short_gold, short_answer = gold_unit or short_unit(gold), answer_unit or short_unit(answer)
    if conflict(gold_unit, short_answer) or conflict(short_gold, answer_unit):
        return False
    gold, answer = _without_left_sides(gold, answer)
    if number(gold) and not gold_unit:
        answer = _AREA.sub("", answer)
    if gold == answer:
        return True
    if "degree" in (gold_unit, answer_unit) and "" in (gold_unit, answer_unit) and "\\pi" in gold + answer:
        gold, answer = _radians(gold, gold_unit), _radians(answer, answer_unit)
    quick = _quick(gold, answer, ways.numbers)
    if quick is not None:
        return quick
    several = _each_said(gold, answer, ways, depth)
    return _by_shape(gold, answer, ways, depth) if several is None else several


def _same_identity(gold: str, answer: str) -> bool:
    """As written, for any two true ones are equal; from left to right or back."""
    one, other = (tuple(map(written, sides(text))) for text in (gold, answer))
    return other in (one, one[::-1])


def _without_text(text: str) -> str:
    """Words out of their braces, no spaces; 2 hours 30 minutes for "2 hours and 30 minutes"."""
    return re.sub(r"(?<=[a-z])and(?=\d)", "", _TEXT.sub(r"\1", text).replace(" ", ""))


def _same_residue(gold: str, answer: str) -> tuple[str, str]:
    """ "14 \\pmod{20}" as 14 beside a bare number."""
    one, other = _MODULO.search(gold), _MODULO.search(answer)
    if one and not other and number(gold[: one.start()]) and number(answer):
        return gold[: one.start()], answer
    if other and not one and number(answer[: other.start()]) and number(gold):
        return gold, answer[: other.start()]
    return gold, answer


def _radians(text: str, unit: str) -> str:
    return f"\\frac{{{text}\\cdot\\pi}}{{180}}" if unit == "degree" else text


def _each_said(gold: str, answer: str, ways: Ways, depth: int) -> bool | None:
    """Of an answer said twice, as "(C) 12", "1/2 (or 0.5)" or "x = 1/2 = 0.5", every form must be right."""
    if found := _ALTERNATIVE.fullmatch(answer):
        return _all(_equal(gold, said, ways, depth + 1) for said in found.groups())
    said = sides(answer)
    if len(said) > 1 and len(sides(gold)) == 1:
        values = [side for side in said if not is_quantity(side)]
        return bool(values) and _all(_equal(gold, side, ways, depth + 1) for side in values)
    one, other = lettered(gold), lettered(answer)
    if one and other:
        return False if one[0] != other[0] else _equal(one[1], other[1], ways, depth + 1)
    if other and re.fullmatch(r"\(?[A-J]\)?", gold):
        return gold.strip("()") == other[0]
    if other and number(gold):
        return _equal(gold, other[1], ways, depth + 1)
    if one:
        return answer.strip("()") == one[0] or _equal(one[1], answer, ways, depth + 1)
    return None


def _by_shape(gold: str, answer: str, ways: Ways, depth: int) -> bool | None:
    spans = intervals(gold), intervals(answer)
    if any(spans):
        gold, answer = spans[0] or gold, spans[1] or answer
    first, second = items(gold), items(answer)
    if any(spans) and not (first and second and first.is_span and second.is_span):
        return ways.atoms(gold, answer)
    if first and second:
        return _equal_items(first, second, ways, depth)
    if (number(gold) and _is_sequence(second)) or (number(answer) and _is_sequence(first)):
        return False
    # only one side is a bare list: "2 or 3" is no answer to "2", but "\\pm 2" may be one to "2, -2"
    simple = any(number(text) or words_of(text) for text in (gold, answer))
    if simple and any(found is not None and found.fence == "" for found in (first, second)):
        return False
    return ways.atoms(gold, answer)


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


def _quick(gold: str, answer: str, same: Numbers) -> bool | None:
    """What numbers, digits in a base, and words say."""
    one, other = number(gold), number(answer)
    if one and other:
        return same(one, other)
    if _huge(answer) if not _huge(gold) else bool(other):
        return False
    if _SPACED.search(gold) or _SPACED.search(answer):
        return False
    digits = _same_digits(gold, answer)
    if digits is not None:
        return digits
    words, said = words_of(gold), words_of(answer)
    if words and said:
        return words == said or (word_value(words) is not None and word_value(words) == word_value(said))
    if (one and said) or (other and words):
        value = word_value(said or words or "")
        if value is not None and (one or other):
            return (one or other) == number(str(value))
    if (words and len(words) > 1 and other) or (one and said and len(said) > 1):
        return False
    return same_figure(gold, answer)


def _same_digits(gold: str, answer: str) -> bool | None:
    """In a base, or as 12:00 and 9:05 a time of day; other digits parted by a colon may be a ratio."""
    one, other = _CLOCK.fullmatch(gold), _CLOCK.fullmatch(answer)
    if not one or not other or "0" not in (one[2][0], other[2][0]):
        return same_in_base(gold, answer)
    return (int(one[1]), one[2]) == (int(other[1]), other[2])


_TOWER = re.compile(
    r"[\d}]\)?\^[{(]*\w+[)}]*\^|\^[{(]*\d{5,}|\d{5,}\)?!|!\)*!|\\binom\{\d{6,}\}|\\(?:sum|prod)\b.{0,40}\^\{?\(?(?:\d{6,}|\d+\^)"
    r"|[a-z][^()]*\)\^\{?\d{4,}"
)


def _huge(text: str) -> bool:
    """A tower of powers or the like, beyond what anybody writes out: compared with such a gold only."""
    return bool(_TOWER.search(text))


def _is_sequence(found: Items | None) -> bool:
    return found is not None and found.ordered and len(found.items) > 1


def _equal_items(gold: Items, answer: Items, ways: Ways, depth: int) -> bool | None:
    named = [assignments(found.items) if found.fence == "" else None for found in (gold, answer)]
    if all(named) or any(found.fence == "()" for found in (gold, answer)):
        gold, answer = _by_name(gold, named[0]), _by_name(answer, named[1])
    gold, answer = _column(gold, answer), _column(answer, gold)
    if gold.fence != answer.fence and {gold.fence, answer.fence} != {"", "{}"}:
        return False
    if not gold.ordered and len(gold.items) < len(answer.items):
        answer = Items(answer.fence, tuple(dict.fromkeys(answer.items)))
    if len(gold.items) != len(answer.items):
        return False
    if gold.ordered:
        pairs = zip(gold.items, answer.items, strict=True)
        return _all(_equal(one, other, ways, depth + 1) for one, other in pairs)
    return _same_members(list(gold.items), list(answer.items), ways, depth)


def _by_name(found: Items, named: dict[str, str] | None) -> Items:
    """Values of "y=2, x=1" in the order of their names."""
    return Items("()", tuple(named[name] for name in sorted(named))) if named else found


def _column(found: Items, beside: Items) -> Items:
    """A column of a matrix is a tuple beside one."""
    if beside.fence == "()" and found.fence == f"matrix {len(found.items)}" and len(found.items) > 1:
        return Items("()", found.items)
    return found


def _same_members(gold: list[str], answer: list[str], ways: Ways, depth: int) -> bool | None:
    unsure = False
    left = _sorted(answer)
    for one in _sorted(gold):
        found = [_equal(one, other, ways, depth + 1) for other in left]
        if True in found:
            left.pop(found.index(True))
        elif None in found:
            unsure = True
        else:
            return False
    return None if unsure else True


def _sorted(parts: list[str]) -> list[str]:
    """By value where all are numbers: within a tolerance, the first that is near is then the right one."""
    values = [(found.value, part) for part in parts if (found := number(part))]
    return [part for _, part in sorted(values)] if len(values) == len(parts) else list(parts)


def _all(found: Iterable[bool | None]) -> bool | None:
    results = list(found)
    if False in results:
        return False
    return None if None in results else True


def _exact_side(text: str) -> str:
    """ "\\frac{1}{3}" of "\\frac{1}{3} \\approx 0.33"; a name may be approximately something and stays."""
    left, sign, _ = text.partition("\\approx")
    return left if sign and left and not _LEFT_SIDE.match(text) else text


def _without_left_sides(gold: str, answer: str) -> tuple[str, str]:
    """ "x=" before a value is taken off where the other side names no variable, or the same one."""
    gold, answer = name_first(_exact_side(gold)), name_first(_exact_side(answer))
    gold, answer = _without_names(gold, answer), _without_names(answer, gold)
    one, other = _LEFT_SIDE.match(gold), _LEFT_SIDE.match(answer)
    if any(groups(text) or assignments(split_top(text, SEPARATOR)) for text in (gold, answer)):
        return gold, answer
    if one and not other and "=" in answer and number(gold[one.end() :]):
        return gold[one.end() :], answer  # of x=5, what says 2x=10 does not say it
    functions = one and other and _FUNCTION.fullmatch(one[1]) and _FUNCTION.fullmatch(other[1])
    if one and other and one[1] != other[1] and not functions:
        return gold, answer
    if (one and not other and "=" in answer) or (other and not one and "=" in gold):
        return gold, answer
    return gold[one.end() :] if one else gold, answer[other.end() :] if other else answer


def _without_names(text: str, beside: str) -> str:
    """ "(a,b)=(3,4)" as "a=3,b=4" beside such a list, else as the tuple it is."""
    found = _NAMED_TUPLE.fullmatch(text)
    if not found:
        return text
    names, values = found[1].split(","), found[2].split(",")
    other = _NAMED_TUPLE.fullmatch(beside)
    by_name = other[1] != found[1] if other else assignments(split_top(beside, SEPARATOR))
    if by_name and len(names) == len(values):
        return ",".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
    return f"({found[2]})"
