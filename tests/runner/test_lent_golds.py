"""What a union lends to rows without a gold, and what it does not."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from distillery import shards
from distillery.pipeline import load_plan
from distillery.records import PROBLEM, Problem
from distillery.report import load_run, render_report
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from distillery.runner.lent_golds import lent_golds
from tests.inline import Inline

TESTS = '{"tests": [{"input": "1", "output": "2"}]}'
TALK = '{"system": "Be brief."}'
BARE = Problem("Sum?", "", checker="layout")


def files(folder: Path, *tables: list[Problem], outcome: str | None = None) -> list[Path]:
    made = []
    for number, problems in enumerate(tables):
        table = pl.DataFrame([problem.row() for problem in problems], schema=PROBLEM)
        if outcome is not None:
            table = table.with_columns(outcome=pl.lit(outcome))
        shards.write(folder / f"{number}.parquet", table)
        made.append(folder / f"{number}.parquet")
    return made


@pytest.mark.parametrize(
    ("lender", "lacks"),
    [
        (Problem("Sum?", "4", checker="math"), BARE),
        (Problem(" Sum?\n", "4", checker="math", payload='{"tolerance": 0.1}'), BARE),
        (Problem("Sum?", "", checker="program", payload=TESTS), BARE),
        (Problem("Sum?", "4", checker="math", payload=TALK), Problem("Sum?", " \n", payload=TALK)),
        (Problem("Sum?", "4"), Problem("Sum?", "", checker="layout", payload='{"answer_tag": true}')),
        (Problem("甲" * 1000, "乙"), Problem("甲" * 1000, "")),
    ],
)
def test_a_row_without_a_gold_takes_that_of_its_problem_with_checker_and_payload(tmp_path, lender, lacks):
    other = Problem("Product?", "6")
    for tables in permutations([[other, lender], [lacks, other], [lacks]]):
        found = lent_golds(files(tmp_path, *tables))
        assert found.contradicting.is_empty()
        wanted = [
            (shard, row, lender.gold, lender.checker, lender.payload)
            for shard, problems in enumerate(tables)
            for row, problem in enumerate(problems)
            if problem is lacks
        ]
        assert found.rows.rows() == wanted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Problem("Sum?", "4"), Problem("Product?", "", checker="layout")),
        (Problem("Sum?", "4"), Problem("Sum?", "", payload=TALK)),
        (Problem("Sum?", "4"), Problem("Sum?", "", checker="program", payload=TESTS)),
        (Problem("Sum?", "4"), Problem("Sum?", "5")),
        (Problem("Sum?", "", checker="layout", payload='{"answer_tag": true}'), Problem("Sum?", "")),
        (Problem("Sum?", " "), Problem("Sum?", "")),
        (Problem("Sum?", "4"), Problem("Sum?", "4", checker="math")),
    ],
)
def test_nothing_is_lent_to_another_problem_or_to_who_has_a_gold_or_by_who_has_none(tmp_path, one, other):
    for tables in permutations([[one], [other]]):
        found = lent_golds(files(tmp_path, *tables))
        assert (found.rows.height, found.contradicting.height) == (0, 0)


def test_a_row_that_is_judged_keeps_what_it_was_judged_by(tmp_path):
    tables = [[Problem("Sum?", "4")], [BARE]]
    assert lent_golds(files(tmp_path, *tables, outcome="no_gold")).rows.is_empty()
    assert lent_golds(files(tmp_path, *tables)).rows.height == 1


@pytest.mark.parametrize(
    ("golds", "checker", "same"),
    [
        (("4", "5"), "math", False),
        (("1/2", r"\frac{1}{2}"), "math", True),
        (("0.5", "1/2"), "math", True),
        (("4", " 4 "), "exact", True),
        (("yes", "no"), "exact", False),
        (("4", "4", "5"), "math", False),
    ],
)
def test_golds_that_contradict_are_not_lent_and_are_said(tmp_path, golds, checker, same):
    tables = [[Problem("Sum?", gold, checker=checker)] for gold in golds]
    found = lent_golds(files(tmp_path, *tables, [BARE, Problem("Product?", "")], [Problem("Product?", "6")]))
    assert found.rows["gold"].to_list() == ([golds[0], "6"] if same else ["6"])
    said = found.contradicting.select("shard", "row", "one", "other").rows()
    assert said == ([] if same else [(len(golds), 0, golds[0].strip(), golds[-1].strip())])


def test_two_programs_tests_contradict_where_they_are_all_there_is(tmp_path):
    tests = [Problem("Write f.", "", checker="program", payload=json.dumps({"tests": [n]})) for n in (1, 2)]
    lacks = Problem("Write f.", "")
    assert lent_golds(files(tmp_path, tests, [lacks])).contradicting.height == 1
    assert lent_golds(files(tmp_path, tests[:1] * 2, [lacks])).rows["payload"].to_list() == [tests[0].payload]


LINE = """
stages:
  - {id: golds, use: ingest.file, with: {path: golds.jsonl, keep: [trace_id], constants: {checker: math}}}
  - id: traces
    use: ingest.file
    with: {path: traces.jsonl, keep: [trace_id, text], constants: {checker: layout}, shard_rows: 2}
  - {id: checked, use: verify.answers, from: [traces, golds]}
"""


@pytest.mark.parametrize("heavy", [0, 1 << 40])
def test_traces_are_judged_by_the_golds_of_another_input_and_the_run_says_how_many(
    tmp_path, monkeypatch, heavy
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("distillery.runner.rows.HEAVY", heavy)
    golds = [("1+1?", "2"), ("1+2?", "3"), ("1+3?", "4"), ("1+3?", "5")]
    traces = [("1+1?", "2"), ("1+1?", "3"), ("1+2?", "3"), ("1+3?", "4"), ("1+4?", "5")]
    rows = [{"question": q, "gold": gold, "trace_id": f"g{n}"} for n, (q, gold) in enumerate(golds)]
    (tmp_path / "golds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    think = "<think>\nI add them up.\n</think>\n"
    rows = [{"question": q, "trace_id": f"t{n}", "text": think + a} for n, (q, a) in enumerate(traces)]
    (tmp_path / "traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "line.yaml").write_text(LINE)
    plan, store = load_plan("line.yaml"), tmp_path / "store"
    record = open_run(plan, tmp_path / "runs")
    run(plan, store=store, record=record, executor=Inline(), watcher=Watcher())
    table = pl.concat(shards.read(file) for file in folder_of(plan.step("checked"), store).shards())
    assert table.filter(pl.col("trace_id").str.starts_with("t")).select(
        "trace_id", "gold", "checker", "outcome"
    ).rows() == [
        ("t0", "2", "math", "correct"),
        ("t1", "2", "math", "wrong"),
        ("t2", "3", "math", "correct"),
        ("t3", "", "layout", "correct"),
        ("t4", "", "layout", "correct"),
    ]
    note = folder_of(plan.step("checked.inputs"), store).done()
    assert note.counts == {"lent_gold": 3}
    assert note.remarks == ["gold: 3 of 9 rows had none and took that of another row of their problem"]
    (alarm,) = note.facts["alarms"]
    assert alarm.startswith(
        "golds of 1 problem contradict one another, and 1 row without a gold got none: problem_id"
    )
    assert "has '4' and '5'; leave one of them out" in alarm
    report = render_report(load_run(record.path, store))
    assert "3 of 9 rows had none" in report
    assert "golds of 1 problem contradict" in report
