"""Scorers that can be bought, each of a kind that reasoning-gym has."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from distillery.verify.puzzles.in_sandbox import scoring
from distillery.verify.puzzles.in_sandbox.scoring import judged
from distillery.verify.puzzles.in_sandbox.values import Values

Rule = Callable[[str, dict[str, Any]], float]


class Scorer:
    def __init__(self, rule: Rule) -> None:
        self.score_answer = rule


def found(monkeypatch: pytest.MonkeyPatch, rule: Rule, gold: str | None, answer: str, threshold: float = 1.0):
    monkeypatch.setattr(scoring, "scorer_of", lambda _: Scorer(rule))
    entry = {"answer": gold, "metadata": {}}
    row = {"task": "t", "entry": entry, "answer": answer, "threshold": threshold}
    return judged(row, Values(here=True))


def any_text(answer: str, entry: dict[str, Any]) -> float:
    return float(bool(answer) == bool(entry["answer"]))


def common_prefix(answer: str, entry: dict[str, Any]) -> float:
    gold = entry["answer"]
    same = next(
        (n for n, (a, b) in enumerate(zip(answer, gold, strict=False)) if a != b), min(len(answer), len(gold))
    )
    return same / min(len(answer), len(gold))


def first_number(answer: str, entry: dict[str, Any]) -> float:
    number = re.search(r"\d+(\.\d+)?", answer)
    return float(bool(number) and float(number[0]) == float(entry["answer"]))


def last_number(answer: str, entry: dict[str, Any]) -> float:
    return float(float(re.findall(r"\d+(?:\.\d+)?", answer)[-1]) == float(entry["answer"]))


def begins_so(answer: str, entry: dict[str, Any]) -> float:
    return float(answer.startswith(entry["answer"]))


def contains(answer: str, entry: dict[str, Any]) -> float:
    return len(entry["answer"]) / len(answer) if entry["answer"] in answer else 0.0


@pytest.mark.parametrize("rule", [any_text, common_prefix])
def test_an_entry_whose_scorer_pays_for_nobodys_answer_is_no_gold_but_such_an_answer_is_wrong(
    monkeypatch: pytest.MonkeyPatch, rule: Rule
):
    for answer in ("0.25", "0.3"):
        assert "pays 1 for '0'" in found(monkeypatch, rule, "0.25", answer)["no_gold"]
    for answer in ("0", "zzz"):
        judged = found(monkeypatch, rule, "0.25", answer)
        assert (judged["score"], "pays 1 for '0'" in judged["detail"]) == (0.0, True)


@pytest.mark.parametrize("gold", ["0", "0.0", "00:00", "0 days", "zzz", "[]", "{}"])
def test_a_canary_that_is_the_entrys_own_answer_speaks_against_nobody(
    monkeypatch: pytest.MonkeyPatch, gold: str
):
    def same(answer: str, entry: dict[str, Any]) -> float:
        return float(answer == gold or (answer == "0" and set(gold) <= set("0.: days")))

    assert found(monkeypatch, same, gold, gold)["score"] == 1.0


@pytest.mark.parametrize(
    ("rule", "gold", "answer", "right"),
    [
        (first_number, "279", "279", True),
        (first_number, "279", "279.0", True),
        (first_number, "279", "279 apples", True),
        (first_number, "279", "The answer is 279.", True),
        (first_number, "279", "279 or 280", False),
        (first_number, "279", "279, 280", False),
        (first_number, "279", "279/280", False),
        (first_number, "279", "279\n280\n281", False),
        (first_number, "279", "a 279 " + "or 280 " * 300, False),
        (last_number, "279", "It is 279", True),
        (last_number, "279", "280 or 279", False),
        (last_number, "279", "from 1 to 999: 279", False),
        (begins_so, "tac", "tac", True),
        (begins_so, "tac", "tac.", True),
        (begins_so, "tac", "tac or cat", False),
    ],
)
def test_only_one_answer_is_paid(
    monkeypatch: pytest.MonkeyPatch, rule: Rule, gold: str, answer: str, right: bool
):
    verdict = found(monkeypatch, rule, gold, answer)
    assert (verdict["score"] == 1.0) is right
    assert ("several answers in one" in verdict["detail"]) is not right


def test_below_the_full_score_too(monkeypatch: pytest.MonkeyPatch):
    assert found(monkeypatch, contains, "red", "red or blue", 0.2)["score"] == 0.0
    assert found(monkeypatch, contains, "red", "red", 0.2)["score"] == 1.0


def test_a_scorer_that_breaks_on_an_answer_gives_it_nothing(monkeypatch: pytest.MonkeyPatch):
    assert found(monkeypatch, last_number, "3", "none") == {
        "score": 0.0,
        "detail": "the scorer cannot read it",
        "refused": None,
    }
