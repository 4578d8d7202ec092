"""How often real answers are read in each ending: choices of MMLU, MMLU-Pro and C-Eval with their texts, values
of GSM8K and MATH in prose; beside them another letter or value, and what is negated or hedged."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from distillery.records import Problem
from distillery.verify.pool.processes import judge

ENDINGS = yaml.safe_load(
    (Path(__file__).parents[1] / "verify/answer/endings.yaml").read_text(encoding="utf-8")
)
SETS = {"eval_mmlu_test": "en", "eval_mmlu_pro_test": "en", "eval_ceval_cmmlu": "zh"}
A_KIND = 8  # rows of a set for each ending
LETTERS = "ABCDEFGHIJ"


def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def choice_rows(row: dict[str, Any], ending: str) -> tuple[Problem, str]:
    choices, place = row["choices"], LETTERS.index(row["answer"])
    other = (place + 1) % len(choices)
    said = {"@": LETTERS[place], "§": LETTERS[other], "~": choices[place], "¤": choices[other]}
    text = re.sub("[@§~¤]", lambda sign: said[sign[0]], ending)
    problem = Problem(
        row["question"], row["answer"], checker="choice", payload=json.dumps({"choices": choices})
    )
    return problem, f"<think>t</think>We compare them.\n\n{text}"


def rate(name: str, rows: list[tuple[str, Problem, str]], *, right: bool) -> float:
    verdicts = judge([(problem, text) for _, problem, text in rows])
    accepted = [verdict.score == 1.0 for verdict in verdicts]
    missed = Counter(row[0] for row, found in zip(rows, accepted, strict=True) if found is not right)
    print(
        f"\n{name}: accepted {sum(accepted):,} of {len(rows):,}; otherwise than a person: {missed.most_common(6)}"
    )
    return sum(accepted) / len(rows)


@pytest.mark.parametrize("name", SETS)
def test_letters_of_real_questions(real_data: Path, name: str):
    dice, language = random.Random(3), SETS[name]
    questions = [row for row in rows_of(real_data, name) if len(set(row["choices"])) == len(row["choices"])]
    for kind in ("right", "right_with_text", "wrong", "wrong_with_text"):
        rows = [
            (ending, *choice_rows(row, ending))
            for ending in ENDINGS["choice"][kind][language]
            + ENDINGS["choice"]["held_out"].get(kind, {}).get(language, [])
            for row in dice.choices(questions, k=A_KIND)
        ]
        right = "wrong" not in kind
        found = rate(f"{name}, {kind}", rows, right=right)
        assert found >= 0.99 if right else found <= 0.002


@pytest.mark.parametrize("language", ["en", "zh"])
def test_values_of_real_problems(real_data: Path, language: str):
    dice = random.Random(5)
    golds = [str(row["answer"]) for row in rows_of(real_data, "math_gsm8k_train")]
    golds = [gold for gold in golds if gold.replace(",", "").isdigit() and int(gold.replace(",", "")) > 2]
    for kind in ("right", "wrong"):
        endings = ENDINGS["math"][kind][language] + ENDINGS["math"]["held_out"][kind][language]
        rows = [
            (ending, Problem("q", gold, checker="math"),
             "<think>t</think>We compute.\n\n" + ending.replace("@", gold).replace("§", other))
            for ending in endings
            for gold in dice.choices(golds, k=A_KIND)
            for other in [str(int(gold.replace(",", "")) + 3)]
        ]  # fmt: skip
        found = rate(f"values, {language}, {kind}", rows, right=kind == "right")
        assert found >= 0.98 if kind == "right" else found <= 0.002
        if kind == "right":
            twins = [(ending, Problem("q", str(int(problem.gold.replace(",", "")) + 1), checker="math"), text)
                     for ending, problem, text in rows]  # fmt: skip
            assert rate(f"values, {language}, another gold", twins, right=False) <= 0.002
