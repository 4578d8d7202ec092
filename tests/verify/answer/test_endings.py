"""Endings of answers in English and Chinese, with every letter and several values: what a person reads as one
answer is accepted, what is negated, hedged, several or another one is not."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from distillery.records import Problem
from distillery.verify import get_checker
from distillery.verify.answer.phrases import tokens
from distillery.verify.pool.processes import judge
from tests.verify.answer.filled import LETTERS, VALUES, filled

ENDINGS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("endings.yaml").read_text(encoding="utf-8"))
PHRASES: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parents[3] / "distillery/verify/answer/phrases.yaml").read_text(encoding="utf-8")
)
KINDS = [
    (checker, kind, language)
    for checker, kinds in ENDINGS.items()
    for kind, languages in [
        *((kind, found) for kind, found in kinds.items() if kind != "held_out"),
        *((f"held_out_{kind}", found) for kind, found in kinds["held_out"].items()),
    ]
    for language in languages
]


def endings(checker: str, kind: str, language: str) -> list[str]:
    kinds = ENDINGS[checker]
    return (kinds["held_out"][kind[9:]] if kind.startswith("held_out_") else kinds[kind])[language]


def accepted(rows: list[tuple[str, Problem, str]]) -> Counter[str]:
    """By ending, of how many rows the verdict is correct; 0 too."""
    verdicts = judge([(problem, text) for _, problem, text in rows])
    found = Counter({ending: 0 for ending, _, _ in rows})
    found.update(
        ending for (ending, _, _), verdict in zip(rows, verdicts, strict=True) if verdict.score == 1.0
    )
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("checker", "kind", "language"), KINDS)
def test_every_ending_is_read_as_a_person_reads_it(checker: str, kind: str, language: str):
    rows = [row for ending in endings(checker, kind, language) for row in filled(checker, ending, language)]
    of = Counter(ending for ending, _, _ in rows)
    right = "wrong" not in kind
    assert {ending: n for ending, n in accepted(rows).items() if n != (of[ending] if right else 0)} == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("checker", "kind", "language"), [found for found in KINDS if "wrong" not in found[1]]
)
def test_the_same_ending_with_another_answer_is_never_accepted(checker: str, kind: str, language: str):
    rows = [
        (ending, Problem("q", other, checker=checker, payload=problem.payload), text)
        for ending in endings(checker, kind, language)
        for _, problem, text in filled(checker, ending, language)
        if "§" not in ending
        for other in [_other(checker, problem.gold)]
    ]
    assert {ending: n for ending, n in accepted(rows).items() if n} == {}


def _other(checker: str, gold: str) -> str:
    known = list(LETTERS) if checker == "choice" else [value for value, _ in VALUES]
    return known[(known.index(gold) + 1) % len(known)]


def phrases(kind: str, language: str) -> list[str]:
    return [phrase.strip() for phrase in PHRASES[kind].get(language, "").split(" / ") if phrase.strip()]


def said_with_phrases() -> Iterator[tuple[str, bool, str]]:
    """Language, whether it is one answer, and the ending, from each phrase of the kinds."""
    for kind in ("announce", "announce_choice"):
        yield from (
            ("en", True, f"The {phrase.removeprefix('the ')} is @.") for phrase in phrases(kind, "en")
        )
        yield from (("zh", True, f"所以{phrase}是@。") for phrase in phrases(kind, "zh"))
    yield from (("zh", True, f"{phrase}@。") for phrase in phrases("choose", "zh"))
    for phrase in phrases("is", "en"):
        if phrase[0].isalpha() and phrase not in ("be", "being", "are", "equal to", "lies in"):
            yield "en", True, f"The answer {phrase} @."
    yield from (("zh", True, f"答案{phrase}@。") for phrase in phrases("is", "zh"))
    yield from (
        ("en", True, f"The answer is @ {phrase} of what we saw.") for phrase in phrases("because", "en")
    )
    yield from (("zh", True, f"答案是@，{phrase}如上。") for phrase in phrases("because", "zh"))
    yield from (
        ("en", True, f"The answer is §. {phrase}, the answer is @.") for phrase in phrases("correction", "en")
    )
    yield from (("zh", True, f"答案是§。{phrase}，答案是@。") for phrase in phrases("correction", "zh"))
    yield from (
        ("en", False, f"{phrase}, the answer is @.".replace(",", "", 1)) for phrase in phrases("hedge", "en")
    )
    yield from (("en", False, f"The answer {phrase} @.") for phrase in phrases("maybe_is", "en"))
    yield from (("zh", False, f"答案{phrase}@。") for phrase in phrases("maybe_is", "zh"))
    yield from (
        ("en", False, f"{phrase}, the answer is @".replace(",", " but", 1))
        for phrase in phrases("unsure", "en")
    )
    yield from (("zh", False, f"我{phrase}，答案是@。") for phrase in phrases("unsure", "zh"))
    yield from (
        ("en", False, f"The answer is {phrase} @.")
        for phrase in (*phrases("not", "en"), *phrases("except", "en"))
    )
    yield from (
        ("zh", False, f"答案{phrase}@。") for phrase in (*phrases("not", "zh"), *phrases("except", "zh"))
    )
    yield from (("en", False, f"We {phrase} @.") for phrase in phrases("reject", "en"))
    yield from (("zh", False, f"{phrase}@。") for phrase in phrases("reject", "zh"))
    yield from (("en", False, f"Option @ is {phrase}.") for phrase in phrases("wrong", "en"))
    yield from (("zh", False, f"选项@{phrase}。") for phrase in phrases("wrong", "zh"))
    yield from (("en", False, f"The answer is @ {phrase} §.") for phrase in phrases("join", "en"))
    yield from (("zh", False, f"答案是@{phrase}§。") for phrase in phrases("join", "zh"))


@pytest.mark.slow
@pytest.mark.parametrize("right", [True, False])
def test_each_phrase_means_what_its_kind_says(right: bool):
    found = {ending: language for language, one, ending in said_with_phrases() if one is right}
    rows = [
        row for ending, language in found.items() for row in filled("choice", ending, language, of="BEIJ")
    ]
    of = Counter(ending for ending, _, _ in rows)
    assert {ending: n for ending, n in accepted(rows).items() if n != (of[ending] if right else 0)} == {}


def test_a_phrase_is_not_found_inside_a_word():
    assert all("not" not in token for token in tokens("a notable notion of knots"))


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["choice", "math", "exact"])
@pytest.mark.parametrize(
    "said",
    ["The answer is B. ", "the answer is B ", "Wait, no, it is C. ", "答案是B。", "选", "不", "B or ", "5, ", "$x$ ",
     "(", "\\boxed{B} ", "\\text{", "if the answer is B, ", "A. one\n", "the answer to the question that we ask is "],
)  # fmt: skip
def test_a_looping_answer_is_read_at_once(checker: str, said: str):
    payload = json.dumps(
        {"choices": ["red wine", "\\frac{1}{2}", "7", "x^2+1"]} if checker == "choice" else {}
    )
    text = "<think>t</think>" + said * (130_000 // len(said))
    begin = time.process_time()
    get_checker(checker).check(Problem("q", "B", checker=checker, payload=payload), text)
    assert time.process_time() - begin < 3.0  # the machine may be busy
