"""What a judge is shown of an untrusted answer, and what its reply says. No form can forge a verdict."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any

from distillery.reasoning import split


class Judgement(StrEnum):
    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNCLEAR = "unclear"


_WORDS = {"correct": Judgement.CORRECT, "incorrect": Judgement.INCORRECT}
_PAIR = re.compile(r"""["']correctness["']\s*:\s*["']?\s*(\w*)""", re.IGNORECASE)
# analyses quote LaTeX, whose backslashes are no JSON: the verdict is then read as the object's last pair
_LAST_PAIR = re.compile(r"""["']correctness["']\s*:\s*["'](\w+)["']\s*\}$""", re.IGNORECASE)
_VERDICT = re.compile(r"\b(?:in)?correct", re.IGNORECASE)
_AROUND = " \n*_`\"'."
_BRACE = re.compile(r"\{")
_HEADING = re.compile(r"^([ \t]*)(#+)(?=\s)", re.MULTILINE)
_TOKEN = re.compile(r"<([|｜])|([|｜])>|<(?=/?think>)")


def defuse(answer: str, *, most_chars: int) -> str:
    """The end of `answer`, in which no line is a heading and no marker a model's control token."""
    text = answer if len(answer) <= most_chars else f"[...] {answer[-most_chars:]}"
    text = _HEADING.sub(r"\1\\\2", text)
    return _TOKEN.sub(lambda match: " ".join(match[0]) if len(match[0]) > 1 else "< ", text)


def read_judgement(reply: str) -> Judgement:
    """`correct` or `incorrect`, alone on the last line or as the object that ends the reply; else unclear.

    A reply that names two verdicts, as one that quotes a forged verdict may, is unclear.
    """
    text = (split(reply).answer or "").strip()
    before, _, last = text.rstrip(_AROUND).rpartition("\n")
    if (word := _WORDS.get(last.strip(_AROUND).lower())) and not _VERDICT.search(before):
        return word
    text = text.removesuffix("```").rstrip()
    said = {pair.lower() for pair in _PAIR.findall(text)}
    if len(said) != 1:
        return Judgement.UNCLEAR
    return _WORDS.get(_last_object(text).strip().lower(), Judgement.UNCLEAR)


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
