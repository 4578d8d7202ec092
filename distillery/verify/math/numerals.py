r"""Answers that are one number, numeral in a base, or word; exact, without floats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

SURE_DIGITS = 6  # a decimal with so many significant digits stands for the number it was rounded or cut from

_DECIMAL = r"(?:\d+\.?\d*|\.\d+)"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]*)(?:"
    rf"(?P<whole>\d+)?\\frac\{{(?P<top>-?{_DECIMAL})\}}\{{(?P<bottom>-?{_DECIMAL})\}}"
    rf"|(?P<over>{_DECIMAL})/(?P<under>{_DECIMAL})"
    rf"|(?P<mixed>\d+)\s(?P<mtop>\d+)/(?P<mbottom>\d+)"
    rf"|(?P<before>\d*)\.(?P<after>\d*)\\(?:overline|bar|dot)\s?\{{?(?P<repeating>\d{{1,40}})\}}?"
    rf"|(?P<base>\d{{1,6}})\^\{{?(?P<power>-?\d{{1,4}})\}}?"
    rf"|(?P<plain>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|{_DECIMAL})"
    rf"(?:(?:\\cdot\s?|\*)10\^\{{?(?P<exp>[+-]?\d{{1,3}})\}}?|[eE](?P<e>[+-]?\d{{1,3}}))?"
    rf")(?P<percent>%?)"
)
_BASE = re.compile(
    r"(?=\(?(?:[A-Fa-f]*\d|[A-Fa-f]{2}))\(?([\dA-Fa-f]+)\)?_\{?(?:\\text\{)?"
    r"(\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|sixteen)\}?\}?"
)
_STATED = re.compile(
    r"(?:the|this|that|it)\b(?:\s[a-z]+){0,4}?\s(?:is|are)\s(?=[a-z]+$)|(?:option|choice|answer)\s(?=[a-j]$)"
)
_WORDS = re.compile(r"[^\W\d_]+(?:[\s'\-][^\W\d_]+)*")

_UP_TO_19 = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety"
_NUMERALS = {word: 10 * value for value, word in enumerate(_TENS.split())} | {
    word: value for value, word in enumerate(_UP_TO_19.split())
}
_BASES = {word: str(value) for word, value in _NUMERALS.items()}
_CHINESE = {sign: value for value, sign in enumerate("零一二三四五六七八九十")} | {"两": 2}
_SYNONYMS = {
    "no solutions": "no solution", "no real solutions": "no solution", "no real solution": "no solution",
    "dne": "does not exist", "无解": "no solution", "无实数解": "no solution", "空集": "no solution",
    "empty set": "no solution", "the empty set": "no solution",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction
    percent: bool = False
    places: int | None = None  # digits after the point, where it is written as a decimal
    digits: int = 0  # significant ones


@lru_cache(maxsize=1 << 14)
def number(text: str) -> Number | None:
    found = _NUMBER.fullmatch(text)
    if not found and text[:1] in ("(", "{") and text[-1:] in (")", "}") and "," not in text:
        found = _NUMBER.fullmatch(text[1:-1])
    if not found or len(text) > 1000:
        return None
    group = found.groupdict()
    places, digits = None, 0
    try:
        if group["repeating"] is not None:
            value = _repeating(group["before"] or "0", group["after"] or "", group["repeating"])
        elif group["plain"]:
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


def _repeating(before: str, after: str, period: str) -> Fraction:
    """Of 0.1\\overline{6}: 1/6."""
    shift = 10 ** len(after)
    return Fraction(int(before + after)) / shift + Fraction(int(period), (10 ** len(period) - 1) * shift)


def _fraction(group: dict[str, str | None]) -> Fraction:
    whole = group["whole"] or group["mixed"] or "0"
    top = group["top"] or group["over"] or group["mtop"] or "0"
    bottom = group["bottom"] or group["under"] or group["mbottom"] or "1"
    return Fraction(whole) + Fraction(top) / Fraction(bottom)


def same_number(gold: Number, answer: Number) -> bool:
    """Equal, or one a decimal of the other with six sure digits. A percent sign may be missing, or be worked
    out.

    One that the gold lacks may be added to 1 or more: 0.25 is more often a share than a quarter of a percent.
    """
    if gold.percent == answer.percent:
        return _close(gold, gold.value, answer, answer.value)
    if (gold.percent or abs(gold.value) >= 1) and _close(gold, gold.value, answer, answer.value):
        return True
    one, other = (side.value / 100 if side.percent else side.value for side in (gold, answer))
    return one == other


def _close(gold: Number, one: Fraction, answer: Number, other: Fraction) -> bool:
    if one == other or (gold.places is not None and gold.places == answer.places):
        return one == other
    sure = [side.places for side in (gold, answer) if side.places is not None and side.digits >= SURE_DIGITS]
    return any(abs(one - other) < Fraction(1, 10) ** places for places in sure)


def same_in_base(gold: str, answer: str) -> bool | None:
    """1242_6 is 1242_6 and, as the question names the base, 1242; it is not 1242_7. 1242 is not 1242_6."""
    one, other = in_base(gold), in_base(answer)
    if not one and not other:
        return None
    if one and other and one[1] != other[1]:
        return False
    digits = [found[0] if found else text for found, text in ((one, gold), (other, answer))]
    if digits[0] == digits[1]:
        return bool(one) or bool(other and other[1] == "10")
    return False if (one or number(gold)) and (other or number(answer)) else None


def in_base(text: str) -> tuple[str, str] | None:
    """Digits, and the base as a decimal number."""
    found = _BASE.fullmatch(text)
    return (found[1].upper(), base_value(found[2])) if found else None


def base_value(base: str) -> str:
    return _BASES.get(base, base)


def word_value(words: str) -> int | None:
    """Of "ninety nine" and "九十九": 99; None from a hundred on."""
    if words and all(sign in _CHINESE for sign in words):
        return _chinese_value(words)
    tens, _, ones = words.partition(" ")
    values = [_NUMERALS.get(word) for word in (tens, ones) if word]
    joined = len(values) < 2 or (values[0] in range(20, 100) and values[1] in range(1, 10))
    return sum(value or 0 for value in values) if joined and None not in values else None


def _chinese_value(words: str) -> int | None:
    tens, ten, ones = words.partition("十")
    if len(tens) > 1 or len(ones) > 1 or "十" in ones or (ten and "零" in (tens, ones)):
        return None
    value = 10 * _CHINESE.get(tens, 1) if ten else _CHINESE[tens]
    return value + _CHINESE.get(ones, 0)


def words_of(text: str) -> str | None:
    r"""The words of an answer that is nothing but words, folded; "a" for "(A)", "\text{A}" and "A"."""
    if text.strip() == "\\emptyset":
        return "no solution"
    if text.startswith("\\text{") and text.endswith("}") and text.count("{") == 1:
        text = text[6:-1].strip()
    elif "\\" in text or len(text) > 200:
        return None
    text = text.strip("()\"'.: ")
    if not _WORDS.fullmatch(text):
        return None
    folded = " ".join(text.casefold().replace("-", " ").split())
    if stated := _STATED.match(folded):
        folded = folded[stated.end() :]
    return _SYNONYMS.get(folded, folded)
