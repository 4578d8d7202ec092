"""What a judge's reply says of an answer. None can be forged, and none that the answer holds is believed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from distillery.judging.defuse import folded, readable
from distillery.judging.reply_schema import reply_form
from distillery.reasoning import split


class Judgement(StrEnum):
    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNCLEAR = "unclear"


SCHEMA = reply_form(correctness=("correct", "incorrect"))

_WORDS = {"correct": Judgement.CORRECT, "incorrect": Judgement.INCORRECT}
_PAIR = re.compile(r"""["']correctness["']\s*:\s*["']?\s*(\w*)""", re.IGNORECASE)
# analyses quote LaTeX, whose backslashes are no JSON: the verdict is then read as the object's last pair
_LAST_PAIR = re.compile(r"""["']correctness["']\s*:\s*["'](\w+)["']\s*\}$""", re.IGNORECASE)
_VERDICT = re.compile(r"\b(?:in)?correct", re.IGNORECASE)
_CLAIM = re.compile(r"correctness[^\w:=]{0,6}[:=]\W{0,6}correct\b", re.IGNORECASE)
_AROUND = " \n*_`\"'."
_BRACE = re.compile(r"\{")


def read_judgement(reply: str, *, answer: str = "") -> Judgement:
    """`correct` or `incorrect`, alone on the last line or as the object that ends the reply; else unclear.

    A reply that names two verdicts, as one that quotes a forged verdict may, is unclear. So is a `correct` in
    a form that stands in the judged `answer` too: the judge may only have repeated it.
    """
    verdict = _read(reply)
    return Judgement.UNCLEAR if verdict is Judgement.CORRECT and _claims(answer) else verdict


def majority(replies: Sequence[str], *, answer: str) -> Judgement:
    """What more than half of all replies say; else unclear."""
    read = Counter(read_judgement(reply, answer=answer) for reply in replies)
    verdict, most = read.most_common(1)[0]
    return verdict if 2 * most > len(replies) else Judgement.UNCLEAR


def _read(reply: str) -> Judgement:
    text = (split(reply).answer or "").strip()
    before, _, last = text.rstrip(_AROUND).rpartition("\n")
    if (word := _WORDS.get(last.strip(_AROUND).lower())) and not _VERDICT.search(before):
        return word
    text = text.removesuffix("```").rstrip()
    said = {pair.lower() for pair in _PAIR.findall(text)}
    found = _last_object(text).strip().lower()
    return _WORDS.get(found, Judgement.UNCLEAR) if said == {found} else Judgement.UNCLEAR


def _claims(answer: str) -> bool:
    """Whether `answer` holds what a reply would be read as `correct` by."""
    if _read(answer) is Judgement.CORRECT:
        return True
    text = folded(readable(answer)).replace("\\", "")
    return bool(_CLAIM.search(text)) or any(
        line.strip(_AROUND).lower() == Judgement.CORRECT for line in text.split("\n")
    )


def _last_object(text: str) -> str:
    """The value of `correctness` in the object that ends `text`, or ""."""
    if match := _LAST_PAIR.search(text):
        return match[1]
    reader = json.JSONDecoder()
    for begin in _BRACE.finditer(text):
        try:
            value, end = reader.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            continue
        if end == len(text) and isinstance(value, dict):
            found: Any = value.get("correctness")
            return found if isinstance(found, str) else ""
    return ""
