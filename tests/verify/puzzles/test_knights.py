import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distillery.records import Outcome, Problem
from distillery.verify import get_checker
from distillery.verify.gold import gold_faults

check = get_checker("knights").check

GOLD = "(1) Alice is a knight\n(2) Bob is a knave\n(3) May is a knave"
STATEMENTS = "(('lying', 1), ('and', ('telling-truth', 2), ('lying', 2)), ('lying', 0))"


def knights(gold: str = GOLD, question: str = "q", **payload: Any) -> Problem:
    return Problem(question, gold, checker="knights", payload=json.dumps(payload))


@pytest.mark.parametrize(
    "answer",
    [
        GOLD,
        GOLD.replace("\n", " "),
        "So **May** is a knave, Bob is also a knave and Alice must be a knight.",
        "**Alice**: knight\n**Bob**: knave\n**May**: knave",
        "- Alice – Knight\n- BOB – Knave\n- May (knave)",
        "Alice is a knight; Bob and May are both knaves.",
        "Alice is a knight, while Bob and May are knaves.",
        "Knights: Alice. Knaves: Bob, May.",
        "Knights: Alice, Knaves: Bob and May",
        "The knight is Alice, the knaves are Bob and May",
        "### Knights:\n1. Alice\n\n### Knaves:\n1. Bob\n2. May",
        "| Person | Role |\n|---|---|\n| Alice | knight |\n| Bob | knave |\n| May | knave |",
        '{"Alice": "knight", "Bob": "knave", "May": "knave"}',
        '{"knights": ["Alice"], "knaves": ["Bob", "May"]}',
        "Alice's role is knight. Bob = knave. May → knave",
        "Alice, Bob and May are a knight, a knave and a knave respectively.",
        "Alice is not a knave. Bob isn't a knight, and May is not a knight but a knave.",
        "Let us see. <answer>\nAlice is a knight, Bob is a knave, May is a knave</answer>",
        r"\boxed{\text{Alice: knight}, \text{Bob: knave}, \text{May: knave}}",
        r"Alice is a \boxed{knight}, Bob is a \boxed{knave} and May is a \boxed{knave}",
        "If Bob is a knight, May is a knight. Bob says Alice is a knave. Assume Alice is a knave.\n" + GOLD,
        "Case 1: Alice is a knave. That fails.\n**Final answer**\n" + GOLD,
        "Alice is a knight (she claims Bob is a knave), Bob is a knave, May is a knave.\n" + GOLD,
    ],
)
def test_everyones_role_may_be_given_in_any_form(answer: str):
    verdict = check(knights(), f"<think>Bob is a knight?</think>{answer}")
    assert verdict.outcome is Outcome.CORRECT, verdict
    named = {part.partition(": ")[0] for part in (verdict.extracted or "").split(", ")}
    assert named == {"Alice", "Bob", "May"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (GOLD.replace("Bob is a knave", "Bob is a knight"), ""),
        ("Alice is a knight. Bob is a knave.", "no role for May"),
        ("Alice is a knight, Bob and May are knights or knaves", "both roles for Bob, May"),
        ("Alice: knight/knave\nBob: knight/knave\nMay: knight/knave", "both roles for Alice, Bob, May"),
        ("Alice: knight, knave. Bob: knight, knave. May: knight, knave", "both roles"),
        ("Knights: Alice, Bob, May\nKnaves: Alice, Bob, May", "both roles for Alice, Bob, May"),
        ("Knights and knaves: Alice, Bob, May", "both roles"),
        (GOLD + "\nAlice is a knave", "both roles for Alice"),
        (
            "Answer: all\n" + GOLD + "\nAnswer: all\n" + GOLD.replace("knight", "knave"),
            "both roles for Alice",
        ),
        (
            f"<answer>{GOLD}</answer><answer>{GOLD.replace('knave', 'knight')}</answer>",
            "both roles for Bob, May",
        ),
        (r"\boxed{Alice: knight, Bob: knave, May: knave} \boxed{Alice: knave}", "both roles for Alice"),
        ("Alice is a knight, Bob is a knave, May is maybe a knave", "no role for May"),
        ("Alice is a knight, Bob is a knave, May is either a knight or a knave", "no role for May"),
        ("Alice and Bob are a knight or a knave, May is a knave", "both roles for Alice, Bob"),
    ],
)
def test_a_wrong_half_or_double_answer_is_wrong(answer: str, why: str):
    verdict = check(knights(), answer)
    assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.0), verdict
    assert why in verdict.detail


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{GOLD}</think>That is it.",
        f"<think>{GOLD}</think>",
        f"<think>{GOLD}",
        "(1) knight (2) knave (3) knave",
        f"{GOLD} <answer>as above</answer>",
    ],
)
def test_roles_that_are_only_thought_or_belong_to_nobody_are_no_answer(text: str):
    assert check(knights(), text).outcome is Outcome.NO_ANSWER


def test_the_solution_may_stand_in_the_payload():
    solved = knights("", names=["Alice", "Bob"], solution=[True, False])
    assert check(solved, "Bob is a knave and Alice is a knight").outcome is Outcome.CORRECT
    assert check(solved, "Bob is a knight and Alice is a knight").outcome is Outcome.WRONG


@pytest.mark.parametrize(
    ("truth", "lie"),
    [
        ("saint", "sinner"),
        ("hero", "villain"),
        ("angel", "devil"),
        ("altruist", "egoist"),
        ("sage", "fool"),
        ("pioneer", "laggard"),
    ],
)
def test_the_other_names_of_the_roles_are_those_of_the_gold_or_the_question(truth: str, lie: str):
    gold = f"(1) Ann is a {truth}\n(2) Bo is a {lie}"
    heroes = f"{truth}{'es' if truth.endswith('o') else 's'}"
    assert check(knights(gold.replace("a a", "an a")), gold).outcome is Outcome.CORRECT
    assert check(knights(gold), f"{heroes}: Ann; {lie}s: Bo").outcome is Outcome.CORRECT
    assert check(knights(gold), f"{heroes}: Bo; {lie}s: Ann").outcome is Outcome.WRONG
    assert check(knights(gold), "Ann is a knight, Bo is a knave").outcome is Outcome.NO_ANSWER
    asked = knights("", f"Everyone is a {truth} or a {lie}.", names=["Ann", "Bo"], solution=[True, False])
    assert check(asked, gold).outcome is Outcome.CORRECT


def test_the_roles_may_have_any_name():
    swapped = knights("", names=["Ann"], solution=[True], roles=["Knave", "knight"])
    assert check(swapped, "Ann is a knave").outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (knights(""), "does not give everyone one of the roles"),
        (knights("Alice"), "does not give everyone"),
        (knights("Alice is a knight, Alice is a knave"), "does not give everyone"),
        (knights("1. it's Alice who is a knight, 2. is a knave"), "does not give everyone"),
        (knights(names=["Alice"], solution=[1]), "true or false"),
        (knights(names=["Alice", "Alice"], solution=[True, True]), "different names"),
        (knights(names="Alice", solution=[True]), "different names"),
        (knights(names=["Alice", "Bob", "May"], solution=[True] * 3), "not what the payload's solution says"),
        (knights(roles=["knight"]), "roles is ['knight']"),
        (knights(statements="(('lying', 1), ('lying', 2), ('lying', 1))"), "no solution of the statements"),
        (knights(statements=[["lying", 1], ["lying", 0], ["lying", 1]]), "no solution"),
        (
            knights("A is a knight, B is a knave", statements="(('lying', 1), ('lying', 0))"),
            "have 2 solutions",
        ),
        (knights(statements="(('lying', 1),)"), "one for each of 3 people"),
        (knights(statements="(('lying', 9), ('lying', 2), ('lying', 1))"), "('lying', 9) is no statement"),
        (knights(statements="__import__('os')"), "cannot be read"),
        (knights(statements="(" * 5000), "cannot be read"),
        (knights(statements=3), "one for each"),
        (
            knights("", names=[f"P{n}" for n in range(17)], solution=[True] * 17, statements="()"),
            "at most 16",
        ),
    ],
)
def test_a_gold_that_cannot_be_held_to_is_told_before_any_answer(problem: Problem, said: str):
    fault = gold_faults([problem], deadline_s=1, workers=1)[0]
    assert fault is not None
    assert said in fault.detail
    verdict = check(problem, GOLD)
    assert (verdict.outcome, verdict.score) == (Outcome.NO_GOLD, None)


def test_a_gold_that_solves_the_statements_stands():
    solved = knights(
        "A is a knight, B is a knave",
        statements="(('lying', 1), ('and', ('lying', 1), ('->', ('telling-truth', 0), ('lying', 0))))",
    )
    assert gold_faults([solved, knights(statements=STATEMENTS)], deadline_s=1, workers=1) == [None, None]
    logic = "(('and', ('lying', 1), ('or', ('lying', 0), ('lying', 1))), ('<=>', ('lying', 0), ('lying', 1)))"
    both = knights("A is a knight, B is a knave", statements=logic)
    assert check(both, "A is a knight, B is a knave").outcome is Outcome.CORRECT


def test_a_payload_that_is_no_object_is_an_error():
    broken = Problem("q", GOLD, checker="knights", payload="[1]")
    assert check(broken, GOLD).outcome is Outcome.ERROR


@pytest.mark.parametrize("sign", ["Alice, ", "Alice is ", "a knight, ", "knaves: ", "n't ", "\ue0000\ue001 "])
def test_a_long_text_of_one_phrase_is_read_in_time(sign: str):
    assert check(knights(), GOLD + "\n" + sign * 20_000).score is not None


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    for part in ("train", "test"):
        with gzip.open(folder / f"logic_knights_knaves_{part}.jsonl.gz", "rt") as lines:
            yield from map(json.loads, lines)


@pytest.mark.slow
def test_the_data_sets_golds_hold_and_each_with_one_role_changed_is_wrong(real_data: Path):
    count = 0
    for row in rows(real_data):
        given = {key: row[key] for key in ("names", "solution", "statements")}
        problem = knights(row["answer"], row["question"], **given)
        thought = "\n".join(row["cot"] if count % 10 == 0 else row["cot"][:1])
        for text in (
            row["answer"],
            f"<think>\n{thought}\n</think>\n{row['answer']}",
            f"{thought}\n{row['answer']}",
        ):
            assert check(problem, text).outcome is Outcome.CORRECT, text
        place = count % len(row["names"])
        lines = row["answer"].split("\n")
        role, other = ("knight", "knave") if row["solution"][place] else ("knave", "knight")
        lines[place] = row["answer"].split("\n")[place].replace(f"is a {role}", f"is a {other}")
        assert check(problem, "\n".join(lines)).outcome is Outcome.WRONG
        count += 1
    assert count == 2000
