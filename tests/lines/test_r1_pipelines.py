"""The recipe's files: each resolves without a network, and its estimate is of the published order of
magnitude."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml

from distillery.pipeline import Plan, load_plan
from distillery.pipeline.estimate import StepEstimate, estimate
from distillery.pipeline.prices import load_prices
from distillery.records import Problem
from distillery.row_files import Fault
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.train.options import JUDGED
from distillery.verify.program.check import payload_fault

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "pipelines" / "r1").glob("*.yaml"))


@pytest.fixture(autouse=True)
def _from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # prompts, templates and benches are named from there


@cache
def planned(name: str) -> Plan:
    return load_plan(next(file for file in FILES if file.stem == name))


def priced(name: str) -> dict[str, StepEstimate]:
    prices = load_prices(ROOT / "pipelines" / "prices.yaml")
    return {step.id: step for step in estimate(planned(name), store=None, prices=prices)}


def test_the_files_are_numbered_like_the_paper():
    assert [file.stem[0] for file in FILES] == list("123456789")
    assert (FILES[0].stem, FILES[-1].stem) == ("1_zero", "9_evaluate")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_file_resolves_and_all_its_figures_are_known(file: Path):
    for step in priced(file.stem).values():
        figures = (step.rows, step.tokens, step.trained_tokens, step.gpu_hours, step.usd, step.disk_bytes)
        assert None not in figures, step


def test_the_last_file_leads_to_all_the_others():
    guests = {step.id.partition("/")[0] for step in planned("9_evaluate").steps if "/" in step.id}
    assert guests == {file.stem for file in FILES[:-1]}


def test_r1_zero_takes_the_published_steps_and_settings():
    plan = planned("1_zero")
    stages = [plan.step(name).stage for name in ("zero_32k", "zero")]
    assert sum(stage.max_steps for stage in stages) == 10_400
    assert [stage.max_completion_length for stage in stages] == [32_768, 65_536]
    for stage in stages:
        assert (stage.learning_rate, stage.beta, stage.temperature) == (3e-6, 0.001, 1.0)
        assert (stage.num_generations, stage.prompts_per_step, stage.sync_reference_steps) == (16, 32, 400)
        assert stage.num_generations * stage.prompts_per_step * stage.steps_per_generation == 8_192
        assert stage.save_steps % (stage.steps_per_generation * stage.num_iterations) == 0


def test_the_last_grpo_is_1700_steps_with_general_prompts_in_the_last_400():
    plan = planned("8_all_scenarios")
    rules, last = plan.step("rules"), plan.step("r1")
    assert (rules.stage.max_steps, last.stage.max_steps) == (1_300, 400)
    assert (rules.stage.temperature, last.stage.temperature) == (0.7, 0.7)
    assert (rules.parents, last.parents) == (("1_zero/problems",), ("r1.inputs",))
    assert plan.step("r1.inputs").parents == ("1_zero/problems", "general", "risky")
    assert last.starts_from == "rules"
    assert last.stage.judge is not None
    assert {"helpfulness", "harmlessness"} == last.stage.rewards.keys() - rules.stage.rewards.keys()
    checkers = {name: plan.step(name).stage.constants["checker"] for name in ("general", "risky")}
    assert checkers == {"general": JUDGED["helpfulness"], "risky": JUDGED["harmlessness"]}


def test_both_sft_models_start_from_the_base_in_batches_of_128():
    for plan, name in ((planned("2_cold_start"), "dev1"), (planned("7_sft"), "dev3")):
        stage = plan.step(name).stage
        assert stage.starts_from == "deepseek-ai/DeepSeek-V3-Base"
        assert (stage.learning_rate, stage.min_lr_ratio, stage.max_length) == (5e-5, 0.1, 32_768)
        assert sequences(stage) == 128


@pytest.mark.parametrize(
    ("name", "base", "rate", "rope"),
    [
        ("qwen-1.5b", "Qwen/Qwen2.5-Math-1.5B", 1e-4, 300_000),
        ("qwen-7b", "Qwen/Qwen2.5-Math-7B", 8e-5, 300_000),
        ("llama-8b", "meta-llama/Llama-3.1-8B", 5e-5, None),
    ],
)
def test_each_student_has_its_published_base_and_rate(name: str, base: str, rate: float, rope: float | None):
    stage = planned("9_evaluate").step(name).stage
    assert (stage.starts_from, stage.learning_rate, stage.rope_theta) == (base, rate, rope)
    assert sequences(stage) == 64
    assert stage.eos_token != stage.pad_token


def sequences(stage) -> int:
    launch = yaml.safe_load(Path(stage.accelerate_config).read_text())
    return stage.batch_size * stage.gradient_accumulation_steps * launch["num_processes"]


def test_aime_is_sampled_64_times_and_math_16_times_as_published():
    plan = planned("9_evaluate")
    for bench, samples in (("aime24", 64), ("aime25", 64), ("math500", 16)):
        stage = plan.step(f"r1-{bench}-answers").stage
        assert (stage.samples, stage.sampling.temperature, stage.sampling.top_p) == (samples, 0.6, 0.95)
        assert plan.step(f"r1-{bench}-score").stage.samples == samples


def test_a_code_problem_as_the_hub_gives_it_becomes_one_that_can_be_judged():
    stage = planned("1_zero").step("code").stage
    tests = [{"fn_name": None, "input": "1\n", "output": "2\n", "type": "stdin_stdout"}]
    row = {
        "problem_statement": "Add one.",
        "gold_standard_solution": "print(int(input()) + 1)",
        "verification_info": {"language": "python", "test_cases": tests},
        "source": "apps",
    }
    mapped = RowMap("code", stage.columns, stage.constants).row(row)
    assert not isinstance(mapped, Fault)
    assert payload_fault(Problem.from_row(mapped).options) is None


def test_r1_zero_is_estimated_within_the_published_order_of_magnitude():
    """101K H800-hours were paid for. The estimate has no GPU wait, neither for the longest completion of a
    round nor
    for rewards and weights on their way, so it must lie below, and within a factor of ten."""
    steps = priced("1_zero")
    hours = sum(steps[name].gpu_hours or 0 for name in ("zero_32k", "zero"))
    assert 101_000 / 10 < hours < 101_000
    assert (steps["zero_32k"].tokens or 0) + (
        steps["zero"].tokens or 0
    ) == 8_200 * 512 * 5_000 + 2_200 * 512 * 12_000


def test_making_the_800k_is_estimated_near_the_published_5000_hours():
    traces = priced("4_reasoning_traces")
    general = priced("5_general")
    hours = sum(traces[f"{name}"].gpu_hours or 0 for name in ("traces", "judged"))
    hours += sum(general[name].gpu_hours or 0 for name in ("answers", "scored", "translated", "safe"))
    assert 5_000 / 3 < hours < 5_000 * 3


def test_the_mix_has_the_published_804745_rows_of_4_31_billion_tokens():
    steps = priced("7_sft")
    assert steps["6_mix/mixed"].rows == 804_745
    assert steps["dev3"].trained_tokens == pytest.approx(2 * 4.31e9, rel=0.05)  # two epochs, prompts included


@pytest.mark.parametrize(
    "file", sorted((ROOT / "pipelines" / "accelerate").glob("*.yaml")), ids=lambda file: file.stem
)
def test_a_launch_file_is_for_one_node_of_eight(file: Path):
    launch = yaml.safe_load(file.read_text())
    assert (launch["num_machines"], launch["num_processes"], launch["mixed_precision"]) == (1, 8, "bf16")
