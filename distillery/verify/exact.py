"""Answers that must be the same words, whatever their spacing and case.

What is judged: the last <answer> tag, else the last box, else all that stands after the thought, or what it
announces as its answer. The payload option {"within": "answer"} demands the tag. An unclosed thought has no
answer.
"""

from __future__ import annotations

import unicodedata

from distillery.reasoning import split, tagged_answer
from distillery.records import Outcome, Problem, Verdict
from distillery.verify.answer.places import marked, unwrap
from distillery.verify.answer.reader import Picked, Statement, Weight, settle
from distillery.verify.base import Checker


def check(problem: Problem, text: str, /) -> Verdict:
    if reason := gold_fault(problem):
        return Verdict(Outcome.NO_GOLD, detail=reason)
    try:
        within = problem.options.get("within", "")
    except ValueError as error:
        return Verdict(Outcome.ERROR, detail=str(error))
    if within not in ("", "answer"):
        return Verdict(Outcome.ERROR, detail=f"payload: within is {within!r}; it can only be 'answer'")
    answer = split(text).answer
    if answer is None:
        return Verdict.no_answer("the thought was never closed")
    if within and tagged_answer(answer) is None:
        return Verdict.no_answer("no <answer> tag after the thought")
    found = marked(answer)
    extracted = (answer if found is None else found).strip()
    if not extracted:
        return Verdict.no_answer("nothing stands where the answer belongs")
    same = fold(extracted) == fold(problem.gold)
    if found is None and not same:
        said = settle(answer, _announced).picked
        if said.yes or said.no:
            extracted = (said.yes or said.no)[0]
            same = not said.fault and fold(extracted) == fold(problem.gold)
            return Verdict.of(same, extracted, said.fault)
    return Verdict.of(same, extracted)


def _announced(statement: Statement) -> Picked:
    said = unwrap(statement.text.strip(" \"'“”"))
    if statement.weight is Weight.JUDGED or not said or "choose" in statement.named:
        return Picked()
    return Picked((), (said,)) if statement.negated else Picked((said,))


def gold_fault(problem: Problem) -> str | None:
    return None if problem.gold.strip() else "the gold is empty"


def fold(text: str) -> str:
    """Signs that look alike, composed or not, are alike."""
    composed = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", composed).split())


CHECKER = Checker(check, gold_fault=gold_fault)
