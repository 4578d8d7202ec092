from __future__ import annotations

import json
from pathlib import Path

import pytest

from distillery.errors import ConfigError
from distillery.pipeline import Kind, load_plan

SOURCE = "- {id: rows, use: ingest.miniature, with: {part: sums, count: 5}}"
CORPUS = "- {id: web, use: ingest.miniature, with: {part: corpus, count: 5}}"


def plan_of(tmp_path: Path, text: str, name: str = "p.yaml", **options):
    file = tmp_path / name
    file.write_text(text)
    return load_plan(file, **options)


def test_steps_know_their_inputs_models_and_columns(tmp_path):
    plan = plan_of(
        tmp_path,
        f"""
engines: {{local: {{kind: transformers}}}}
stages:
  {CORPUS}
  - {{id: base, use: train.base}}
  {SOURCE}
  - {{id: zero, use: train.grpo, with: {{model: {{from: base}}}}}}
  - id: answers
    use: generate.traces
    from: rows
    with: {{engine: {{use: local, model: {{from: zero}}}}, prompt: solve.plain@1}}
""",
    )
    assert [step.kind for step in plan.steps] == [
        Kind.SOURCE,
        Kind.TRAINER,
        Kind.SOURCE,
        Kind.TRAINER,
        Kind.SHARD,
    ]
    zero, answers = plan.step("zero"), plan.step("answers")
    assert (zero.parents, zero.models, zero.starts_from) == (("rows",), ("base",), "base")
    assert (answers.parents, answers.models, answers.engines) == (("rows",), ("zero",), ("local(zero)",))
    assert {"question", "text", "trace_id"} <= answers.columns.keys()
    assert [step.id for step in plan.ancestors("zero")] == ["web", "base", "rows", "zero"]


def test_a_changed_model_changes_what_stands_on_it_and_nothing_else(tmp_path):
    text = f"""
engines: {{local: {{kind: transformers, model: {{from: base}}}}}}
stages:
  {CORPUS}
  - {{id: base, use: train.base, with: {{layers: 2}}}}
  {SOURCE}
  - {{id: answers, use: generate.traces, with: {{engine: local, prompt: solve.plain@1}}}}
"""
    one, other = plan_of(tmp_path, text), plan_of(tmp_path, text, settings=["stages.base.layers=3"])
    same = [s.id for s in one.steps if s.fingerprint == other.step(s.id).fingerprint]
    assert same == ["web", "rows"]


def test_what_cannot_change_a_model_is_no_part_of_its_name(tmp_path):
    text = f"stages:\n  {CORPUS}\n  - {{id: base, use: train.base}}\n"
    plain = plan_of(tmp_path, text)
    watched = plan_of(tmp_path, text, settings=["stages.base.save_steps=5", "stages.base.logging_steps=1"])
    assert plain.step("base").fingerprint == watched.step("base").fingerprint


def test_foreach_writes_stages_out_with_values_in_place(tmp_path):
    plan = plan_of(
        tmp_path,
        """
stages:
  - foreach:
      name: [a, b]
      size: [{rows: 3}, {rows: 4}]
    stages:
      - {id: "rows_${name}", use: ingest.miniature, with: {part: sums, count: "${size.rows}"}}
""",
    )
    assert [(step.id, step.stage.count) for step in plan.steps] == [("rows_a", 3), ("rows_b", 4)]


def test_a_stage_of_another_file_joins_the_plan_with_all_it_stands_on(tmp_path):
    (tmp_path / "1_base.yaml").write_text(f"stages:\n  {CORPUS}\n  - {{id: base, use: train.base}}\n")
    plan = plan_of(
        tmp_path,
        f"""
engines: {{local: {{kind: transformers, model: {{from: 1_base.yaml#base}}}}}}
stages:
  {SOURCE}
  - {{id: zero, use: train.grpo, with: {{model: {{from: 1_base.yaml#base}}}}}}
  - {{id: answers, use: generate.traces, from: rows, with: {{engine: local, prompt: solve.plain@1}}}}
""",
    )
    assert [step.id for step in plan.steps] == ["rows", "1_base/web", "1_base/base", "zero", "answers"]
    alone = load_plan(tmp_path / "1_base.yaml")
    assert plan.step("1_base/base").fingerprint == alone.step("base").fingerprint
    assert plan.step("answers").models == ("1_base/base",)


ASKS = f"""
engines: {{local: {{kind: openai, model: m}}}}
stages:
  {SOURCE}
  - {{id: answers, use: generate.traces, with: {{engine: local, prompt: solve.plain@1}}}}
"""


def own_prompt(folder):
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "solve.plain.v1.md").write_text("## user\nMine: {{ question }}\n")


def test_a_prompt_beside_the_file_goes_before_ours(tmp_path):
    ours = plan_of(tmp_path, ASKS)
    own_prompt(tmp_path)
    mine = plan_of(tmp_path, ASKS)
    assert mine.prompts["solve.plain@1"].turns == (("user", "Mine: {{ question }}"),)
    assert mine.step("answers").fingerprint != ours.step("answers").fingerprint


def test_a_template_beside_the_file_goes_before_ours(tmp_path):
    text = f"stages:\n  {CORPUS}\n  - {{id: base, use: train.base}}\n"
    ours = plan_of(tmp_path, text)
    (tmp_path / "prompts" / "templates").mkdir(parents=True)
    (tmp_path / "prompts" / "templates" / "plain.jinja").write_text("mine")
    mine = plan_of(tmp_path, text)
    assert mine.step("base").chat_template == "mine"
    assert mine.step("base").fingerprint != ours.step("base").fingerprint


@pytest.mark.parametrize("guest_first", [True, False])
def test_one_prompt_cannot_be_two_texts_in_one_plan(tmp_path, guest_first):
    own_prompt(tmp_path / "guest")
    plan_of(tmp_path / "guest", ASKS)
    joins = "  - {id: checked, use: verify.answers, from: guest/p.yaml#answers}\n"
    text = ASKS.replace("stages:\n", f"stages:\n{joins}") if guest_first else ASKS + joins
    with pytest.raises(ConfigError, match=r"prompt solve\.plain@1 has another text .* a new version"):
        plan_of(tmp_path, text)


def test_files_that_name_each_other_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_text(
        f"stages:\n  {SOURCE}\n  - {{id: x, use: verify.gold, from: b.yaml#rows}}\n"
    )
    text = f"stages:\n  {SOURCE}\n  - {{id: y, use: verify.gold, from: a.yaml#rows}}\n"
    with pytest.raises(ConfigError, match="leads back to itself"):
        plan_of(tmp_path, text, "b.yaml")


GOOD = f"""
engines: {{local: {{kind: transformers, model: {{from: base}}}}}}
stages:
  {CORPUS}
  - {{id: base, use: train.base, with: {{layers: 2}}}}
  {SOURCE}
  - {{id: answers, use: generate.traces, with: {{engine: local, prompt: solve.plain@1}}}}
  - {{id: checked, use: verify.answers}}
  - {{id: kept, use: select.traces}}
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("layers: 2", "layrs: 2", "stages[1] (base): unknown option 'layrs'; did you mean 'layers'?"),
        ("layers: 2", "layers: two", "(base).layers: Input should be a valid integer"),
        (
            "use: verify.answers",
            "use: verify.answer",
            "unknown stage 'verify.answer'; did you mean 'verify.answers'",
        ),
        ("prompt: solve.plain@1", "prompt: solve.plain@9", "no prompt 'solve.plain@9'"),
        (
            "  - {id: checked, use: verify.answers}\n",
            "",
            "(kept): reads outcome, which answers does not give",
        ),
        ("engine: local", "engine: loca", "no engine 'loca'; did you mean 'local'?"),
        ("kind: transformers", "kind: transformer", "unknown engine kind 'transformer'"),
        ("{from: base}", "{from: bass}", "'bass' names no earlier stage; did you mean 'base'?"),
        ("{from: base}", "{from: web}", "'web' gives a table, not a model"),
        ("model: {from: base}", "model: ./nowhere", "no such folder"),
        ("id: kept", "id: checked", "the id 'checked' is taken"),
        ("{id: kept, use", "{id: kept, form: checked, use", "unknown key 'form'"),
        ("use: select.traces}", "use: select.traces, from: base}", "'base' gives a model, not a table"),
        ("stages:", "stage:", "a mapping with a list of `stages`"),
        ("engines:", "engine:", "unknown part 'engine'"),
        ("id: kept", "id: a/b", "the id is 'a/b'; it has letters"),
        ("id: kept", 'id: ""', "the id is ''; it has letters"),
        (
            "solve.plain@1",
            "solve.plain@1, sampling: {temperature: .nan}",
            "sampling.temperature: is nan; a finite",
        ),
        (
            "solve.plain@1",
            "solve.plain@1, sampling: {top_p: 0}",
            "sampling.top_p: Input should be greater than 0",
        ),
        ("{id: kept", "{id: kept, id: two", "'id' stands twice in one mapping"),
        (
            "select.traces}",
            "select.traces, with: {pass_rate: [1, 0]}}",
            "stages[5] (kept): select.traces: pass_rate",
        ),
        ("engines:", "seed: one\nengines:", "seed is 'one'; it must be a whole number"),
        ("engines:", "engines: [", "not YAML"),
        ("engines:", "workers: {job: 2}\nengines:", "workers: unknown option 'job'; did you mean 'jobs'?"),
    ],
)
def test_a_wrong_file_fails_before_anything_runs(tmp_path, old, new, says):
    assert plan_of(tmp_path, GOOD).steps
    with pytest.raises(ConfigError) as caught:
        plan_of(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said_with_the_working_directory(tmp_path):
    with pytest.raises(ConfigError, match=r"no such pipeline file .working directory"):
        load_plan(tmp_path / "none.yaml")


def test_foreach_needs_lists_of_one_length(tmp_path):
    text = f"stages:\n  - foreach: {{a: [1, 2], b: [1]}}\n    stages:\n      {SOURCE}\n"
    with pytest.raises(ConfigError, match="lists of one length"):
        plan_of(tmp_path, text)


def test_a_slot_that_nothing_fills_is_said(tmp_path):
    text = "stages:\n  - {id: 'rows_${name}', use: ingest.miniature}\n"
    with pytest.raises(ConfigError, match=r"\$\{name\} names nothing"):
        plan_of(tmp_path, text)


def test_prompts_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert plan_of(tmp_path, GOOD).prompts["solve.plain@1"].slots == {"question"}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("sead=3", "--set sead=3: unknown part 'sead'; did you mean 'seed'?"),
        ("budgt.usd=1", "--set budgt.usd=1: unknown part 'budgt'; did you mean 'budget'?"),
        ("answers.samples=3", "--set answers.samples=3: unknown part 'answers'"),
        ("engines.locl.model=x", "engines.locl: no engine of this name; did you mean 'local'?"),
        ("stages.answers=3", "is a whole stage; write stages.answers.OPTION=value"),
        ("stages=3", "is all stages; write stages.ID.OPTION=value"),
    ],
)
def test_a_setting_of_what_no_pipeline_has_is_an_error(tmp_path, setting, says):
    with pytest.raises(ConfigError, match="--set") as caught:
        plan_of(tmp_path, GOOD, settings=[setting])
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["../out", "a/b", "a\\b", ".hidden", "..", "", " x", "a\nb", "3", "[a]"])
def test_a_pipeline_is_called_what_can_be_a_folder(tmp_path, name):
    with pytest.raises(ConfigError, match="pipeline is .* it names a folder"):
        plan_of(tmp_path, f"pipeline: {name if name in ('3', '[a]') else json.dumps(name)}\n{GOOD}")
    assert plan_of(tmp_path, f'pipeline: "my run (2).b"\n{GOOD}').name == "my run (2).b"


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("engines: 3", "engines is 3; it is a mapping"),
        ("engines: {local: 3}", "engines.local is 3; an engine is a mapping with `kind`"),
        (
            "engines: {spare: {kind: openai, mode: m}}",
            "engines.spare: unknown option 'mode'; did you mean 'model'?",
        ),
        ("engines: {spare: {kind: opnai}}", "unknown engine kind 'opnai'"),
        ("seed: 1\nseed: 2", "'seed' stands twice in one mapping"),
        ("budget: {max_cost: .inf}", "budget.max_cost: is inf; a finite number is expected"),
        ("workers: {jobs: 0}", "workers.jobs: Input should be greater than or equal to 1"),
    ],
)
def test_a_part_of_another_shape_is_an_error(tmp_path, part, says):
    text = f"{part}\nstages:\n  {SOURCE}\n"
    with pytest.raises(ConfigError) as caught:
        plan_of(tmp_path, text)
    assert says in str(caught.value)


def test_a_misspelt_reward_is_found_before_anything_is_paid_for(tmp_path):
    grpo = "- {id: zero, use: train.grpo, with: {model: {from: base}, max_steps: 1, rewards: {accurcy: 1.0}}}"
    base = "- {id: base, use: train.base, with: {layers: 2}}"
    with pytest.raises(
        ConfigError, match=r"stages\[3\] \(zero\): .*'accurcy' is unknown; did you mean 'accuracy'"
    ):
        plan_of(tmp_path, f"stages:\n  {CORPUS}\n  {base}\n  {SOURCE}\n  {grpo}\n")
