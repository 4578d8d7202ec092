"""Numbers in words as an expression: negative 5, 5 dozen, 5 squared, five apples, 负五, 百分之五, 五个."""

from __future__ import annotations

import re

from distillery.installed.word_lists import word_lists
from distillery.verify.answer.phrases import tokens
from distillery.verify.math.numerals import word_value

_MOST = 200  # characters of what is spoken
_LISTS = word_lists(__file__)
_TIMES: dict[str, int] = _LISTS["times"]
_POWERS: dict[str, int] = _LISTS["powers"]
_HAN = "零一二两三四五六七八九十百千万亿"
_SIGNED = re.compile(
    rf"(?i)(^|[=(,]\s*)(?:{'|'.join(_LISTS['signs'])})\s*(?=[\d$\\.({{零一二两三四五六七八九十百千万a-z])"
)
_BEHIND = re.compile(
    rf"(\d[\d,]*(?:\.\d+)?)\s*(\\(?:text|mathrm)\s*\{{\s*)?({'|'.join([*_TIMES, *_POWERS])})"
    r"(?![A-Za-z克米瓦卡])(\s*\})?"
)
_OF_UNITS = re.compile(r"\s+(?!plus|minus|times|over|is|and)[A-Za-z]")  # behind it: 25 squared units
_SHARE = re.compile(r"^(百|\d+)分之(\d+(?:\.\d+)?)")
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}


def spoken(text: str, question: str = "") -> str:
    """As it is where nothing is spoken; "5 dozen" is 5 where the question asks how many dozen."""
    if len(text) > _MOST:
        return text
    signed = _SIGNED.sub(r"\1-", text)
    plain = "-".join(map(_in_digits, signed.split("-", 1))) if signed.startswith("-") else _in_digits(signed)
    shared = _SHARE.sub(lambda found: f"{found[2]}%" if found[1] == "百" else f"{found[2]}/{found[1]}", plain)
    return _BEHIND.sub(lambda found: found[0] if _asked(found[3], question) else _computed(found), shared)


def _asked(name: str, question: str) -> bool:
    return bool(question) and re.search(rf"(?i)(?:how many|in|几|多少)\s*{name}", question) is not None


def _computed(found: re.Match[str]) -> str:
    number, opened, name, closed = found.groups()
    number = number.replace(",", "")
    if name in _POWERS:
        if _OF_UNITS.match(found.string, found.end(3)):
            return found[0]
        return f"{number}^{_POWERS[name]}"
    value = f"{int(number) * _TIMES[name]}" if number.isdigit() else f"{number}\\cdot {_TIMES[name]}"
    return value + (opened if opened and not closed else "")


def _in_digits(text: str) -> str:
    """Of numerals at the beginning; a word that is all of it is compared as one elsewhere."""
    if not text or text[0].isdigit():
        return text
    if not text[0].isascii():
        return (
            re.sub(f"[{_HAN}]+", _han, text)
            if "numeral" in tokens(text)[0] or text.startswith("百分之")
            else text
        )
    for words in (2, 1):
        found = re.match(rf"(?i)((?:[a-z]+[ -]){{{words - 1}}}[a-z]+)(?=\s+([a-z]+))", text)
        if found and found[2].lower() not in _LISTS["fractions"]:
            value = word_value(found[1].lower().replace("-", " "))
            if value is not None:
                return f"{value}{text[found.end() :]}"
    return text


def _han(found: re.Match[str]) -> str:
    value = han_value(found[0])
    return found[0] if value is None else str(value)


def han_value(numerals: str) -> int | None:
    """Of 三百零五: 305, of 一万二千: 12000; None for what is no number, as 百 alone."""
    if numerals[0] not in _DIGITS and numerals[0] != "十":
        return None
    total, section, digit, unit = 0, 0, 0, 10_000
    for sign in numerals:
        if sign in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[sign]
            unit = 10 if sign == "零" else unit
        elif sign in _UNITS:
            section += (digit or (1 if sign == "十" else 0)) * _UNITS[sign]
            digit, unit = 0, _UNITS[sign]
        else:
            total = (total + section + digit) * (10_000 if sign == "万" else 10**8)
            section, digit, unit = 0, 0, 10_000
    short = digit and unit in (100, 1000, 10_000) and len(numerals) > 1  # 三百五
    return total + section + digit * (unit // 10 if short else 1)
