r"""Mathematical answers: found in the text, compared cheaply where that is exact, by computer algebra where not.

Conventions (payload options in brackets): several different boxes are right only if each equals the gold or together
they list it; a bare list needs no order, a tuple does; a missing unit, degree or percent sign is forgiven, another
unit is not; a decimal needs six sure digits, or [{"tolerance": x}], an absolute error.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any

from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Errand
from distillery.verify.extract import final_answer, unwrap
from distillery.verify.spelling import canonical
from distillery.verify.values import equal, items, number

MAX_ANSWER = 2000  # characters; and never more than ten times the gold's, from there
_MAX_NESTED = 40

SENTINELS = frozenset(
    {"proof", "notfound", "not found", "nan", "null", "n/a", "na", "unknown", "see solution", "?", "-"}
)
_PART = re.compile(
    r"(?:^|[\s,;])\(?(?:a|i|1)[).]\s.*?(?:[\s,;])\(?(?:b|ii|2)[).]\s", re.IGNORECASE | re.DOTALL
)
_EXPLAINED = re.compile(r"[A-Za-z]{2,}(?:\s+[A-Za-z]{2,}){11}")


def check(problem: Problem, text: str, /) -> Verdict:
    from distillery.verify.pool import judge_one  # it calls `decide`

    return judge_one(problem, text)


def decide(problem: Problem, text: str) -> Verdict | Errand:
    """The verdict where it can be had without computer algebra; safe and quick on any text."""
    if reason := gold_fault(problem.gold):
        return Verdict(Outcome.NO_GOLD, detail=reason)
    try:
        options = problem.options
    except ValueError as error:
        return Verdict(Outcome.ERROR, detail=str(error))
    answer = final_answer(text)
    if answer.missing:
        return Verdict.no_answer(answer.missing)
    gold = unwrap(problem.gold)
    extracted = " | ".join(answer.parts)
    if fault := _unfit(answer.parts, gold):
        return Verdict.of(False, extracted[:MAX_ANSWER], fault)
    if "tolerance" in options:
        return _within(gold, answer.parts, options)
    if len(answer.parts) == 1:
        return _decide_each(gold, answer.parts, extracted)
    if equal(gold, ", ".join(answer.parts), _unknown):
        return Verdict.of(True, extracted, "the boxes together list the gold")
    found = _decide_each(gold, answer.parts, extracted)
    return (
        Verdict.of(False, extracted, "several different boxes")
        if found == Verdict.of(False, extracted)
        else found
    )


def gold_fault(gold: str) -> str | None:
    """Why no answer could ever be compared with it; None when nothing speaks against it without computing."""
    folded = " ".join(unwrap(gold).casefold().split())
    if not folded or not canonical(folded):
        return "the gold is empty"
    if folded in SENTINELS:
        return f"the gold is {folded!r}, which stands for none"
    if _PART.search(gold):
        return "multi_part: the gold answers several questions"
    if _EXPLAINED.search(gold):
        return "the gold is a text and not an answer"
    return None


def gold_errand(gold: str) -> Errand | None:
    """Whether the gold can be read at all, where that is not plain."""
    bare = unwrap(gold)
    if number(canonical(bare)):
        return None
    return Errand("math", json.dumps({"gold": bare, "answers": []}), None)


def _decide_each(gold: str, parts: tuple[str, ...], extracted: str) -> Verdict | Errand:
    found = [equal(gold, part, _unknown) for part in parts]
    if False in found:
        return Verdict.of(False, extracted)
    if None not in found:
        return Verdict.of(True, extracted)
    unsure = [part for part, verdict in zip(parts, found, strict=True) if verdict is None]
    return Errand("math", json.dumps({"gold": gold, "answers": unsure}), extracted)


def _unknown(_gold: str, _answer: str) -> bool | None:
    return None


def _unfit(parts: tuple[str, ...], gold: str) -> str:
    longest = max(len(part) for part in parts)
    if longest > max(MAX_ANSWER, 10 * len(gold)):
        return f"an answer of {longest} characters"
    if any(_nested(part) > _MAX_NESTED for part in parts):
        return f"brackets nested deeper than {_MAX_NESTED}"
    return ""


def _nested(text: str) -> int:
    depth = deepest = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _within(gold: str, parts: tuple[str, ...], options: dict[str, Any]) -> Verdict | Errand:
    """Numbers, and lists of them in any order, within an absolute error."""
    extracted = " | ".join(parts)
    try:
        tolerance = Fraction(str(options["tolerance"]))
    except ValueError:
        return Verdict(Outcome.ERROR, detail=f"payload: tolerance is {options['tolerance']!r}, not a number")
    expected, given = _numbers(gold), _numbers(parts[-1])
    if len(parts) > 1:
        return Verdict.of(False, extracted, "several different boxes")
    if expected is None or given is None:
        data = {"gold": gold, "answers": parts, "tolerance": float(tolerance)}
        return Errand("math", json.dumps(data), extracted)
    if len(given) != len(expected):
        return Verdict.of(False, extracted)
    near = all(
        abs(one - other) <= tolerance for one, other in zip(sorted(expected), sorted(given), strict=True)
    )
    return Verdict.of(near, extracted)


def _numbers(text: str) -> list[Fraction] | None:
    from distillery.verify.units import part_unit

    spelled = canonical(text)
    found = items(spelled)
    values = [number(part_unit(part)[0]) for part in (found.items if found else (spelled,))]
    return [value.value for value in values if value] if all(values) else None
