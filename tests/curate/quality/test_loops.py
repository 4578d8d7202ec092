"""Loops planted in real traces are found; what repeats because it has to is left alone."""

from __future__ import annotations

import gzip
import json
import re
from random import Random

import pytest

from distillery.curate.quality.loops import find_loop
from distillery.reasoning import join

NAMES = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Grace",
    "Henry",
    "Iris",
    "Jack",
    "Kate",
    "Liam",
    "Mia",
    "Noah",
    "Olga",
    "Paul",
    "Quinn",
    "Rosa",
    "Sam",
    "Tina",
]


def lines(*pieces: str) -> str:
    return "\n".join(pieces)


LEGITIMATE = {
    "numbers counted up": ", ".join(map(str, range(1, 400))),
    "odd numbers with words": lines(*(f"{n} is odd, so it stays." for n in range(1, 200, 2))),
    "cases counted": lines(
        *(f"Case {n}: x = {n}, so y = {n * n} and the sum is {n + n * n}." for n in range(200))
    ),
    "steps counted": lines(*(f"Step {n}: add 3, giving {3 * n}." for n in range(80))),
    "multiplication table": lines(*(f"{a} x {b} = {a * b}" for a in range(1, 11) for b in range(1, 11))),
    "multiplication grid": lines(
        *("| " + " | ".join(str(a * b) for b in range(1, 13)) + " |" for a in range(1, 13))
    ),
    "long division of 1 by 7": lines(
        *(f"{10 * r} ÷ 7 = {10 * r // 7}, remainder {10 * r % 7}." for r in [1, 3, 2, 6, 4, 5] * 2)
    ),
    "long division of 1 by 3": "10 ÷ 3 = 3, remainder 1. " * 8 + "The digits repeat.",
    "periodic decimal": "1/7 = 0." + "142857" * 60,
    "decimal with spaces": "0." + " 142 857" * 60,
    "zero matrix": r"\begin{pmatrix}" + r"0 & 0 & 0 & 0 & 0 & 0 & 0 & 0 \\ " * 8 + r"\end{pmatrix}",
    "identity matrix": r" \\ ".join(" & ".join(str(int(a == b)) for b in range(12)) for a in range(12)),
    "grid of one colour": str([[0] * 10] * 10),
    "emoji grid": lines(*["❌" * 20] * 15),
    "truth table": lines(
        *("| " + " | ".join("T" if n >> bit & 1 else "F" for bit in range(6)) + " |" for n in range(64))
    ),
    "markdown table of equal cells": lines(
        "| name | paid | sent |", "|---|---|---|", *(f"| {name} | yes | yes |" for name in NAMES)
    ),
    "rule of dashes": "-" * 120,
    "table rules": lines(*["+----------+----------+----------+"] * 3),
    "table of contents": lines(*(f"{n}. Chapter {n} {'.' * 60} {n * 12}" for n in range(1, 12))),
    "coin tosses": ", ".join(Random(5).choices(["heads", "tails"], k=200)),
    "pattern continued": ", ".join(["red", "blue", "green", "yellow"] * 10),
    "days of three weeks": ", ".join(
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] * 5
    ),
    "jugs": json.dumps(["fill A", "pour A->B", "empty B", "pour A->B"] * 5),
    "hanoi moves": lines(
        *(f"Move disk {d} from {a} to {b}." for d, a, b in [(1, "A", "C"), (2, "A", "B"), (1, "C", "B")] * 3)
    ),
    "sum of equal terms": " + ".join(["25"] * 40) + " = 1000",
    "product of equal terms": r" \times ".join([r"\frac{5}{3}"] * 8),
    "nested fractions": r"1 + \cfrac{1}{" * 12 + "x" + "}" * 12,
    "bottles": lines(
        *(
            f"{n} bottles of beer on the wall, {n} bottles of beer. Take one down and pass it around, {n - 1} left."
            for n in range(30, 1, -1)
        )
    ),
    "row your boat": "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream.\n"
    * 3,
    "happy birthday": "Happy birthday to you!\nHappy birthday to you!\nHappy birthday, dear Mia!\nHappy birthday to you!\n"
    * 2,
    "refrain after every verse": lines(
        *(
            f"Verse {n}: {name} went down to the {place} one day.\nOh my, oh my, the wind blows high,\nand the boat goes by."
            for n, (name, place) in enumerate(
                zip(NAMES, ["sea", "hill", "lake", "farm", "moor", "town", "inn", "wood"] * 3, strict=False)
            )
        )
    ),
    "nursery rhyme": "The wheels on the bus go round and round, round and round, round and round. " * 3,
    "laughing": "Ha ha ha ha ha ha ha ha! " * 4,
    "chant": "We will, we will rock you! " * 8,
    "equal lines of code": "```python\n" + 'print("hello world")\n' * 30 + "```",
    "unrolled loop": "```c\n" + "sum += *p++;\n" * 40 + "```",
    "assembly": "```asm\n" + "    add rax, rbx\n    add rbx, rcx\n" * 16 + "```",
    "test cases": "```python\n" + "\n".join(f"assert square({n}) == {n * n}" for n in range(40)) + "\n```",
    "data rows": lines(*(f"2024-01-{n:02},open,12.5,12.5,12.5,12.5" for n in range(1, 32))),
    "equal csv rows": "0,0,0,0,0,1\n" * 25,
    "binary": "0101 " * 60,
    "bits of a register": " ".join(f"{n:08b}" for n in range(64)),
    "dna": " ".join(["CAG"] * 60),
    "drill": lines(*(f"{name} is here. Is {name} here? Yes, {name} is here." for name in NAMES)),
    "conjugation": "yo hablo, tú hablas, él habla, nosotros hablamos, vosotros habláis, ellos hablan; " * 3,
    "verifying": lines(*(f"n = {n}: 2n = {2 * n}, which is even. Good." for n in range(1, 60))),
    "hesitation": "Wait, no. " * 6 + "Let me start again.",
    "fold": "Fold the paper in half. " * 7,
    "Chinese list": "；".join(f"第{n}天走了{n * 3}公里" for n in range(1, 60)),
    "Chinese verse": "小星星，亮晶晶，满天都是小星星。" * 4,
    "Chinese table": lines(*(f"{a}乘{b}等于{a * b}" for a in range(1, 10) for b in range(1, 10))),
}


@pytest.mark.parametrize("name", LEGITIMATE)
def test_what_repeats_because_it_has_to_is_no_loop(name: str):
    text = LEGITIMATE[name]
    assert find_loop(text) is None
    assert find_loop(f"Let me write it down.\n\n{text}\n\nThat is all of it.") is None


def test_there_are_enough_of_them():
    assert len(LEGITIMATE) >= 30


@pytest.mark.parametrize("first", range(1, 9))
def test_loops_of_every_period_planted_in_real_traces_are_found(first: int, traces: list[str]):
    missed = [
        period for period in range(first, 401, 8) if not _found(Random(period), traces, period, blanks=[" "])
    ]
    assert missed == []


@pytest.mark.parametrize("first", range(1, 9))
def test_other_white_space_between_the_rounds_hides_no_loop(first: int, traces: list[str]):
    blanks = [" ", "  ", "\n", "\n\n", "\t", " \n", "\u00a0", "\u3000"]
    missed = [
        period for period in range(first, 401, 8) if not _found(Random(period), traces, period, blanks=blanks)
    ]
    assert missed == []


def _found(random: Random, traces: list[str], period: int, *, blanks: list[str]) -> bool:
    into, source = random.sample(traces, 2)
    tokens = re.findall(r"\w+|[^\w\s]", source)
    once = _stretch(random, tokens, period)
    rounds = max(6, -(-180 // period)) if period < 40 else max(3, -(-180 // period))
    looped = "".join(random.choice(blanks) + token for _ in range(rounds) for token in once)
    place = into.find(" ", random.randrange(len(into) * 9 // 10))
    return find_loop(into[:place] + looped + "\n" + into[place:]) is not None


def _stretch(random: Random, tokens: list[str], period: int) -> list[str]:
    """Of `period` tokens, with a word among them."""
    while True:
        start = random.randrange(max(1, len(tokens) - period))
        once = tokens[start : start + period]
        if any(token.isalpha() and len(token) > 1 for token in once) and "`" not in once:
            return once


@pytest.fixture(scope="module")
def traces(real_data) -> list[str]:
    with gzip.open(real_data / "traces_math500_a.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    texts = [join(row["reasoning"], row["answer"]) for row in rows]
    return [text for text in texts if 6000 < len(text) < 30000 and "```" not in text]


@pytest.mark.slow
def test_of_real_traces_only_those_that_ran_away_are_flagged(real_data):
    flagged = set()
    for name in ("gsm8k_test_a", "math500_a", "misguided_attention", "unanswerable", "star1_safety"):
        with gzip.open(real_data / f"traces_{name}.jsonl.gz", "rt") as file:
            rows = [json.loads(line) for line in file]
        flagged |= {row["id"] for row in rows if find_loop(join(row["reasoning"], row["answer"] or ""))}
    assert flagged == {  # each of 850 tokens and more; of 3,850 traces
        "ma-QwQ-32b-knights_knaves_easy-1",
        "ma-glm32b-bridge_torch_easy-0",
        "ma-q3_30ba3-think-rope_burning_impossible-1",
        "ma-nm49b-rope_burning_easy-0",
    }
