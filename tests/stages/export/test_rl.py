from __future__ import annotations

from typing import Any

import polars as pl

from distillery.records import Problem
from distillery.stages.export.rl import ExportRl, Unfit

SUM = Problem("What is 2 + 2?", "4", checker="math", source="gsm8k")


def export(*problems: Problem) -> Any:
    return ExportRl().apply(pl.DataFrame([problem.row() for problem in problems]), ctx=None)


def test_a_row_has_what_trl_reads():
    (row,) = export(SUM).kept.to_dicts()
    assert row["prompt"] == [{"role": "user", "content": "What is 2 + 2?"}]
    assert row["solution"] == "\\boxed{4}"
    assert row["answer"] == "4"


def test_trls_own_reward_takes_the_solution():
    from math_verify import parse, verify

    (row,) = export(Problem("?", "\\frac{1}{2}", checker="math")).kept.to_dicts()
    assert verify(parse(row["solution"], parsing_timeout=None), parse("$0.5$", parsing_timeout=None))


def test_a_row_has_what_verl_reads():
    (row,) = export(SUM).kept.to_dicts()
    assert row["data_source"] == "gsm8k"
    assert row["ability"] == "math"
    assert row["reward_model"] == {"style": "rule", "ground_truth": "4"}
    assert row["extra_info"] == {"split": "train", "index": int(SUM.problem_id[:12], 16)}


def test_the_columns_are_the_promised_ones():
    kept = export(SUM).kept
    assert {name: kept.schema[name] for name in ExportRl.writes} == ExportRl.writes


def test_a_gold_that_is_no_formula_is_left_as_it_is():
    assert export(Problem("Which?", "B", checker="choice")).kept["solution"].to_list() == ["B"]


def test_tests_of_a_program_are_enough_to_be_verified():
    program = Problem("Write f.", "", checker="program", payload='{"style": "stdio", "tests": []}')
    assert export(program).kept.height == 1


def test_what_gives_no_reward_goes_to_the_ledger():
    output = export(Problem(" ", "4"), Problem("Say hello.", ""), Problem("Poem?", "x", checker="taste"))
    assert output.kept.is_empty()
    assert output.dropped["reason"].to_list() == [
        Unfit.NO_QUESTION,
        Unfit.NOT_VERIFIABLE,
        Unfit.UNKNOWN_CHECKER,
    ]
    assert output.dropped["detail"].to_list() == ["", "", "taste"]
