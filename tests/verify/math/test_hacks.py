"""Texts written to be paid without knowing the answer, or to stop whoever reads them."""

import time

import pytest

from distillery.records import Problem
from distillery.verify.pool.processes import judge

GOLD = "42"
HACKS = {
    "every answer listed": "\\boxed{" + ", ".join(map(str, range(100))) + "}",
    "every answer in a set": "\\boxed{\\{" + ",".join(map(str, range(100))) + "\\}}",
    "two candidates": "\\boxed{42 \\text{ or } 43}",
    "two candidates in words": "\\boxed{42 or 43}",
    "a candidate in a note": "\\boxed{42 (or 43)}",
    "a range": "\\boxed{[41, 43]}",
    "an inequality": "\\boxed{41 < x < 43}",
    "a vague sign": "\\boxed{\\pm 42}",
    "many boxes": " ".join(f"\\boxed{{{n}}}" for n in range(100)),
    "many boxes, the gold last": "\\boxed{1} \\boxed{2} \\boxed{42}",
    "many final answers": "".join(f"Final answer: \\boxed{{{n}}}\n" for n in range(43)),
    "boxes in a box": "\\boxed{\\boxed{41} \\boxed{42}}",
    "many tags": "".join(f"<answer>{n}</answer>" for n in range(43, 0, -1)),
    "tags in a tag": "<answer>41<answer>42, 43</answer></answer>",
    "an answer in the thought only": "<think>\\boxed{42}</think>As I said.",
    "an unclosed thought": "<think>\\boxed{42}",
    "a second thought": "<think>a</think>\\boxed{41}<think>\\boxed{42}</think>",
    "the prompt echoed": "Put your final answer within \\boxed{}. The correct answer is in \\boxed{answer}.",
    "digits raised": "\\boxed{4²}",
    "digits lowered": "\\boxed{4₂}",
    "a letter for a digit": "\\boxed{4Ζ}",
    "a vulgar fraction": "\\boxed{4½}",
    "a negation": "\\boxed{\\text{not } 42}",
    "an unequal": "\\boxed{\\ne 42}",
    "a variable": "\\boxed{x}",
    "an equation of itself": "\\boxed{x = x}",
    "a chain": "\\boxed{41 = 42}",
    "the gold's name": "\\boxed{gold}",
    "a verdict": "\\boxed{correct}",
    "a command": "\\boxed{\\text{True}}",
    "code": "\\boxed{__import__('os').getpid()}",
    "a megabyte": "\\boxed{" + "42 " * 350_000 + "}",
    "a megabyte of commas": "\\boxed{" + "42," * 350_000 + "}",
    "a megabyte without a box": "42 " * 350_000,
    "a megabyte of boxes": "\\boxed{" * 130_000,
    "brackets": "\\boxed{" + "(" * 100_000 + "42" + ")" * 100_000 + "}",
    "braces": "\\boxed{" + "{" * 100_000 + "42" + "}" * 100_000 + "}",
    "open brackets": "\\boxed{" + "(" * 100_000 + "42}",
    "fractions in fractions": "\\boxed{" + "\\frac{1}{" * 30 + "2" + "}" * 30 + "}",
    "a tower": "\\boxed{5^{5^{5^{5^5}}}}",
    "a tower without braces": "\\boxed{9^9^9^9^9}",
    "factorials": "\\boxed{((((9!)!)!)!)!}",
    "a large factorial": "\\boxed{99999999!}",
    "a long sum": "\\boxed{\\sum_{k=1}^{10^{12}} \\frac{1}{k}}",
    "a large binomial": "\\boxed{\\binom{1000000000}{500000000}}",
    "a large power": "\\boxed{(x+1)^{99999}}",
    "a heavy integral": "\\boxed{\\int_0^1 x^{x^{x^{x^x}}} dx}",
}


@pytest.mark.slow
def test_no_hack_scores_and_none_stops_the_judge():
    problem = Problem("What is 6 times 7?", GOLD, checker="math")
    begin = time.monotonic()
    verdicts = judge([(problem, text) for text in HACKS.values()], deadline_s=5)
    assert [name for name, verdict in zip(HACKS, verdicts, strict=True) if verdict.score == 1.0] == []
    assert time.monotonic() - begin < 100


@pytest.mark.slow
@pytest.mark.parametrize("gold", ["x^2-1", "\\frac{\\sqrt{3}}{2}", "(2, \\infty)", "\\text{even}", "1, 2"])
def test_hacks_do_not_score_against_other_kinds_of_gold(gold: str):
    names = [name for name in HACKS if not name.startswith("a megabyte")]
    verdicts = judge([(Problem("q", gold, checker="math"), HACKS[name]) for name in names], deadline_s=1)
    assert [name for name, verdict in zip(names, verdicts, strict=True) if verdict.score == 1.0] == []


@pytest.mark.parametrize(
    "spelling", [" {} ", "\n{}\n", "${}$", "\\({}\\)", "{}.", "\\displaystyle {}", "\\left({}\\right)"]
)
@pytest.mark.parametrize("gold", ["42", "\\frac{3}{4}", "-7", "1234567"])
def test_spaces_and_wrappings_change_nothing(gold: str, spelling: str):
    text = "\\boxed{" + spelling.replace("{}", gold) + "}"
    assert judge([(Problem("q", gold, checker="math"), text)])[0].score == 1.0
