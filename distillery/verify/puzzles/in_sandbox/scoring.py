"""One answer by its task's own scorer, and whether that scorer can be believed about this entry.

A scorer that pays for what is nobody's answer, or for an answer of which it reads only a part, is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from distillery.verify.puzzles.in_sandbox.values import Values

CANARIES = "0", "zzz", "", "[]", "{}"
UNREADABLE = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, SyntaxError, TypeError,
    ValueError,
)  # fmt: skip
_INTEGRAL = {"integrand": "x*exp(x)*sin(2*x) + 1/x + sqrt(x)", "variable": "x"}
WARM: list[dict[str, Any]] = [
    {"task": "simple_integration", "entry": {"metadata": _INTEGRAL}, "answer": "x**3*cos(x)", "threshold": 1},
    {"task": "polynomial_multiplication", "entry": {"answer": "x*y + 2"}, "answer": "x*y", "threshold": 1},
]
"""Rows of ours: what they load and build once, no fork needs to."""
_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[^\W\d]+|\S")


class NoGoldError(Exception):
    pass


class BoughtError(NoGoldError):
    """The scorer pays for nothing."""


@lru_cache(maxsize=256)
def scorer_of(task: str) -> Any:
    import reasoning_gym

    return reasoning_gym.create_dataset(task, size=1, seed=0)


def judged(row: dict[str, Any], values: Values) -> dict[str, Any]:
    """{"error"}, {"no_gold"}, or {"score", "detail", "refused"}; without an answer: of the entry."""
    values.clear()
    task, entry, answer, threshold = row["task"], row["entry"], row["answer"], row["threshold"]
    if task == "composite" and isinstance(entry.get("metadata"), dict):
        task = entry["metadata"].get("source_dataset")
    try:
        scorer = scorer_of(task)
    except (ValueError, TypeError, AssertionError):
        return {"error": f"reasoning-gym has no task {task!r:.80}"}
    try:
        score = believed(scorer, task, entry, threshold, values)
    except NoGoldError as fault:
        if isinstance(fault, BoughtError) and answer is not None and answer.strip() in CANARIES:
            return {"score": 0.0, "detail": str(fault), "refused": values.refused}
        return {"no_gold": str(fault)}
    if answer is None:
        return {"score": 1.0, "detail": ""}
    values.refused = None
    found = score(answer)
    if found is None:
        detail = "the scorer cannot read it"
    elif found >= threshold and (fault := bought(answer, entry.get("answer"), found, score, values)):
        found, detail = 0.0, fault
    else:
        detail = f"the task's own score: {found:g}"
    refused = values.refused
    return {
        "score": found or 0.0,
        "detail": f"{detail}; {refused}" if refused else detail,
        "refused": refused,
    }


Score = Callable[[str], float | None]


def believed(scorer: Any, task: str, entry: dict[str, Any], threshold: float, values: Values) -> Score:
    """The scorer with the entry in the form in which its gold is right: JSON makes lists of tuples."""
    gold, metadata = entry.get("answer"), entry.get("metadata")
    for form in (entry, {**entry, "metadata": tuples(metadata)}):
        score = scoring(scorer, form)
        if gold is None or score(gold) == 1.0:
            break
    else:
        refused = f": {values.refused}" if values.refused else ""
        raise NoGoldError(f"the entry is none of {task}'s: it refuses its own gold{refused}")
    for canary in CANARIES:
        if own(canary, gold) or (canary == "zzz" and "0" in values.told):  # one constant stands for another
            continue
        paid = score(canary)
        if paid is not None and paid >= threshold:
            raise BoughtError(
                f"{task}'s scorer pays {paid:g} for {canary!r}, which is not the entry's answer"
            )
    return score


def scoring(scorer: Any, entry: dict[str, Any]) -> Score:
    known: dict[str, float | None] = {}

    def score(answer: str) -> float | None:
        if answer not in known:
            try:
                known[answer] = float(scorer.score_answer(answer, entry))
            except UNREADABLE:
                known[answer] = None
        return known[answer]

    return score


def tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(tuples(item) for item in value)
    if isinstance(value, dict):
        return {name: tuples(item) for name, item in value.items()}
    return value


def own(canary: str, gold: Any) -> bool:
    if not isinstance(gold, str):
        return False
    return "".join(gold.split()) == canary or (canary == "0" and set(re.findall(r"\d", gold)) == {"0"})


def bought(answer: str, gold: Any, paid: float, score: Score, values: Values) -> str | None:
    """Why the answer is not worth what its scorer pays."""
    if isinstance(gold, str):
        if answer.split() == gold.split():
            return None
        told, told_gold = values.told.get(answer.strip()), values.told.get(gold.strip())
        if told and told_gold and (fault := told.differs(told_gold)):
            return fault
    if answer.strip() in values.told:
        return None  # all of it was read
    rest = unread(answer, paid, score)
    return rest and f"its scorer pays as much without {rest[:80]!r}: several answers in one"


def unread(answer: str, paid: float, score: Score) -> str | None:
    """What can be left out at the end, or numbers at the beginning, so that the rest is paid as well."""
    tokens = list(_TOKEN.finditer(answer))
    for token in tokens[:-1]:
        part, rest = answer[: token.end()], answer[token.end() :]
        candidate = r"\d" if re.search(r"\d", part) else r"\w"
        if re.search(candidate, rest) and (score(part) or 0.0) >= paid:
            return rest.strip()
    for token in tokens[1:]:
        rest, part = answer[: token.start()], answer[token.start() :]
        if re.search(r"\d", rest) and re.search(r"\d", part) and (score(part) or 0.0) >= paid:
            return rest.strip()
    return None
