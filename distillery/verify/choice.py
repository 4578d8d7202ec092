r"""Multiple choice: the letter that a completion settles on, A to J.

With the payload option {"choices": ["first", "second", ...]} the text of a choice stands for its letter.
Several letters are wrong unless the gold names just these ("ABD"): nobody is paid for listing all of them.
"""

from __future__ import annotations

import re
import unicodedata

from distillery.reasoning import boxes, split, tagged_answer
from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Checker
from distillery.verify.math.equality import equal
from distillery.verify.math.final_answer import unwrap

_SAID = re.compile(
    r"(?:answer|choice|option)(?:\s+is|\s*[:：])\s*(?:option|choice)?\s*(?P<en>[^\n]{1,200})"
    r"|(?:答案|选项?|故选|应选)\s*(?:是|为|[:：])?\s*[:：]?\s*(?P<zh>[^\n]{1,200})",
    re.IGNORECASE,
)
_TEXT = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")
_LETTERS = re.compile(
    r"(?<![A-Za-z\\])\(?([A-J])\)?(?![A-Za-z'’])(?:\s*[.):：、]|(?=\s|$|[,;/&。，；]|[\u4e00-\u9fff]))"
)
_RUN = re.compile(r"[A-J]{1,10}")
# "B) 5 cm", "(B) because": the rest is the choice's text
_LEADING = re.compile(r"\(?([A-J])(?:\)|[.:：、])\s*\S")


def check(problem: Problem, text: str, /) -> Verdict:
    try:
        choices = _choices(problem)
    except (TypeError, ValueError) as error:
        return Verdict(Outcome.ERROR, detail=f"payload: {error}")
    gold = _letters(problem.gold, choices)
    if not gold:
        return Verdict(Outcome.NO_GOLD, detail=f"the gold {problem.gold[:80]!r} names no choice")
    answer = split(text).answer
    if answer is None:
        return Verdict.no_answer("the thought was never closed")
    said = _said(answer)
    if not said:
        return Verdict.no_answer("no box, no <answer> tag, no 'answer:' and no lone letter")
    found: set[str] = set().union(*(_letters(part, choices) for part in said))
    if not found:
        return Verdict.of(False, " | ".join(said)[:400], "names none of the choices")
    return Verdict.of(found == gold, "".join(sorted(found)))


def gold_fault(problem: Problem) -> str | None:
    try:
        found = _letters(problem.gold, _choices(problem))
    except (TypeError, ValueError) as error:
        return f"payload: {error}"
    return None if found else f"the gold {problem.gold[:80]!r} names no choice"


def _choices(problem: Problem) -> list[str]:
    return [str(choice) for choice in problem.options.get("choices", [])]


def _said(answer: str) -> list[str]:
    """Where the choice is named: boxes, else the tag, else behind the last "answer:", else the last line."""
    if found := [box for box in boxes(answer) if box]:
        return found
    if tagged := tagged_answer(answer):
        return [tagged]
    matches = [next(group for group in match.groups() if group) for match in _SAID.finditer(answer)]
    if matches:
        return [matches[-1]]
    lines = [line for line in answer.splitlines() if line.strip()]
    last = unwrap(lines[-1]) if lines else ""
    return [last] if last and (len(lines) == 1 or len(last) <= 4) else []


def _letters(text: str, choices: list[str]) -> set[str]:
    spelled = unicodedata.normalize("NFKC", _TEXT.sub(r"\1", text)).replace("**", "").replace("$", "").strip()
    spelled = unwrap(spelled)
    bare = re.sub(r"[\s,;、和and&()]", "", spelled)
    if _RUN.fullmatch(bare) or re.fullmatch(r"[a-j]", bare):
        return set(bare.upper())
    if (by_value := _by_value(spelled, choices)) is not None:
        return {by_value}
    if leading := _LEADING.match(spelled):
        others = set(_LETTERS.findall(spelled)) - {leading[1]}
        return {leading[1]} | (others if _listed(spelled) else set())
    return set(_LETTERS.findall(spelled))


def _listed(text: str) -> bool:
    """ "(A) or (B)": letters as alternatives, not one inside a choice's own words."""
    return bool(re.search(r"[A-J]\)?\s*(?:or|and|/|,|;|或|和|、)\s*\(?[A-J]\b", text))


def _by_value(text: str, choices: list[str]) -> str | None:
    same = [place for place, choice in enumerate(choices) if equal(choice, text, lambda _choice, _text: None)]
    return chr(ord("A") + same[0]) if len(same) == 1 and same[0] < 10 else None


CHECKER = Checker(check, gold_fault=gold_fault)
