from __future__ import annotations

from typing import Any

import pytest

from distillery.errors import ConfigError, StoreError
from distillery.report.view import load_run


def load(run: Any) -> Any:
    run.write()
    return load_run(run.folder, run.store)


def test_a_run_is_read_with_its_steps_and_numbers(whole_run: Any):
    view = load_run(whole_run.folder, whole_run.store)
    assert (view.pipeline, view.number, view.status, view.seed) == ("quickstart", 3, "done", 0)
    selected = next(step for step in view.steps if step.id == "selected")
    assert (selected.rows_in, selected.rows_out, selected.rows_dropped) == (60, 47, 13)
    assert selected.reasons == {"wrong": 12, "repetition": 1}
    assert len(view.metrics) == 4 + 12 * 2 * 5
    assert "use: train.grpo" in view.yaml


def test_a_step_that_has_not_run_has_no_numbers(whole_run: Any):
    export = load_run(whole_run.folder, whole_run.store).steps[-1]
    assert (export.status, export.rows_in, export.seconds) == ("owed", None, None)


def test_twenty_traces_are_shown_kept_ones_and_dropped_ones(whole_run: Any):
    samples = load_run(whole_run.folder, whole_run.store).samples
    kept = [sample for sample in samples if not sample.reason]
    assert len(samples) <= 20
    assert {sample.domain for sample in kept} == {"math", "general"}
    assert {sample.reason for sample in samples} == {"", "repetition", "wrong", "over_quota"}


def test_a_dropped_trace_comes_with_its_text_and_reason(whole_run: Any):
    samples = load_run(whole_run.folder, whole_run.store).samples
    (loop,) = [sample for sample in samples if sample.reason == "repetition"]
    assert loop.thought.startswith("six six six")
    assert loop.answer == ""
    assert loop.stage == "selected"
    assert loop.detail == "'six six six' 40 times"


def test_one_question_is_shown_as_every_model_answered_it(whole_run: Any):
    answers = load_run(whole_run.folder, whole_run.store).same_question
    assert [sample.model for sample in answers][:3] == ["base", "zero", "cold_start"]
    assert len({sample.question for sample in answers}) == 1
    assert answers[1].thought == "the zero thinks"


def test_a_run_without_any_trace_has_none_to_show(run: Any):
    run.step("web", "ingest.file", rows=[{"text": "x"}])
    view = load(run)
    assert view.samples == ()
    assert view.same_question == ()


def test_one_scored_model_is_no_comparison(run: Any):
    run.step("score", "score.passk", rows=[run.trace(1)], metrics=run.scores("base", "sums", 0.1))
    assert load(run).same_question == ()


def test_models_that_answered_different_questions_are_not_compared(run: Any):
    run.step("one", "score.passk", rows=[run.trace(1)], metrics=run.scores("base", "sums", 0.1))
    run.step("two", "score.passk", rows=[run.trace(2)], metrics=run.scores("zero", "sums", 0.1))
    assert load(run).same_question == ()


def test_a_long_thought_is_cut_and_says_so(run: Any):
    run.step("mix", "mix.quota", rows=[run.trace(1, text="<think>" + "a" * 20_000 + "</think>4")])
    (sample,) = load(run).samples
    assert sample.thought.endswith("… 8,000 more characters")


def test_curves_of_reinforcement_learning_are_rewards_and_lengths(run: Any):
    run.step("zero", "train.grpo", curve=run.curve(10, 0.0, 1.0))
    (step,) = load(run).steps
    names = [curve.name for curve in step.curves]
    assert names[:2] == ["reward", "completions/mean_length"]
    assert "rewards/accuracy/mean" in names
    assert "loss" not in names
    assert step.curves[0].steps == tuple(float(n) for n in range(1, 11))


def test_a_torn_line_of_metrics_is_left_out(run: Any):
    run.step("sft", "train.sft", curve=[{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}])
    file = run.store / "train.sft-sft" / "work" / "metrics.jsonl"
    file.write_text(file.read_text() + '{"step": 3, "lo')
    assert load(run).steps[0].curves[0].values == (2.0, 1.0)


def test_alarms_of_a_training_are_kept(run: Any):
    run.step("zero", "train.grpo", curve=[{"step": 7, "reward": 0.0, "alarms": ["no_signal"]}])
    assert load(run).steps[0].alarms == ("no_signal (step 7)",)


def test_a_metric_without_a_value_is_left_out(run: Any):
    run.step(
        "score",
        "score.judge",
        metrics=[{"model": "judge", "bench": "judge", "metric": "kappa", "value": None}],
    )
    assert load(run).metrics == ()


def test_a_folder_that_is_no_run_is_one_line(run: Any, tmp_path: Any):
    with pytest.raises(ConfigError, match="no such file"):
        load_run(tmp_path, tmp_path)


def test_a_broken_note_is_one_line(run: Any):
    run.step("web", "ingest.file", rows=[{"text": "x"}])
    (run.store / "ingest.file-web" / "stage.json").write_text("{")
    with pytest.raises(StoreError, match="not JSON"):
        load(run)
