"""A killed training that goes on ends where an uninterrupted one ends: same losses, same weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from distillery.engines import Request
from distillery.errors import ConfigError
from distillery.miniature import corpus, sums
from distillery.prompts import load_prompt
from distillery.reasoning import Parts
from distillery.records import Problem, Verdict
from distillery.train import base as base_trainer
from distillery.train import grpo, reward_judge, rewards, sft
from distillery.train.options import GrpoOptions
from distillery.train.resume import MARKER, last_complete
from distillery.train.spec import JudgeSpec, TrainSpec

PROMPTS = Path(__file__).parents[2] / "prompts"
MakeSpec = Callable[..., TrainSpec]
SAVING = {"precision": "fp32", "logging_steps": 1, "learning_rate": 1e-2, "keep_checkpoints": 9}
BASE = {
    "hidden_size": 16,
    "layers": 1,
    "heads": 2,
    "documents_per_step": 64,
    "save_steps": 4,
    "keep_checkpoints": 9,
    "logging_steps": 1,
}
SFT = SAVING | {"batch_size": 4, "epochs": 2, "save_steps": 5}
GRPO = SAVING | {
    "max_steps": 6,
    "num_generations": 4,
    "prompts_per_step": 2,
    "max_completion_length": 12,
    "mask_truncated_completions": False,
    "save_steps": 2,
}
MOVING_REFERENCE = {"beta": 0.1, "sync_reference_steps": 3, "sync_reference_alpha": 0.5}


def interrupt(spec: TrainSpec, *, keep: int) -> None:
    """What a kill after the checkpoint of step `keep` leaves: no model, later checkpoints torn."""
    shutil.rmtree(spec.out)
    for folder in spec.checkpoints.glob("checkpoint-*"):
        if int(folder.name.rpartition("-")[2]) > keep:
            (folder / MARKER).unlink()
    assert last_complete(spec.checkpoints) == spec.checkpoints / f"checkpoint-{keep}"


def losses(spec: TrainSpec) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in spec.metrics.read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


def weights(spec: TrainSpec) -> bytes:
    return (spec.out / "model.safetensors").read_bytes()


def assert_resumes(spec: TrainSpec, train: Callable[[TrainSpec], dict[str, Any]], *, keep: int) -> None:
    train(spec)
    whole_losses, whole_weights = losses(spec), weights(spec)
    assert len({loss for _, loss in whole_losses}) > 3, "a run without any learning proves nothing"
    interrupt(spec, keep=keep)
    train(spec)
    assert losses(spec) == whole_losses
    assert weights(spec) == whole_weights


@pytest.fixture
def judged_by_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reward that even a model which knows nothing gets some of."""

    def judge(rows: Sequence[tuple[Problem, str]], *, own: Sequence[str]) -> list[Verdict]:
        return [Verdict.of(correct=len(text) % 2 == 0) for _, text in rows]

    monkeypatch.setattr(rewards, "judge", judge)


@pytest.mark.slow
def test_base_resumes_exactly(tmp_path: Path, make_spec: MakeSpec) -> None:
    table = tmp_path / "corpus.parquet"
    pl.DataFrame({"text": list(corpus.documents(640, seed=0))}).write_parquet(table)
    assert_resumes(make_spec(tmp_path, "base", BASE, table=table), base_trainer.train, keep=4)


@pytest.mark.slow
def test_sft_resumes_exactly(tmp_path: Path, make_spec: MakeSpec, base: Path, worked: Path) -> None:
    assert_resumes(make_spec(tmp_path, "sft", SFT, table=worked, model=base), sft.train, keep=5)


@pytest.mark.slow
@pytest.mark.usefixtures("judged_by_length")
@pytest.mark.parametrize(
    ("changes", "keep"),
    [({"beta": 0.0}, 2), (MOVING_REFERENCE, 4), ({"beta": 0.0, "steps_per_generation": 2}, 4)],
    ids=["on-policy", "moving-reference", "two-updates-a-round"],
)
def test_grpo_resumes_exactly(
    tmp_path: Path, make_spec: MakeSpec, base: Path, worked: Path, changes: dict[str, Any], keep: int
) -> None:
    assert_resumes(
        make_spec(tmp_path, "grpo", GRPO | changes, table=worked, model=base), grpo.train, keep=keep
    )


@pytest.mark.slow
@pytest.mark.usefixtures("judged_by_length")
@pytest.mark.parametrize(
    ("rows", "keep"), [(12, 4), (10, 2), (8, 4), (6, 4)], ids=["second", "whole", "third", "fifth"]
)
def test_grpo_resumes_exactly_in_every_epoch(
    tmp_path: Path, make_spec: MakeSpec, base: Path, rows: int, keep: int
) -> None:
    """Four prompts a step: the checkpoint stands in, or at the beginning of, a later epoch than the first."""
    pl.DataFrame(sums.worked(rows, seed=0)).write_parquet(tmp_path / "few.parquet")
    options = GRPO | {"beta": 0.0, "prompts_per_step": 4}
    assert_resumes(
        make_spec(tmp_path, "grpo", options, table=tmp_path / "few.parquet", model=base),
        grpo.train,
        keep=keep,
    )


@pytest.mark.slow
def test_sft_resumes_exactly_in_its_second_epoch(
    tmp_path: Path, make_spec: MakeSpec, base: Path, worked: Path
) -> None:
    assert_resumes(make_spec(tmp_path, "sft", SFT, table=worked, model=base), sft.train, keep=10)


@pytest.mark.slow
def test_grpo_hears_from_its_judge_what_it_heard_before_it_was_killed(
    tmp_path: Path, make_spec: MakeSpec, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the judge has changed its mind since."""
    monkeypatch.setattr(
        reward_judge, "split", lambda text: Parts(None, text or "-")
    )  # all of it is the answer
    calls: list[str] = []
    moods = iter([(9, 2), (1, 10)])

    def says(request: Request) -> str:
        calls.append(request.messages[0][1])
        score = mood[len(calls[-1]) % 2]
        return json.dumps(dict.fromkeys(("helpful", "correct", "complete", "style"), score))

    prompt = load_prompt("judge.rubric@1", PROMPTS)
    judge = JudgeSpec(
        kind="scripted",
        options={"reply": says},
        identity={"model": "judge"},
        prompts={prompt.name: list(prompt.turns)},
    )
    words = ["rain", "snow", "wind", "fog", "hail", "sun", "ice", "storm"]
    rows = {
        "question": [f"Say something about {word}." for word in words],
        "checker": ["layout"] * len(words),
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "general.parquet")
    judged = GRPO | {"beta": 0.0, "rewards": {"helpfulness": 1.0}, "judge": {"engine": "v3"}}
    spec = make_spec(tmp_path, "grpo", judged, table=tmp_path / "general.parquet", model=base)
    spec = replace(spec, judge=judge)
    mood = next(moods)
    grpo.train(spec)
    whole, asked = (losses(spec), weights(spec)), len(calls)
    assert len({loss for _, loss in whole[0]}) > 3
    interrupt(spec, keep=2)
    mood = next(moods)
    grpo.train(spec)
    assert (losses(spec), weights(spec)) == whole
    assert len(calls) == asked


def test_torn_checkpoint_is_removed_and_the_one_before_it_counts(tmp_path: Path) -> None:
    for step in (9, 10, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / MARKER).touch()
    assert last_complete(tmp_path) == tmp_path / "checkpoint-10"
    assert not (tmp_path / "checkpoint-100").exists()


def test_no_checkpoint_is_no_error(tmp_path: Path) -> None:
    assert last_complete(tmp_path / "never") is None


def test_checkpoint_inside_a_round_of_sampling_is_refused() -> None:
    with pytest.raises(ConfigError, match="save_steps: 3; it must be a multiple of 2"):
        grpo.check_rounds(GrpoOptions(save_steps=3, steps_per_generation=2), prompts=1_000)


def test_fewer_prompts_than_one_round_takes_are_refused() -> None:
    with pytest.raises(ConfigError, match="20 prompts; one round of sampling takes 32"):
        grpo.check_rounds(GrpoOptions(), prompts=20)


def test_completions_of_a_step_are_shared_by_all_processes() -> None:
    options = GrpoOptions(
        prompts_per_step=32, num_generations=16, gradient_accumulation_steps=4, steps_per_generation=16
    )
    arguments = grpo.grpo_arguments(options, processes=8)
    assert arguments["per_device_train_batch_size"] == 16
    assert arguments["steps_per_generation"] == 64
