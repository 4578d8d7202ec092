"""The contract with the runner: what a spec file may say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from distillery.errors import ConfigError
from distillery.train.options import BaseOptions, GrpoOptions, SftOptions
from distillery.train.spec import TrainSpec

GRPO = {
    "kind": "grpo",
    "options": {"num_generations": 8, "rewards": {"accuracy": 1, "language": 0.2}},
    "model": "base",
    "tables": ["a.parquet"],
    "work": "w",
    "out": "o",
    "seed": 7,
}


def load(tmp_path: Path, **changes: object) -> TrainSpec:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(GRPO | changes))
    return TrainSpec.load(file)


def test_saved_spec_reads_back_the_same(tmp_path: Path) -> None:
    spec = load(tmp_path, threads=1)
    spec.save(tmp_path / "again.json")
    assert TrainSpec.load(tmp_path / "again.json") == spec


def test_options_are_typed_and_keep_their_defaults(tmp_path: Path) -> None:
    options = load(tmp_path).read_options(GrpoOptions)
    assert options.num_generations == 8
    assert options.rewards == {"accuracy": 1.0, "language": 0.2}
    assert options.temperature == 1.0


def test_misspelt_option_is_named_with_its_neighbour(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="num_generation'; did you mean 'num_generations'"):
        load(tmp_path, options={"num_generation": 8}).read_options(GrpoOptions)


def test_a_base_takes_no_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="base takes no model"):
        load(tmp_path, kind="base", options={})


def test_grpo_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="grpo takes a model to start from"):
        load(tmp_path, model=None)


def test_defaults_follow_the_paper() -> None:
    grpo, sft = GrpoOptions(), SftOptions()
    assert (grpo.learning_rate, grpo.beta, grpo.num_generations, grpo.prompts_per_step) == (
        3e-6,
        0.001,
        16,
        32,
    )
    assert (sft.learning_rate, sft.lr_schedule, sft.min_lr_ratio, sft.max_length) == (
        5e-5,
        "cosine_with_min_lr",
        0.1,
        32_768,
    )


def test_all_options_can_be_written_without_any_argument() -> None:
    assert BaseOptions().precision == "fp32"
