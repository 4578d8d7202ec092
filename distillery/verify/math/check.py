r"""Mathematical answers: found in the text, compared cheaply where that is exact, else by computer algebra.

Several different boxes are right only if each equals the gold or together they list it; a bare list needs no
order, a tuple does. `OPTIONS` has what a problem's payload may settle otherwise.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import accumulate
from typing import Any

from distillery.reasoning import boxes
from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Checker, Errand
from distillery.verify.math import symbolic
from distillery.verify.math.equality import Atoms, Numbers, equal
from distillery.verify.math.equations import is_quantity, sides
from distillery.verify.math.final_answer import final_answer, stated_gold
from distillery.verify.math.numerals import base_value, in_base, number, same_number
from distillery.verify.math.repeats import REPEATS, repeats, written
from distillery.verify.math.rough_value import is_scalar, plainly_different
from distillery.verify.math.sequences import items
from distillery.verify.math.spelling import canonical
from distillery.verify.math.tolerance import read_tolerance
from distillery.verify.math.units import part_unit

OPTIONS = {
    "tolerance": "an absolute error, or a list of one for each item of the gold; without it a decimal must "
    "be the gold's, or have six sure digits of it",
    "unit": '"required": a missing unit, degree or percent sign is not forgiven. Another unit never is',
    "order": '"gold": a bare list must be in the order of the gold\'s',
    "repeats": '"right": an answer may say a formula of the question again; else that is wrong, unless it is '
    "the gold's own form",
    "form": '"gold": only the gold\'s own form will do, as where a simplified or factored one is demanded',
}
"""The payload's keys for this checker, and what holds without them."""

MAX_ANSWER = 2000  # characters; and never more than ten times the gold's, from there
_MAX_NESTED = 40

SENTINELS = {
    "proof",
    "notfound",
    "not found",
    "nan",
    "null",
    "n/a",
    "na",
    "unknown",
    "see solution",
    "?",
    "-",
}
_PART = re.compile(r"(?is)(?:^|[\s,;])\(?(?:a|i|1)[).]\s.*?(?:[\s,;])\(?(?:b|ii|2)[).]\s")
_NAMED_BASE = re.compile(r"\bbase[\s$-]*(\d+|[a-z]+)", re.IGNORECASE)
_BASE_NAMES = {"binary": "2", "ternary": "3", "octal": "8", "hexadecimal": "16"}
_FACTOR = re.compile(r"(?<=[\d} ])\b(dozens?|hundreds?|thousands?|millions?|billions?)\b")
_COUNTED = r"(?i)\b(?:how many|number of|in|nearest)\s+(?:\w+\s+)?{}s?\b"
_ASKING = re.compile(
    r"(?i)\b(?:find|what is|what's|compute|determine|evaluate|calculate|value of|求)"
    r"(?:\s+the\s+value\s+of)?(?=[\s$\\(])"
)
_LONGEST_GOLD = 5_000
_EXPLAINED = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,}+(?:\s++[A-Za-z]{2,}+){11}")


def decide(problem: Problem, text: str) -> Verdict | Errand:
    """The verdict where it can be had without computer algebra; safe and quick on any text."""
    if reason := gold_fault(problem.gold):
        return Verdict(Outcome.NO_GOLD, detail=reason)
    try:
        options = problem.options
    except ValueError as error:
        return Verdict(Outcome.ERROR, detail=str(error))
    if fault := _option_fault(options):
        return Verdict(Outcome.ERROR, detail=fault)
    answer = final_answer(text, problem.question)
    if answer.missing:
        return Verdict.no_answer(answer.missing)
    gold = _value_asked(stated_gold(problem.gold), problem.question)
    parts = tuple(_as_asked(part, problem.question) for part in answer.parts)
    extracted = " | ".join(parts)
    if answer.fault:
        return Verdict.of(False, extracted[:MAX_ANSWER], answer.fault)
    if fault := _unfit(parts, gold) or _unlike(parts, gold, options):
        return Verdict.of(False, extracted[:MAX_ANSWER], fault)
    if options.get("order") == "gold":
        gold, parts = _as_tuple(gold), (_as_tuple(", ".join(parts)),)
    tolerance = options.get("tolerance")
    found = (
        _decide(gold, parts, extracted) if tolerance is None else _within(gold, parts, extracted, tolerance)
    )
    return _unless_repeated(found, parts, gold, problem.question, options)


def _unless_repeated(
    found: Verdict | Errand, parts: tuple[str, ...], gold: str, question: str, options: dict[str, Any]
) -> Verdict | Errand:
    if options.get("repeats") or not all(repeats(part, gold, question) for part in parts):
        return found
    if isinstance(found, Errand):
        return replace(found, data=json.dumps(json.loads(found.data) | {"repeats": True}))
    return Verdict.of(False, found.extracted, REPEATS) if found.outcome is Outcome.CORRECT else found


def _decide(
    gold: str, parts: tuple[str, ...], extracted: str, numbers: Numbers = same_number, tolerance: Any = None
) -> Verdict | Errand:
    """Several parts each are the gold or together list it; with a tolerance only the latter will do."""
    joined = ", ".join(parts)
    # a rough value is no use within a tolerance
    roughly: Atoms = _roughly if tolerance is None else lambda _gold, _answer: None
    together = equal(gold, joined, roughly, numbers)
    if together:
        return Verdict.of(True, extracted, "the boxes together list the gold" if len(parts) > 1 else "")
    found = [equal(gold, part, roughly, numbers) for part in parts] if tolerance is None else [together]
    if False not in found and None not in found:
        return Verdict.of(True, extracted)
    if together is False and False in found:
        return Verdict.of(False, extracted, "several different boxes" if len(parts) > 1 else "")
    unsure = [part for part, verdict in zip(parts, found, strict=False) if verdict is None]
    data: dict[str, Any] = {"gold": gold, "answers": [] if False in found else unsure}
    if len(parts) > 1 and together is None:
        data["joined"] = joined
    if tolerance is not None:
        data |= {"answers": [joined], "tolerance": tolerance}
    plain = json.dumps({"gold": gold, "answers": [], "compared": True})
    return Errand(json.dumps(data), extracted, plain=plain)


def _as_tuple(text: str) -> str:
    found = items(canonical(text))
    return f"({','.join(found.items)})" if found and found.fence == "" else text


def gold_fault(gold: str) -> str | None:
    """Why no answer could ever be compared with it; None when nothing speaks against it without computing."""
    if len(gold) > _LONGEST_GOLD:
        return f"the gold has {len(gold):,} characters, at most {_LONGEST_GOLD:,} are an answer"
    stated = stated_gold(gold)
    folded = " ".join(stated.casefold().split())
    if not folded or not canonical(folded):
        return "the gold is empty"
    if folded in SENTINELS:
        return f"the gold is {folded!r}, which stands for none"
    if _PART.search(stated if len(set(boxes(gold))) == 1 else gold):
        return "multi_part: the gold answers several questions"
    if _EXPLAINED.search(stated):
        return "the gold is a text and not an answer"
    return None


def gold_errand(gold: str) -> Errand | None:
    """Whether the gold can be read at all, where that is not plain."""
    bare = stated_gold(gold)
    return None if number(canonical(bare)) else Errand(json.dumps({"gold": bare, "answers": []}))


def _roughly(gold: str, answer: str) -> bool | None:
    if plainly_different(gold, answer):
        return False
    sequences = [found is not None and found.ordered for found in (items(gold), items(answer))]
    return False if any(sequences) and any(map(is_scalar, (gold, answer))) else None


def _unfit(parts: tuple[str, ...], gold: str) -> str:
    longest = max(len(part) for part in parts)
    if longest > max(MAX_ANSWER, 10 * len(gold)):
        return f"an answer of {longest} characters"
    if any(_nested(part) > _MAX_NESTED for part in parts):
        return f"brackets nested deeper than {_MAX_NESTED}"
    return ""


def _option_fault(options: dict[str, Any]) -> str:
    for name, only in (("unit", "required"), ("form", "gold"), ("order", "gold"), ("repeats", "right")):
        if options.get(name, only) != only:
            return f"payload: {name} is {options[name]!r}; the only value is {only!r}"
    return ""


def _unlike(parts: tuple[str, ...], gold: str, options: dict[str, Any]) -> str:
    """What a payload that is stricter than usual finds missing."""
    spelled = canonical(gold)
    for part in map(canonical, parts):
        if options.get("form") == "gold" and part != spelled:
            return f"not in the form of {gold[:200]!r}"
        unit, said = part_unit(spelled)[1], part_unit(part)[1]
        if options.get("unit") == "required" and (unit != said or ("%" in spelled) != ("%" in part)):
            return "the unit is missing"
    return ""


def _value_asked(text: str, question: str) -> str:
    """7 of "a+b=7" where the question asks for a+b."""
    said = sides(canonical(text)) if "=" in text else (text,)
    if len(said) != 2 or is_quantity(said[0]) or not _asks_for(said[0], question):
        return text
    return said[1]


def _as_asked(answer: str, question: str) -> str:
    """Without what only says of what it is: "5 dozen" where the question asks for dozens."""
    answer = _value_asked(answer, question)
    if (found := _FACTOR.search(answer)) and re.search(
        _COUNTED.replace("{}", found[1].rstrip("s")), question
    ):
        answer = answer[: found.start()] + answer[found.end(1) :]
    return _in_named_base(answer, question)


def _asks_for(spelled: str, question: str) -> bool:
    wanted = written(spelled)
    return any(
        written(canonical(question[place.end() : place.end() + 3 * len(spelled) + 40]))[: len(wanted)]
        == wanted
        for place in _ASKING.finditer(question)
    )


def _in_named_base(answer: str, question: str) -> str:
    """1242_6 as 1242 where the question speaks of base 6: its gold may leave the base out."""
    found = in_base(canonical(answer)) if "_" in answer else None
    named = {base_value(base.lower()) for base in _NAMED_BASE.findall(question)} if found else set()
    named |= {base for word, base in _BASE_NAMES.items() if word in question.lower()} if found else set()
    return found[0] if found and found[1] in named else answer


def _nested(text: str) -> int:
    return max(accumulate(((sign in "([{") - (sign in ")]}") for sign in text), initial=0))


def _within(gold: str, parts: tuple[str, ...], extracted: str, value: Any) -> Verdict | Errand:
    try:
        tolerance = read_tolerance(gold, value)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        fault = f"payload: tolerance is {value!r}, neither a number nor one for each item of the gold"
        return Verdict(Outcome.ERROR, detail=fault)
    return _decide(gold, parts, extracted, tolerance.near, value)


CHECKER = Checker(
    decide,
    gold_fault=lambda problem: gold_fault(problem.gold),
    gold_errand=lambda problem: gold_errand(problem.gold),
    prepare=symbolic.prepare,
    work=symbolic.work,
)
