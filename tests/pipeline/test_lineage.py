"""Which models are checkpoints, students and twins is told by the plan, never by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from distillery.pipeline import Plan, load_plan
from distillery.pipeline.lineage import Role, standing

ROOT = Path(__file__).parents[2]
HEAD = """
engines:
  api: {kind: openai, model: gpt-x}
  local: {kind: transformers, model: org/llama-base}
stages:
  - {id: problems, use: ingest.miniature, with: {part: sums, count: 4}}
"""


def planned(folder: Path, *entries: str) -> Plan:
    file = folder / "line.yaml"
    file.write_text(HEAD + "".join(f"  - {entry}\n" for entry in entries))
    return load_plan(file)


def samples(name: str, engine: str) -> str:
    return f"{{id: {name}, use: generate.traces, from: problems, with: {{engine: {engine}, prompt: solve.boxed@1}}}}"


def role(plan: Plan, step: str) -> tuple[Role, str]:
    found = standing(plan, plan.step(step))
    return found.role, found.family


def test_the_quickstart_has_six_checkpoints_and_three_students_with_two_twins_each():
    plan = load_plan(ROOT / "pipelines/quickstart.yaml")
    found = {step.stage.model: standing(plan, step) for step in plan.steps if step.use == "score.passk"}
    line = [name for name, one in found.items() if one.role is Role.CHECKPOINT]
    assert sorted(line, key=lambda name: found[name].place) == [
        "base", "zero", "cold_start", "reasoning", "sft", "teacher"
    ]  # fmt: skip
    for student in ("student-qwen-s", "student-qwen-m", "student-llama"):
        assert found[student].role is Role.STUDENT
        for twin in (f"{student}-base", f"{student}-grpo"):
            assert found[twin].role is Role.TWIN
            assert found[twin].family == found[student].family


@pytest.mark.parametrize(("engine", "family"), [("api", "gpt-x"), ("local", "org/llama-base")])
def test_a_model_that_no_step_makes_is_no_student_and_no_twin(engine: str, family: str, tmp_path: Path):
    plan = planned(tmp_path, samples("traces", engine))
    assert role(plan, "traces") == (Role.OTHER, "")
    plan = planned(tmp_path, samples("traces", engine), "{id: checked, use: verify.answers}")
    assert role(plan, "checked") == (Role.OTHER, family)


def test_a_student_of_an_endpoint_stands_beside_its_base_and_its_twin(tmp_path: Path):
    plan = planned(
        tmp_path,
        samples("traces", "api"),
        "{id: gpt-base, use: train.sft, with: {model: org/llama-base}}",
        "{id: alone, use: train.grpo, from: problems, with: {model: org/llama-base}}",
        samples("a", "{use: local, model: {from: gpt-base}}"),
        "{id: a_checked, use: verify.answers}",
        samples("b", "{use: local, model: {from: alone}}"),
        "{id: b_checked, use: verify.answers}",
        samples("c", "local"),
        "{id: c_checked, use: verify.answers}",
    )
    assert role(plan, "a_checked") == (Role.STUDENT, "org/llama-base")
    assert role(plan, "b_checked") == (Role.TWIN, "org/llama-base")
    assert role(plan, "c_checked") == (Role.TWIN, "org/llama-base")


def test_what_goes_on_from_a_student_is_a_student(tmp_path: Path):
    plan = planned(
        tmp_path,
        samples("traces", "api"),
        "{id: first, use: train.sft, with: {model: org/m}}",
        "{id: then, use: train.grpo, from: problems, with: {model: {from: first}}}",
        samples("a", "{use: local, model: {from: then}}"),
        "{id: checked, use: verify.answers}",
    )
    assert role(plan, "checked") == (Role.STUDENT, "org/m")


def test_a_line_that_learns_from_its_own_samples_is_no_student(tmp_path: Path):
    plan = planned(
        tmp_path,
        "{id: zero, use: train.grpo, with: {model: org/m}}",
        samples("traces", "{use: local, model: {from: zero}}"),
        "{id: sft, use: train.sft, with: {model: org/m}}",
        samples("a", "{use: local, model: {from: sft}}"),
        "{id: checked, use: verify.answers}",
    )
    assert role(plan, "checked") == (Role.CHECKPOINT, "org/m")
    assert role(plan, "sft") == (Role.CHECKPOINT, "org/m")


def test_the_writer_of_the_nearest_rows_is_found_through_a_union(tmp_path: Path):
    plan = planned(
        tmp_path,
        samples("first", "local"),
        samples("second", "api"),
        "{id: some, use: filter.quality, from: [first, second]}",
        "{id: checked, use: verify.answers, from: [some, first]}",
    )
    assert [step.use for step in plan.steps].count("mix.union") == 2
    assert role(plan, "checked") == (Role.OTHER, "org/llama-base")
