r"""Which words of a completion are its final answer.

Only what stands after the thought counts. In order: all boxes there; the last <answer> tag; the last of "the answer
is ...", "Answer: ...", "#### ...", "A: ..." or their Chinese forms; a final line that is nothing but an expression.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from distillery.reasoning import boxes, split, tagged_answer
from distillery.verify.spelling import canonical

MAX_LINE = 400  # characters of a line that can still be an answer and not a text

_SAID = re.compile(
    r"(?:\bfinal\s+answer|\banswer)(?:\s+to\s+[^.\n:]{1,80})?\s*\**\s*(?:is\s*:?|:|=)\s*\**\s*(?P<en>[^\n]{1,400})"
    r"|(?:最终)?答案\s*(?:是|为|：|:)\s*[:：]?\s*(?P<zh>[^\n]{1,400})"
    r"|^\s*####\s*(?P<hashes>[^\n]{1,400})"
    r"|^\s*A:\s*(?P<a>[^\n]{1,400})",
    re.IGNORECASE | re.MULTILINE,
)
_FINAL = re.compile(r"^\W*final answer\b|^\W*最终答案", re.IGNORECASE | re.MULTILINE)
_SENTENCE_END = re.compile(r"[.。;；](?:\s|$)|\s(?:because|since|as|so)\s", re.IGNORECASE)
_PROSE = re.compile(r"(?<![\\{A-Za-z])[A-Za-z]{2,}(?=\s+[A-Za-z]{2,})")
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_NUMERAL = re.compile(r"(?<![\w.,])[-+]?\$?\d[\d,]*(?:\.\d+)?%?(?![\w.,]*\d)")
_NEGATED = re.compile(r"\bnot\b|n't\b", re.IGNORECASE)
_WRAPS = (("**", "**"), ("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"), ("`", "`"))


class Answer(NamedTuple):
    parts: tuple[str, ...]  # several: different boxes, in order
    missing: str  # why there is nothing; "" when there is


def final_answer(text: str) -> Answer:
    answer = split(text).answer
    if answer is None:
        return Answer((), "the thought was never closed")
    if not answer:
        return Answer((), "nothing after the thought")
    # an empty box is an echo of the question
    found = [unwrap(box) for box in boxes(answer) if len(box) > MAX_LINE or canonical(box)]
    if found:
        return Answer(_final(answer, tuple(dict.fromkeys(found))), "")
    tagged = tagged_answer(answer)
    said = _said(answer if tagged is None else tagged)
    if said is None:
        said = _last_line(answer if tagged is None else tagged, alone=tagged is not None)
    if not said:
        return Answer((), "no box, no <answer> tag, no final line to read")
    return Answer((said,), "")


def _final(answer: str, found: tuple[str, ...]) -> tuple[str, ...]:
    """The one box behind the heading "final answer", where the others stand before it; else all of them."""
    heading = _FINAL.search(answer) if len(found) > 1 else None
    last = {unwrap(box) for box in boxes(answer[heading.end() :])} if heading else set()
    return tuple(last) if len(last) == 1 and last != {""} else found


def unwrap(text: str) -> str:
    """Without the signs around a formula or an emphasis."""
    text = text.strip()
    for _ in range(4):
        before = text
        for left, right in _WRAPS:
            inner = text[len(left) : len(text) - len(right)]
            long_enough = len(text) > len(left) + len(right)
            if long_enough and text.startswith(left) and text.endswith(right) and left not in inner:
                text = inner.strip()
        if (
            text.startswith(("\\boxed", "\\fbox"))
            and (inside := boxes(text))
            and text.endswith(inside[0] + "}")
        ):
            text = inside[0]
        text = text.rstrip(".。,，;；").strip() if not text.endswith("...") else text
        if text == before:
            break
    return text


def _said(text: str) -> str | None:
    said = [group for match in _SAID.finditer(text) for group in match.groups() if group is not None]
    if not said:
        return None
    words = said[-1]
    words = unwrap(words.replace("**", "") if words.count("**") % 2 else words)
    return _value_in(unwrap(_SENTENCE_END.split(words, maxsplit=1)[0])) or None


def _value_in(sentence: str) -> str:
    """What a sentence states: its one emphasized number, else its only number, else the sentence."""
    if _NEGATED.search(sentence):
        return sentence
    stated = _bold_number(sentence) or sentence
    numerals = _NUMERAL.findall(stated) if _PROSE.search(stated) else []
    return numerals[0] if len(numerals) == 1 else stated


def _bold_number(line: str) -> str | None:
    """The only one of its bold parts that holds a number."""
    bold = [part for part in _BOLD.findall(line) if any(sign.isdigit() for sign in part)]
    return unwrap(bold[0]) if len(set(bold)) == 1 else None


def _last_line(text: str, *, alone: bool) -> str | None:
    """The last line with something in it, when it is an expression; `alone`: whatever it is, if it is the only one."""
    lines = [line.strip() for line in text[-4 * MAX_LINE :].splitlines() if line.strip()]
    if not lines or len(lines[-1]) > MAX_LINE or (len(lines) == 1 and len(text.strip()) > MAX_LINE):
        return None
    line = unwrap(lines[-1])
    bold = None if _NEGATED.search(line) else _bold_number(line)
    if bold:
        return _value_in(bold)
    return line if (alone and len(lines) == 1) or not _PROSE.search(line) else None
