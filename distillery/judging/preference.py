"""What a judge of several answers is shown of each, and which one its reply prefers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from distillery.judging.defuse import defuse, folded, readable
from distillery.judging.reply_schema import reply_form
from distillery.reasoning import split

SCORES = {"A>>B": 2, "A>B": 1, "A=B": 0, "B>A": -1, "B>>A": -2}
"""By how much the label says that A is better. DeepSeek prints no numbers for them."""

SCHEMA = reply_form(verdict=[f"[[{label}]]" for label in SCORES])

_LABEL = re.compile(r"\[\[\s*([AB]\s*(?:>>|>|=)\s*[AB])\s*\]\]")
_NUMBER = re.compile(r"\[\[\s*(\d{1,3})\s*\]\]")
_FORGED = re.compile(r"\[\[(?=\s*(?:[AB]\s*[<>=]{1,3}\s*[AB]|\d{1,3})\s*\]\])")
_AROUND = " \n*_`\"'.}"


def shown(answer: str, *, most_chars: int) -> str:
    """As `defuse` does it, and without labels."""
    return _FORGED.sub("[ [", defuse(answer, most_chars=most_chars))


def read_preference(reply: str, *, answers: Sequence[str] = ()) -> int | None:
    """From -2 (B is much better) to 2 (A is), by the only label of the reply, at its end; else None.

    None, too, where one of `answers` holds that label: the judge may only have repeated it.
    """
    label = _only(_LABEL, reply, answers)
    return None if label is None else SCORES.get(label)


def choice_schema(count: int) -> str:
    return reply_form(best=[f"[[{number}]]" for number in range(1, count + 1)])


def read_choice(reply: str, *, count: int, answers: Sequence[str] = ()) -> int | None:
    """The number of the best answer, from 1 to `count`; read as `read_preference` reads its label."""
    label = _only(_NUMBER, reply, answers)
    number = int(label) if label else 0
    return number if 1 <= number <= count else None


def _only(pattern: re.Pattern[str], reply: str, answers: Sequence[str]) -> str | None:
    text = (split(reply).answer or "").rstrip(_AROUND)
    matches = list(pattern.finditer(text))
    labels = {_bare(match[1]) for match in matches}
    if len(labels) != 1 or matches[-1].end() != len(text):
        return None
    held = {_bare(found) for answer in answers for found in pattern.findall(folded(readable(answer)))}
    return None if labels & held else labels.pop()


def _bare(label: str) -> str:
    return "".join(label.split())
