from __future__ import annotations

from typing import Any

from distillery.pipeline.lineage import UNKNOWN, Role, Standing
from distillery.report import read_metrics, seeds_markdown, summary_markdown, summary_text
from distillery.report.results import Cell, judge_rows, model_rows
from distillery.report.view import Metric


def metric(
    model: str,
    value: float,
    *,
    name: str = "pass@1",
    bench: str = "sums",
    stderr: float | None = 0.02,
    standing: Standing = UNKNOWN,
) -> Metric:
    return Metric(model, bench, name, value, stderr, 150, 600, standing)


def test_checkpoints_stand_first_then_each_student_behind_its_twins_then_models_from_elsewhere():
    models = {
        "gpt": Standing(Role.OTHER, "gpt", 0),
        "b": Standing(Role.STUDENT, "B", 9),
        "last": Standing(Role.CHECKPOINT, "base", 3),
        "a": Standing(Role.STUDENT, "A", 6),
        "a alone": Standing(Role.TWIN, "A", 7),
        "first": Standing(Role.CHECKPOINT, "base", 1),
        "a's base": Standing(Role.TWIN, "A", 5),
    }
    rows = model_rows([[metric(name, 0.5, standing=standing) for name, standing in models.items()]])
    assert [row.model for row in rows] == ["first", "last", "b", "a's base", "a alone", "a", "gpt"]


def test_one_run_keeps_its_own_error():
    (row,) = model_rows([[metric("base", 0.1)]])
    assert row.get("pass@1") == Cell(0.1, 0.02)


def test_several_runs_are_averaged_with_the_error_over_runs():
    (row,) = model_rows([[metric("base", value)] for value in (0.1, 0.2, 0.3)])
    cell = row.get("pass@1")
    assert cell is not None
    assert round(cell.value, 6) == 0.2
    assert round(cell.stderr or 0, 6) == 0.057735


def test_the_judge_has_a_table_of_its_own():
    metrics = [metric("base", 0.1), metric("judge", 0.9, name="kappa", bench="judge", stderr=None)]
    assert [row.model for row in model_rows([metrics])] == ["base"]
    assert judge_rows([metrics]) == {"judge": {"kappa": Cell(0.9, None)}}


def test_the_end_table_is_plain_text_in_columns(run: Any):
    run.step(
        "score",
        "score.passk",
        metrics=[*run.scores("base", "sums", 0.1), *run.scores("zero", "sums", 0.78, 0.0)],
    )
    lines = summary_text(run.write().folder).splitlines()
    assert lines == [
        "model        pass@1  format  wanted language  mean length",
        "base   10.0 ± 2.4 %     98%              93%           27",
        "zero   78.0 ± 3.4 %     98%               0%           27",
    ]


def test_the_bench_is_a_column_where_there_are_several(run: Any):
    run.step(
        "score", "score.passk", metrics=[*run.scores("base", "sums", 0.1), *run.scores("base", "talk", 0.5)]
    )
    head, first, second = summary_text(run.write().folder).splitlines()
    assert head.split()[:2] == ["model", "bench"]
    assert (first.split()[1], second.split()[1]) == ("sums", "talk")


def test_the_table_as_markdown_can_be_pasted(run: Any):
    run.step("score", "score.passk", metrics=run.scores("cold_start", "sums", 0.36))
    assert summary_markdown(read_metrics(run.write().folder)).splitlines() == [
        "| model | pass@1 | format | wanted language | mean length |",
        "| --- | --- | --- | --- | --- |",
        r"| cold\_start | 36.0 ± 3.9 % | 98% | 93% | 27 |",
    ]


def test_what_was_not_measured_is_left_empty(run: Any):
    run.step("score", "score.passk", metrics=run.scores("base", "sums", 0.1)[:1])
    assert summary_text(run.write().folder).splitlines()[1] == "base   10.0 ± 2.4 %"


def test_a_run_without_scores_has_no_table(run: Any):
    run.step("web", "ingest.file", rows=[{"text": "x"}])
    assert summary_text(run.write().folder) == ""


def test_seeds_stand_side_by_side():
    one = [metric("zero", 0.78), metric("zero", 0.0, name="language")]
    assert seeds_markdown(["1", "2"], [one, [metric("base", 0.1, stderr=None)]]).splitlines()[2:] == [
        "| zero | sums | 78.0 ± 2.0 %, 0% |  |",
        "| base | sums |  | 10.0 % |",
    ]
