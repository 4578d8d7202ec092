r"""Where an answer may be marked as such: boxes, the tag <answer>, signs around a formula or an emphasis."""

from __future__ import annotations

import re

from distillery.reasoning import boxes, last_boxed, tagged_answer
from distillery.verify.answer.phrases import FORMULA

_WRAPS = (("**", "**"), ("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"), ("`", "`"))
_FINAL = re.compile(r"^\W*final answer\b|^\W*最终答案", re.IGNORECASE | re.MULTILINE)
_FINAL_SAID = re.compile(
    rf"(?i)\bfinal answer\s*\**\s*(?:is\s*:?|:)\s*\**\s*({FORMULA}|[-+]?\d[\d,]*(?:\.\d+)?|\(?[A-J]\)?)\**\s*"
    r"(?:\.(?!\d)|\n|$)"
)
_TAG = re.compile(r"</?answer>")


def marked(answer: str) -> str | None:
    """The contents of the last tag, else of the last box."""
    found = tagged_answer(answer)
    return last_boxed(answer) if found is None else found


def tag_fault(answer: str) -> str | None:
    """What is wrong with an answer that is to be one tag and nothing beside it."""
    tags = _TAG.findall(answer)
    if sorted(tags) != ["</answer>", "<answer>"]:
        return "not exactly one <answer>...</answer> after the thought"
    before, inside, after = _TAG.split(answer)
    if before.strip() or after.strip() or tags[0] != "<answer>":
        return "text beside the <answer> tag"
    return None if inside.strip() else "the <answer> tag is empty"


def final_boxes(answer: str, found: tuple[str, ...]) -> tuple[str, ...]:
    """Of several boxes the one behind the heading "final answer", where the others stand before it; or what
    "the final answer is ..." states behind all of them, which then were steps."""
    begin = max(answer.rfind("\\boxed"), answer.rfind("\\fbox"), len(answer) - 40_000)
    if said := list(_FINAL_SAID.finditer(answer, begin)):
        return (unwrap(said[-1][1]),)
    return under_heading(answer, found)


def under_heading(answer: str, found: tuple[str, ...]) -> tuple[str, ...]:
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
        inside = boxes(text) if text.startswith(("\\boxed", "\\fbox")) else []
        if inside and text.endswith(inside[0] + "}"):
            text = inside[0]
        text = text.rstrip(".。,，;；").strip() if not text.endswith("...") else text
        if text == before:
            break
    return text
