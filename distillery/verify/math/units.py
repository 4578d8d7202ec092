r"""Units and other words behind a number: what an answer may leave out, and what makes it another one."""

from __future__ import annotations

import re

from distillery.installed.word_lists import word_lists

_LISTS = word_lists(__file__)
UNITS: dict[str, str] = {name: unit for unit, names in _LISTS["names"].items() for name in names.split()}
"""Every spelling of the units we tell apart."""

_SIGN = "|".join(re.escape(sign) for sign in _LISTS["money"] if sign != "$")
_MONEY = re.compile(rf"(\\\$)(?=\s?\d)|^\s*-?(\$)\s?\d[^$]*$|({_SIGN})(?![a-z])")
_POWER = r"(?:\^\{?\d\}?|squared|cubed)?"
_TEXT_TAIL = re.compile(r"(?<=.)\\text\{([^{}]*)\}(\^\{?\d\}?)?$")
_KNOWN = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_KNOWN_TAIL = re.compile(rf"(?<=[\d}}%)])(?:square|cubic|sq)?\s?({_KNOWN})({_POWER})$", re.IGNORECASE)
_WORDS_TAIL = re.compile(
    r"(?<=[\d%])\s?((?:[a-z]{4,}|of|per|in|a|the|more|cm|km|kg|ft|hr)(?:\s[a-z]{2,}){0,5})$", re.IGNORECASE
)
_CHINESE_TAIL = re.compile(r"(?<=[\d}%)])([\u4e00-\u9fff]{1,4})$")
_FUNCTION = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)")
_NOT_UNITS = re.compile(
    r"(?i)\d|\b(?:or|and|to|plus|minus|over|sqrt|infinity|hundred|thousand|million|billion)\b"
)


def part_unit(text: str) -> tuple[str, str]:
    """An answer in canonical spelling, and its unit: a value of `UNITS`, "?" for other words, "" for none."""
    if text.endswith("°") and not _FUNCTION.search(text):
        return text[:-1], "degree"
    for pattern in (_TEXT_TAIL, _KNOWN_TAIL, _CHINESE_TAIL, _WORDS_TAIL):
        tail = pattern.search(text)
        if tail and not _NOT_UNITS.search(tail[1]):
            words = tail[1].strip().lower().rstrip(".")
            power = (tail[2] or "").strip("^{}") if pattern.groups > 1 else ""
            name = UNITS.get(words, "?")
            if pattern is _TEXT_TAIL:
                name = _LISTS["symbols"].get(words, name)
            power = power.replace("squared", "2").replace("cubed", "3")
            return text[: tail.start()].rstrip("°"), name + power
    return text, ""


def short_unit(text: str) -> str:
    """The unit behind "5m", which beside another unit is no variable; "" for none."""
    tail = re.search(r"(?<=\d)([mgshLt])$", text)
    return _LISTS["short"][tail[1]] if tail else ""


def money(text: str) -> str:
    """The currency whose sign an answer has, as it was written: \\$5, €5, 5¢, and $5 with no $ behind."""
    found = _MONEY.search(text)
    sign = found and next(filter(None, found.groups()))
    return _LISTS["money"][sign.replace("\\$", "$")] if sign else ""


def is_other_currency(sign: str, unit: str) -> bool:
    """Whether a number with a currency's sign is no number of these: they may be other things, and 5 is 5.

    A pound may be a weight, and a yen has the sign of a yuan.
    """
    return "?" not in unit and unit != sign and (sign, unit) not in (("sterling", "pound"), ("yuan", "yen"))


def conflict(gold: str, answer: str) -> bool:
    """Both name a unit that we know, and not the same one."""
    return bool(gold and answer) and "?" not in gold + answer and gold != answer
