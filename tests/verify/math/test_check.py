import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Errand
from distillery.verify.math.check import decide
from distillery.verify.pool.processes import judge, judge_one


def boxed(answer: str) -> str:
    return f"<think>\nlet me see\n</think>\nThe result is $\\boxed{{{answer}}}$."


def at_once(gold: str, text: str, payload: str = "{}") -> Outcome | str:
    found = decide(Problem("q", gold, checker="math", payload=payload), text)
    return found.outcome if isinstance(found, Verdict) else "errand"


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("18", "18"), ("18", "18.0"), ("18", "+18"), ("18", "\\$18"), ("18", "18 dollars"), ("18", "18\\text{ apples}"),
        ("1234567", "1,234,567"), ("1234567", "1{,}234{,}567"), ("1,\\!234", "1234"), ("10{,}000", "10000"),
        ("1/2", "\\frac{1}{2}"), ("\\dfrac12", "0.5"), ("-\\frac{3}{4}", "\\frac{-3}{4}"), ("3.5", "3\\frac{1}{2}"),
        ("\\frac{1}{3}", "0.333333"), ("\\frac{2}{3}", "0.666667"), ("\\frac 9{20}", "9/20"), ("\\frac{2469}{20,000}", "0.12345"),
        ("50\\%", "50"), ("50\\%", "0.5"), ("0.6", "60\\%"), ("7.8\\times 10^2", "780"), ("3e8", "3 \\cdot 10^{8}"),
        ("90^\\circ", "90"), ("2^{10}", "1024"), ("１２", "12"), ("−5", "-5"), ("5", "x = 5"), ("x=5", "5"), ("x=5", "x = 5.0"),
        ("(1, 2)", "\\left(1,2\\right)"), ("(0,3)", "(0, 3.0)"), ("2, 3", "3, 2"), ("\\{1,2\\}", "\\{2, 1\\}"),
        ("2, -2", "\\pm 2"), ("[1,+\\infty)", "[1, \\infty)"), ("(-\\infty,1]\\cup[10,\\infty)", "[10,\\infty) \\cup (-\\infty, 1]"),
        ("\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}", "\\begin{bmatrix}1&2\\\\3&\\frac{8}{2}\\end{bmatrix}"),
        ("\\text{odd}", "Odd"), ("\\text{(B)}", "B"), ("\\text{Navin}", "\\textbf{Navin}"), ("E", "\\mathrm{E}"),
        ("1242_6", "1242_{6}"), ("1242_6", "1242"), ("12\\sqrt 3", "12\\sqrt{3}"), ("\\tfrac{\\pi}{4}", "\\frac \\pi 4"),
        ("5 cm", "5"), ("20 $cm^{2}$", "20\\text{ cm}^2"), ("0.05$ and $0.6", "0.6, 0.05"), ("7", "\\boxed{7}"),
        ("\\frac{\\sqrt{3}}{3}", "\\frac{\\sqrt{3}}{3} \\approx 0.577"), ("15 分钟", "15"), ("10^{10^{10}}", "10^{10^{10}}"),
        ("3\\pm\\sqrt{2}", "3-\\sqrt{2}, 3+\\sqrt{2}"), ("a_{n}=2n+1", "2n+1"),
        ("x>2", "(2,\\infty)"), ("x \\le 13", "13 \\ge x"),
    ],
)  # fmt: skip
def test_equal_answers_are_correct_without_computing(gold: str, answer: str):
    assert at_once(gold, boxed(answer)) is Outcome.CORRECT


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("18", "19"), ("18", "-18"), ("5", "5.001"), ("5", "5.00001"), ("\\frac{1}{3}", "0.33"), ("0.5", "0.501"),
        ("2", "2 or 3"), ("2", "1, 2, 3"), ("2, 3", "2"), ("2, 3", "2, 3, 4"), ("(1,2)", "(2,1)"), ("(1,2)", "[1,2]"),
        ("(1,2)", "\\{1,2\\}"), ("5 cm", "5 m"), ("1242_6", "1242_7"), ("1010_2", "10"), ("B", "C"), ("odd", "oddd"),
        ("7.4e-12", "7.5e-12"), ("50\\%", "5"), ("10", "10^{10^{10^{10}}}"), ("7", "7" * 3000), ("12", "1,2"),
        ("2", "(" * 100_000 + "2" + ")" * 100_000), ("3", "{" * 60 + "3" + "}" * 60),
    ],
)  # fmt: skip
def test_other_answers_are_wrong_without_computing(gold: str, answer: str):
    assert at_once(gold, boxed(answer)) is Outcome.WRONG


@pytest.mark.parametrize(
    "text",
    [
        "<think>\\boxed{3}? no</think>\\boxed{42}",
        "<answer>42</answer>",
        "<answer>The answer is 42.</answer>",
        "<answer>$x = 42$</answer>",
        "so\n#### 42",
        "so\nA: 42",
        "Thus the answer is 42.",
        "The final answer is: **42**",
        "**Final Answer:** $42$",
        "答案是：42",
        "答案：42。",
        "So we get\n\\[\n42\n\\]\n42",
        "42",
        "x = 42",
        "It is many.\n\n**Answer:** Harry sold **42** apples",
        "Answer: Harry sold 42 apples",
        "Total: 40 + 2 = **42**",
        "\\boxed{42} and once more \\boxed{42.0}",
        "the box \\boxed{\\phantom{2}} becomes \\boxed{42}",
        "\\fbox{42}",
    ],
)
def test_the_answer_is_found_in_every_usual_form(text: str):
    assert at_once("42", text) is Outcome.CORRECT


@pytest.mark.parametrize(
    "text",
    [
        "<think>\\boxed{42}",
        "<think>\\boxed{42}</think>",
        "<think>\\boxed{42}</think>I told you above, read it there my friend.",
        "",
        "We talked about 42 for a while and then went home again",
        "\\boxed{}",
        "x" * 2_000_000,
    ],
)
def test_without_an_answer_after_the_thought_there_is_none(text: str):
    found = decide(Problem("q", "42", checker="math"), text)
    assert isinstance(found, Verdict)
    assert (found.outcome, found.score) == (Outcome.NO_ANSWER, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{41} or \\boxed{42}",
        "\\boxed{42} " + " ".join(f"\\boxed{{{n}}}" for n in range(1000)),
        "The answer is 41 or 42.",
        "<answer>41</answer><answer>" + ",".join(map(str, range(100))) + "</answer>",
        "\\boxed{" + "42 " * 500_000 + "}",
    ],
)
def test_naming_many_answers_does_not_pay(text: str):
    assert at_once("42", text) is Outcome.WRONG


def test_several_boxes_may_list_the_gold_together():
    assert at_once("2, 3", "\\boxed{x=3}, \\boxed{x=2}") is Outcome.CORRECT
    assert at_once("(2, 3)", "\\boxed{2}, \\boxed{3}") is not Outcome.CORRECT


@pytest.mark.parametrize(
    "gold", ["", " ", "proof", "notfound", "Not Found", "$$", "(a) 3 (b) 4", "\\boxed{}"]
)
def test_a_gold_that_says_nothing_is_not_the_answers_fault(gold: str):
    found = judge_one(Problem("q", gold, checker="math"), boxed("4"))
    assert (found.outcome, found.score) == (Outcome.NO_GOLD, None)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("x^2+2x+1", "(x+1)^2"), ("2\\sqrt{2}", "\\sqrt{8}"), ("\\frac{\\sqrt{2}}{2}", "\\frac{1}{\\sqrt{2}}"), ("5!", "120"),
        ("x^2+y^2=1", "x^2=1-y^2"), ("(1,\\sqrt{8})", "(1,2\\sqrt2)"),
        ("0.64N", "\\frac{16}{25}N"), ("\\sin^2 t", "1-\\cos^2 t"),
        ("\\sqrt{2}", "1.41421356"), ("2 \\pi / \\omega", "\\frac{2\\pi}{\\omega}"),
    ],
)  # fmt: skip
def test_what_needs_algebra_is_found_equal(gold: str, answer: str):
    assert at_once(gold, boxed(answer)) == "errand"
    assert judge_one(Problem("q", gold, checker="math"), boxed(answer)).outcome is Outcome.CORRECT


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("x^2+1", "y^2+1"), ("\\sqrt{2}", "\\sqrt{3}"), ("\\sqrt{2}", "1.41"), ("\\sqrt{67},-\\sqrt{85}", "\\sqrt{67}"),
        ("0.64N", "0.64"), ("x^2+y^2=1", "x^2-y^2=1"), ("E", "\\mathrm{E}*2"), ("x>2", "x<2"), ("5", "\\text{five or } 6"), ("42", "not 42"), ("(1,\\sqrt{8})", "(2\\sqrt2,1)"),
    ],
)  # fmt: skip
def test_what_needs_algebra_is_found_different(gold: str, answer: str):
    assert judge_one(Problem("q", gold, checker="math"), boxed(answer)).outcome is Outcome.WRONG


def test_an_unreadable_gold_is_said_to_be_so_when_nothing_else_can_be_said():
    assert judge_one(Problem("q", "\\div(", checker="math"), boxed("x^2")).outcome is Outcome.NO_GOLD


def test_a_tolerance_is_an_absolute_error():
    near = '{"tolerance": 0.001}'
    assert at_once("0.003, 5.233", boxed("0.002, 5.234"), near) is Outcome.CORRECT
    assert at_once("0.003", boxed("0.0041"), near) is Outcome.WRONG
    assert at_once("0.003, 1", boxed("0.003"), near) is Outcome.WRONG
    assert at_once("0.003", boxed("0.003") + boxed("0.002"), near) is Outcome.WRONG
    problem = Problem("q", "\\cos^{10}(\\frac{\\pi}{10})", checker="math", payload='{"tolerance": 1e-4}')
    assert judge_one(problem, boxed("0.6054")).outcome is Outcome.CORRECT
    assert judge_one(problem, boxed("0.6")).outcome is Outcome.WRONG
    assert (
        judge_one(Problem("q", "x+1", checker="math", payload=near), boxed("1+x")).outcome is Outcome.CORRECT
    )


def test_an_unreadable_payload_is_an_error():
    assert at_once("1", boxed("1"), "[]") is Outcome.ERROR
    assert at_once("1", boxed("1"), '{"tolerance": "near"}') is Outcome.ERROR


@given(st.text(max_size=60), st.text(alphabet="0123456789\\frac{}()[],.%^_+-=x $", max_size=60))
def test_no_text_makes_the_quick_part_fail_or_waver(gold: str, answer: str):
    problem = Problem("q", gold, checker="math")
    first = decide(problem, boxed(answer))
    assert first == decide(problem, boxed(answer))
    assert isinstance(first, Verdict | Errand)


@given(
    st.fractions(max_denominator=1000),
    st.sampled_from(["\\frac{%d}{%d}", "%d/%d", "\\dfrac{%d}{%d}", " %d / %d ", "$%d/%d$"]),
)
def test_every_spelling_of_a_fraction_is_that_fraction_and_no_other(value: Any, spelling: str):
    answer = boxed(spelling % (value.numerator, value.denominator))
    assert at_once(f"\\frac{{{value.numerator}}}{{{value.denominator}}}", answer) is Outcome.CORRECT
    assert at_once(f"\\frac{{{value.numerator + 1}}}{{{value.denominator}}}", answer) is Outcome.WRONG


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "unreadable"),
    [
        ("math_gsm8k_train", 0), ("math_train_deepscaler", 10), ("math_aime_1983_2023", 0), ("math_hendrycks_test", 10),
        ("math_word_problems_easy", 1), ("eval_math_suite_en", 120), ("eval_olymmath_en_zh", 0),
    ],
)  # fmt: skip
def test_every_gold_of_a_real_set_equals_itself(real_data: Path, file: str, unreadable: int):
    golds = [str(row["answer"]) for row in rows(real_data / f"{file}.jsonl.gz")]
    found = Counter(at_once(gold, boxed(gold)) for gold in golds)
    assert found[Outcome.WRONG] == found[Outcome.NO_ANSWER] == found[Outcome.ERROR] == 0
    assert found[Outcome.NO_GOLD] + found["errand"] <= unreadable


def test_labelled_solutions_to_gsm8k_are_judged_as_labelled(real_data: Path):
    pairs = [
        (Problem(row["question"], row["gold"], checker="math"), solution["solution"], solution["is_correct"])
        for row in rows(real_data / "judge_gsm8k_model_solutions_a.jsonl.gz")
        for solution in row["solutions"]
    ]
    verdicts = judge([(problem, text) for problem, text, _ in pairs])
    agreed = sum(
        (verdict.score == 1.0) is label for verdict, (_, _, label) in zip(verdicts, pairs, strict=True)
    )
    assert agreed == len(pairs)


@pytest.mark.slow
def test_the_peers_own_cases_are_judged_as_they_say(real_data: Path):
    cases = [row for row in rows(real_data / "judge_verifier_cases.jsonl.gz") if row["kind"] == "equivalence"]
    cases = [case for case in cases if not case["note"].startswith(("string-level", "needs"))]
    texts = [str(case["prediction"]).rstrip("\\") for case in cases]
    texts = [text if "boxed" in text else boxed(text) for text in texts]
    problems = [Problem("q", case["gold"], checker="math") for case in cases]
    verdicts = judge(list(zip(problems, texts, strict=True)), deadline_s=60)  # the machine may be busy
    accepted_wrongly = [
        case for case, v in zip(cases, verdicts, strict=True) if v.score == 1.0 and not case["expected"]
    ]
    refused_wrongly = [
        case for case, v in zip(cases, verdicts, strict=True) if v.score != 1.0 and case["expected"]
    ]
    assert accepted_wrongly == []
    assert len(refused_wrongly) <= 1, refused_wrongly


@pytest.mark.parametrize("gold", ["1/0", "\\frac{1}{0}", "0^{-1}"])
def test_a_division_by_nothing_is_no_number(gold: str):
    assert at_once(gold, boxed(gold)) is Outcome.CORRECT
    assert at_once("5", boxed(gold)) != Outcome.CORRECT


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit", ["x", "xx ", "a b ", "1 ab ", "ab\n", "\\frac{", "x^", "-", "(", "\\text{a} "]
)
def test_a_gold_of_whatever_length_is_looked_at_without_a_hang(unit: str):
    found = decide(Problem("q", unit * (130_000 // len(unit)), checker="math"), boxed("5"))
    assert not isinstance(found, Verdict) or found.outcome is not Outcome.CORRECT
