"""Figures against the same sums done by hand."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from distillery.errors import ConfigError
from distillery.pipeline import Plan, load_plan
from distillery.pipeline.costs import count_processes
from distillery.pipeline.estimate import StepEstimate, estimate, total
from distillery.pipeline.prices import ApiPrice, Gpu, ModelSize, Prices, Speed
from distillery.records import LEDGER, TRACE, empty
from distillery.stages.base import Output
from distillery.stages.note import Note
from distillery.store.stage_dir import StageDir

ROOT = Path(__file__).parents[2]
PRICES = Prices(
    gpu="G",
    gpus={"G": Gpu(usd_per_hour=2.0, tflops=1000.0), "H": Gpu(usd_per_hour=3.0, tflops=2000.0)},
    mfu=0.5,
    bytes_per_token=2.0,
    bytes_per_parameter=4.0,
    checkpoint_bytes_per_parameter=12.0,
    api={"deepseek-flash": ApiPrice(input_usd=0.3, output_usd=1.2)},
    models={"org/m": ModelSize(parameters=1e9, tokens_per_gpu_second=1000.0)},
    throughput_gpu="G",
    throughput=(
        Speed(parameters=1e9, tokens_per_gpu_second=8000.0),
        Speed(parameters=4e9, tokens_per_gpu_second=2000.0),
    ),
)
PROBLEMS = {
    "id": "problems",
    "use": "ingest.reasoning_gym",
    "with": {"task": "chain_sum", "size": 100},
    "expect": {"prompt_tokens": 50},
}
TRACES = {
    "id": "traces",
    "use": "generate.traces",
    "with": {"engine": "teacher", "prompt": "solve.plain@1", "samples": 4},
    "expect": {"tokens": 200},
}
CHECKED = {"id": "checked", "use": "verify.answers"}
OWN = {"kind": "vllm", "model": "org/m"}
API = {"kind": "openai", "model": "deepseek-flash"}


def planned(tmp_path: Path, *stages: dict, teacher: dict = OWN, limit: int | None = None) -> Plan:
    file = tmp_path / "line.yaml"
    file.write_text(yaml.safe_dump({"engines": {"teacher": teacher}, "stages": list(stages)}))
    return load_plan(file, limit=limit, prompts=ROOT / "prompts")


def figures(
    plan: Plan, *, store: Path | None = None, prices: Prices = PRICES, **more
) -> dict[str, StepEstimate]:
    return {step.id: step for step in estimate(plan, store=store, prices=prices, **more)}


def wrote(folder: Path, *, tokens: list[int], rows_in: int, done: bool) -> StageDir:
    stage = StageDir(folder)
    rows = pl.DataFrame(
        {"completion_tokens": tokens, "prompt_tokens": [60] * len(tokens)}, schema_overrides=TRACE
    )
    counts = {"requests": float(len(tokens)), "completion_tokens": float(sum(tokens))}
    stage.write(0, Output(rows, empty(LEDGER), counts), rows_in)
    if done:
        known = {"id": "traces", "use": "generate.traces", "fingerprint": "f00d"}
        stage.finish(Note(**known, shards=1, rows_in=rows_in, rows_out=len(tokens), counts=counts))
    return stage


def test_generation_on_own_gpus_takes_samples_times_tokens_at_the_known_speed(tmp_path: Path):
    traces = figures(planned(tmp_path, PROBLEMS, TRACES))["traces"]
    assert (traces.rows, traces.tokens, traces.prompt_tokens) == (400, 80_000, 20_000)
    reading = 2 * 1e9 * 20_000 / (1000e12 * 0.5) / 3600
    assert traces.gpu_hours == pytest.approx(80_000 / 1000 / 3600 + reading)
    assert traces.usd == pytest.approx(2 * traces.gpu_hours)
    assert traces.disk_bytes == 400 * (50 + 200) * 2
    assert not traces.at_most


def test_generation_over_an_api_costs_its_price_and_no_gpu(tmp_path: Path):
    traces = figures(planned(tmp_path, PROBLEMS, TRACES, teacher=API))["traces"]
    assert traces.usd == pytest.approx((20_000 * 0.3 + 80_000 * 1.2) / 1e6)
    assert traces.gpu_hours == 0


def test_an_api_whose_prompts_are_unknown_has_no_price(tmp_path: Path):
    traces = figures(planned(tmp_path, {**PROBLEMS, "expect": {}}, TRACES, teacher=API))["traces"]
    assert (traces.prompt_tokens, traces.usd) == (None, None)


def test_a_stand_in_engine_costs_nothing(tmp_path: Path):
    traces = figures(planned(tmp_path, PROBLEMS, TRACES, teacher={"kind": "scripted"}))["traces"]
    assert (traces.gpu_hours, traces.usd) == (0, 0)


def test_a_length_that_nobody_expects_is_bounded_by_max_tokens(tmp_path: Path):
    traces = figures(planned(tmp_path, PROBLEMS, {**TRACES, "expect": {}}))["traces"]
    assert (traces.tokens, traces.at_most) == (400 * 8192, True)


def test_expectations_of_speed_kind_of_gpu_and_samples_are_heeded(tmp_path: Path):
    expect = {"tokens": 200, "tokens_per_gpu_second": 500, "gpu": "H", "samples": 2}
    traces = figures(planned(tmp_path, {**PROBLEMS, "expect": {}}, {**TRACES, "expect": expect}))["traces"]
    assert traces.tokens == 100 * 2 * 200
    assert traces.usd == pytest.approx(3 * 40_000 / 500 / 3600)


def test_a_gpu_that_has_no_price_is_an_error_that_names_the_known_ones(tmp_path: Path):
    plan = planned(tmp_path, PROBLEMS, {**TRACES, "expect": {"gpu": "Z9"}})
    with pytest.raises(ConfigError, match=r"traces\.expect\.gpu: 'Z9'.*there are G, H"):
        estimate(plan, store=None, prices=PRICES)


def test_a_misspelt_expectation_is_an_error_with_the_nearest_name(tmp_path: Path):
    plan = planned(tmp_path, {**PROBLEMS, "expect": {"row": 3}})
    with pytest.raises(ConfigError, match="did you mean 'rows'"):
        estimate(plan, store=None, prices=PRICES)


def test_a_judge_is_asked_about_the_share_that_is_expected(tmp_path: Path):
    judged = {
        "id": "judged",
        "use": "judge.answers",
        "with": {"engine": "teacher"},
        "expect": {"asked": 0.25, "prompt_tokens": 1000, "tokens": 30},
    }
    found = figures(planned(tmp_path, PROBLEMS, TRACES, CHECKED, judged, teacher=API))["judged"]
    assert (found.rows, found.prompt_tokens, found.tokens) == (400, 100_000, 3_000)
    assert found.usd == pytest.approx((100_000 * 0.3 + 3_000 * 1.2) / 1e6)


def test_a_judge_of_whom_nothing_is_expected_is_asked_about_every_row_at_most(tmp_path: Path):
    judged = {"id": "judged", "use": "judge.answers", "with": {"engine": "teacher"}}
    found = figures(planned(tmp_path, PROBLEMS, TRACES, CHECKED, judged))["judged"]
    assert (found.tokens, found.at_most) == (400 * 1024, True)


def test_what_a_selection_keeps_is_expected_or_bounded_by_its_own_option(tmp_path: Path):
    kept = {"id": "kept", "use": "select.traces", "with": {"per_problem": 2}}
    bound = figures(planned(tmp_path, PROBLEMS, TRACES, CHECKED, kept))["kept"]
    assert (bound.rows, bound.at_most) == (200, True)
    said = figures(planned(tmp_path, PROBLEMS, TRACES, CHECKED, {**kept, "expect": {"keep": 0.3}}))["kept"]
    assert (said.rows, said.at_most) == (pytest.approx(120), False)
    exact = figures(planned(tmp_path, PROBLEMS, TRACES, CHECKED, {**kept, "expect": {"rows": 7}}))["kept"]
    assert (exact.rows, exact.at_most) == (7, False)


def test_a_mix_cannot_be_larger_than_its_quotas(tmp_path: Path):
    quotas = [{"where": {"domain": "logic"}, "rows": 30}, {"where": {"domain": "math"}, "rows": 20}]
    mixed = {"id": "mixed", "use": "mix.quota", "with": {"quotas": quotas}}
    assert figures(planned(tmp_path, PROBLEMS, TRACES, mixed))["mixed"].rows == 50


def test_tables_that_meet_add_their_rows_and_average_their_lengths(tmp_path: Path):
    more = {
        **PROBLEMS,
        "id": "more",
        "with": {"task": "chain_sum", "size": 300, "seed": 1},
        "expect": {"prompt_tokens": 90},
    }
    together = {**TRACES, "from": ["problems", "more"]}
    traces = figures(planned(tmp_path, PROBLEMS, more, together))["traces"]
    assert traces.rows == 1600
    assert traces.prompt_tokens == 1600 * (100 * 50 + 300 * 90) / 400


def test_supervised_training_costs_six_flops_a_parameter_and_token(tmp_path: Path):
    student = {"id": "student", "use": "train.sft", "with": {"model": "org/m", "epochs": 3, "save_steps": 10}}
    found = figures(planned(tmp_path, PROBLEMS, TRACES, student))["student"]
    assert found.trained_tokens == 400 * 250 * 3
    assert found.gpu_hours == pytest.approx(6 * 1e9 * 300_000 / (1000e12 * 0.5) / 3600)
    assert found.disk_bytes == 1e9 * (4 + 2 * 12)


def test_supervised_training_by_steps_counts_sequences_of_all_processes(tmp_path: Path):
    launch = tmp_path / "launch.yaml"
    launch.write_text("num_processes: 4\n")
    options = {"model": "org/m", "max_steps": 5, "batch_size": 2, "gradient_accumulation_steps": 3}
    student = {"id": "student", "use": "train.sft", "with": {**options, "accelerate_config": str(launch)}}
    found = figures(planned(tmp_path, PROBLEMS, TRACES, student))["student"]
    assert found.trained_tokens == 5 * 2 * 3 * 4 * 250
    assert count_processes("no such file") == 1


def test_lora_saves_the_weights_own_gradients(tmp_path: Path):
    student = {
        "id": "student",
        "use": "train.sft",
        "with": {"model": "org/m", "epochs": 1, "lora": {"rank": 8}},
    }
    found = figures(planned(tmp_path, PROBLEMS, TRACES, student))["student"]
    assert found.gpu_hours == pytest.approx(4 * 1e9 * 100_000 / (1000e12 * 0.5) / 3600)


@pytest.mark.parametrize(
    ("options", "flops"),
    [
        ({"beta": 0.0, "steps_per_generation": 1}, 6),
        ({"beta": 0.001, "steps_per_generation": 1}, 8),  # the reference model reads every completion
        ({"beta": 0.001, "steps_per_generation": 16}, 10),  # and the policy that wrote it
    ],
)
def test_grpo_writes_its_groups_and_trains_on_them(tmp_path: Path, options: dict, flops: int):
    shape = {"model": "org/m", "max_steps": 10, "prompts_per_step": 32, "num_generations": 16, **options}
    policy = {"id": "policy", "use": "train.grpo", "with": shape, "expect": {"tokens": 1000}}
    found = figures(planned(tmp_path, PROBLEMS, policy))["policy"]
    completions = 10 * 32 * 16
    assert found.tokens == completions * 1000
    assert found.trained_tokens == completions * 1050
    updating = flops * 1e9 * completions * 1050 / (1000e12 * 0.5) / 3600
    assert found.gpu_hours == pytest.approx(completions * 1000 / 1000 / 3600 + updating)


def test_the_judge_of_a_grpo_is_paid_for_the_completions_that_it_is_asked_about(tmp_path: Path):
    shape = {"model": "org/m", "max_steps": 10, "prompts_per_step": 32, "num_generations": 16}
    judged = {**shape, "rewards": {"helpfulness": 1.0}, "judge": {"engine": "teacher"}}
    expect = {"tokens": 1000, "asked": 0.5, "judge_prompt_tokens": 2000, "judge_tokens": 100}
    alone = {"id": "alone", "use": "train.grpo", "with": shape, "expect": {"tokens": 1000}}
    policy = {"id": "policy", "use": "train.grpo", "from": "problems", "with": judged, "expect": expect}
    found = figures(planned(tmp_path, PROBLEMS, alone, policy, teacher=API))
    requests = 0.5 * 10 * 32 * 16
    assert found["policy"].prompt_tokens == requests * 2000
    assert found["policy"].tokens == found["alone"].tokens + requests * 100
    assert found["policy"].gpu_hours == found["alone"].gpu_hours
    price = (requests * 2000 * 0.3 + requests * 100 * 1.2) / 1e6
    assert found["policy"].usd == pytest.approx(found["alone"].usd + price)
    assert not found["policy"].at_most
    unsaid = {**policy, "expect": {"tokens": 1000}}
    assert figures(planned(tmp_path, PROBLEMS, unsaid, teacher=API))["policy"].at_most


def test_grpo_that_reuses_its_samples_writes_fewer(tmp_path: Path):
    shape = {"model": "org/m", "max_steps": 10, "num_iterations": 2}
    policy = {"id": "policy", "use": "train.grpo", "with": shape}
    found = figures(planned(tmp_path, PROBLEMS, policy))["policy"]
    assert (found.tokens, found.at_most) == (10 * 512 / 2 * 32_768, True)


def test_a_model_that_a_stage_makes_is_as_large_as_the_one_it_started_from(tmp_path: Path):
    policy = {"id": "policy", "use": "train.grpo", "with": {"model": "org/m", "max_steps": 1}}
    asked = {
        **TRACES,
        "from": "problems",
        "with": {**TRACES["with"], "engine": {"use": "teacher", "model": {"from": "policy"}}},
    }
    plan = planned(tmp_path, PROBLEMS, policy, asked, teacher={"kind": "vllm", "model": "other/unknown"})
    assert figures(plan)["traces"].gpu_hours is not None


def test_what_is_unknown_is_none_and_the_total_says_which_steps_it_lacks(tmp_path: Path):
    plan = planned(tmp_path, PROBLEMS, TRACES, teacher={"kind": "vllm", "model": "org/secret"})
    steps = estimate(plan, store=None, prices=PRICES)
    assert steps[1].gpu_hours is None
    whole = total(steps, "gpu_hours")
    assert (whole.value, whole.unknown) == (0, ("traces",))
    assert any("size" in note for note in steps[1].notes)


def test_without_a_price_file_tokens_are_known_and_money_is_not(tmp_path: Path):
    traces = figures(planned(tmp_path, PROBLEMS, TRACES), prices=Prices())["traces"]
    assert (traces.tokens, traces.usd, traces.disk_bytes) == (80_000, None, None)


def test_a_hub_set_of_unknown_size_is_unknown_all_the_way_down(tmp_path: Path):
    hub = {"id": "problems", "use": "ingest.hub", "with": {"name": "org/set"}}
    found = figures(planned(tmp_path, hub, TRACES, CHECKED))
    assert [found[name].rows for name in ("problems", "traces", "checked")] == [None, None, None]
    limited = figures(planned(tmp_path, hub, TRACES, limit=5))
    assert (limited["traces"].rows, limited["traces"].at_most) == (20, True)


@pytest.mark.parametrize(
    ("name", "text"),
    [("rows.jsonl", '{"question": "a"}\n\n{"question": "b"}\n'), ("rows.csv", "question\na\nb\n")],
)
def test_the_rows_of_a_file_are_counted(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text)
    source = {"id": "problems", "use": "ingest.file", "with": {"path": str(tmp_path / name)}}
    assert figures(planned(tmp_path, source))["problems"].rows == 2


def test_the_rows_of_a_parquet_file_are_counted(tmp_path: Path):
    pl.DataFrame({"question": ["a", "b", "c"]}).write_parquet(tmp_path / "rows.parquet")
    source = {"id": "problems", "use": "ingest.file", "with": {"path": [str(tmp_path / "*.parquet")]}}
    assert figures(planned(tmp_path, source))["problems"].rows == 3


def test_a_finished_step_is_measured_and_no_longer_owed(tmp_path: Path):
    plan = planned(tmp_path, PROBLEMS, TRACES, CHECKED)
    store = tmp_path / "store"
    wrote(store / plan.step("traces").folder, tokens=[100, 300, 500], rows_in=1, done=True)
    found = figures(plan, store=store)
    assert (found["traces"].done, found["traces"].rows, found["traces"].tokens) == (True, 3, 900)
    assert found["checked"].rows == 3
    assert found["checked"].disk_bytes == 3 * (60 + 300) * 2
    assert total(found.values(), "tokens").value == 0


def test_half_a_step_gives_its_mean_length_to_the_rest(tmp_path: Path):
    plan = planned(tmp_path, PROBLEMS, TRACES)
    store = tmp_path / "store"
    wrote(store / plan.step("traces").folder, tokens=[100, 300], rows_in=1, done=False)
    traces = figures(plan, store=store)["traces"]
    assert (traces.done, traces.rows) == (False, 200)  # two rows for each problem
    assert traces.tokens == 100 * 4 * 200
    assert traces.prompt_tokens == 100 * 4 * 60
    assert "200 tokens a completion (measured on 2)" in traces.notes


def test_the_same_stage_on_other_rows_is_a_measurement_too(tmp_path: Path):
    plan = planned(tmp_path, PROBLEMS, {**TRACES, "expect": {"tokens": 9999}})
    sample = wrote(tmp_path / "sample", tokens=[10, 20, 30, 40], rows_in=1, done=True)
    traces = figures(plan, samples={"traces": sample})["traces"]
    assert (traces.done, traces.tokens) == (False, 100 * 4 * 25)


def test_a_sampled_judge_says_how_often_it_is_asked(tmp_path: Path):
    judged = {"id": "judged", "use": "judge.answers", "with": {"engine": "teacher"}, "expect": {"tokens": 10}}
    plan = planned(tmp_path, PROBLEMS, TRACES, CHECKED, judged)
    sample = StageDir(tmp_path / "sample")
    sample.write(0, Output(pl.DataFrame({"trace_id": ["a"] * 8}), empty(LEDGER), {"asked": 2.0}), 8)
    found = figures(plan, samples={"judged": sample})["judged"]
    assert found.tokens == 400 * 0.25 * 10


def test_a_finished_model_is_measured(tmp_path: Path):
    plan = planned(
        tmp_path, PROBLEMS, TRACES, {"id": "student", "use": "train.sft", "with": {"model": "org/m"}}
    )
    folder = StageDir(tmp_path / "store" / plan.step("student").folder)
    folder.model.mkdir(parents=True)
    folder.finish(Note(id="student", use="train.sft", fingerprint="f00d", rows_in=5, model=True))
    student = figures(plan, store=tmp_path / "store")["student"]
    assert (student.done, student.rows, student.gpu_hours) == (True, 5, 0)
