"""Whether a prompt deserves a thought, by rules that read English and Chinese.

DeepSeek-R1's general data has no thought for simple queries as "hello" (arXiv 2501.12948v2, B.3.3); where the
line runs is not printed. What no rule knows is left undecided.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from distillery.installed.word_lists import pattern
from distillery.records import Thinking


class Why(StrEnum):
    SMALL_TALK = "small_talk"  # greetings, thanks, farewells
    ABOUT_ITSELF = "about_itself"  # "who are you?"
    LOOKUP = "lookup"  # one short question for one fact
    CODE = "code"
    MATHS = "maths"
    LONG = "long"
    TASK = "task"  # something to make, to explain or to weigh
    UNKNOWN = "unknown"


class Ruling(NamedTuple):
    thinking: Thinking | None  # None: no rule knows
    why: Why


_LONG_WORDS = 40.0
_LOOKUP_WORDS = 13.0
_LEFT_OF_TALK = 2.5  # words that small talk may have beside its set phrases
_HAN_WORDS = 0.6  # words in one Chinese character

_WORD = re.compile(r"[^\W\d_\u3400-\u9fff][^\W_\u3400-\u9fff]*(?:['’-][^\W_\u3400-\u9fff]+)*|\d+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_CODE = re.compile(
    r"```|`[^`\n]+`|</?[a-z][^<>\n]*>|\b(?:def|class|import|SELECT) \w+|[;{]\s*$", re.MULTILINE
)
_MATHS = re.compile(
    r"\d\s*[-+*/^=×÷<>≤≥]\s*\(?\s*[\dx]|\b[xyn]\s*[=<>^+]\s*[\dxyn]|\\(?:frac|sqrt|sum|int|boxed)\b|\$[^$\n]+\$|\d+\s*%"
)
_pattern = partial(pattern, __file__)


def words(text: str) -> float:
    """Words and numbers; a Chinese character counts as 0.6 of a word."""
    return len(_WORD.findall(text)) + _HAN_WORDS * len(_HAN.findall(text))


def deserves(question: str, *, follows: bool = False) -> Ruling:
    """`follows`: earlier turns stand before the question, so that a short one may ask for much."""
    text = question.strip()
    size = words(text)
    if _CODE.search(text):
        return Ruling(Thinking.ON, Why.CODE)
    if _MATHS.search(text):
        return Ruling(Thinking.ON, Why.MATHS)
    if size > _LONG_WORDS:
        return Ruling(Thinking.ON, Why.LONG)
    if _is_talk(text):
        return Ruling(Thinking.OFF, Why.SMALL_TALK)
    if _pattern("task").search(text):
        return Ruling(Thinking.ON, Why.TASK)
    if size <= _LOOKUP_WORDS and not follows:
        if _pattern("itself").search(text):
            return Ruling(Thinking.OFF, Why.ABOUT_ITSELF)
        if _pattern("lookup").search(text):
            return Ruling(Thinking.OFF, Why.LOOKUP)
    return Ruling(None, Why.UNKNOWN)


def _is_talk(text: str) -> bool:
    """Set phrases and hardly anything else; also what has no word at all, as ":)" or "??"."""
    if not words(text):
        return True
    rest, phrases = _pattern("talk").subn(" ", text)
    return (
        phrases > 0
        and not _pattern("task").search(rest)
        and words(_pattern("filler").sub(" ", rest)) <= _LEFT_OF_TALK
    )
