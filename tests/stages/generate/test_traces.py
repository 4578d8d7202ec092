from pathlib import Path

import polars as pl
import pytest

from distillery.config import build
from distillery.curate.adaptive_sampling import Adaptive
from distillery.curate.difficulty import DIFFICULTY
from distillery.engines import Completion, Failure
from distillery.engines.base import rounds
from distillery.engines.scripted import Scripted
from distillery.errors import ConfigError
from distillery.prompts import Prompt, load_prompt
from distillery.records import PROBLEM, TRACE, Problem
from distillery.stages.generate.traces import GenerateTraces

PROMPT = Prompt("ask@1", (("user", "Q: {{ question }}"),))
PROBLEMS = pl.DataFrame([Problem("1+1?", "2").row(), Problem("2+2?", "4", thinking="off").row()])
FIRST, SECOND = PROBLEMS["problem_id"]


class Context:
    seed = 17

    def __init__(self, engine, prompt=PROMPT):
        self.counts, self.alarms = [], []
        self._engine, self._prompt = engine, prompt

    def engine(self, name):
        assert name == "teacher"
        return self._engine

    def prompt(self, name):
        return self._prompt

    def progress(self, **counts):
        self.counts.append(counts)

    def alarm(self, text):
        self.alarms.append(text)


def generate(engine, table=PROBLEMS, **options):
    return GenerateTraces(engine="teacher", prompt="ask@1", **options).apply(table, Context(engine))


def test_each_problem_gets_its_samples_beside_its_own_columns():
    kept = generate(Scripted(), samples=3).kept
    assert kept.schema == pl.Schema({**PROBLEM, **TRACE})
    assert kept["problem_id"].to_list() == [FIRST] * 3 + [SECOND] * 3
    assert kept["sample"].to_list() == [0, 1, 2, 0, 1, 2]
    assert kept["trace_id"].is_unique().all()


def test_a_trace_keeps_all_that_is_known_about_it():
    row = generate(Scripted()).kept.row(0, named=True)
    assert row["text"] == f"<think>\nQ: 1+1?\n</think>\n{row['answer']}"
    assert row["reasoning"] == "Q: 1+1?"
    assert (row["engine"], row["model"]) == ("teacher", "scripted")
    assert row["prompt"] == f"ask@1:{PROMPT.digest}"
    assert row["sampling"] == '{"temperature": 0.6, "top_p": 0.95, "max_tokens": 8192, "stop": []}'
    assert (row["finish"], row["prompt_tokens"], row["completion_tokens"]) == ("stop", 2, 2)


def test_a_failed_sample_is_in_the_ledger_though_its_siblings_succeeded():
    def reply(request):
        return Failure(request.key, "refused", "no") if len(engine.calls) == 2 else "fine"

    engine = Scripted(reply=reply)
    output = generate(engine, samples=3)
    assert output.kept.filter(problem_id=FIRST)["sample"].to_list() == [0, 2]
    assert output.dropped.to_dicts() == [{"key": FIRST, "reason": "refused", "detail": "sample 1: no"}]


def test_a_problem_without_a_completion_stands_in_the_ledger_by_its_failures():
    output = generate(Scripted(reply=lambda asked: Failure(asked.key, "transport", "gone")), samples=2)
    assert output.kept.is_empty()
    assert output.kept.schema == pl.Schema({**PROBLEM, **TRACE})
    assert output.dropped.height == 4


def test_rows_stand_in_the_tables_order_however_replies_come_in():
    class Backwards(Scripted):
        def batches(self, requests):
            for taken in rounds(requests):
                yield from super().batches(taken[::-1])
                yield ()

    assert generate(Backwards(), samples=2).kept.equals(generate(Scripted(), samples=2).kept)


def test_more_samples_leave_the_first_ones_as_they_were():
    few, many = generate(Scripted(), samples=2).kept, generate(Scripted(), samples=4).kept
    assert set(few["trace_id"]) < set(many["trace_id"])


def test_another_order_of_problems_asks_for_the_same():
    assert set(generate(Scripted(), PROBLEMS.reverse()).kept["trace_id"]) == set(
        generate(Scripted()).kept["trace_id"]
    )


@pytest.mark.parametrize("change", ["prompt", "model", "sampling", "seed"])
def test_what_can_change_a_completion_changes_its_id(change):
    stage, ctx = GenerateTraces(engine="teacher", prompt="ask@1"), Context(Scripted())
    before = stage.apply(PROBLEMS, ctx).kept["trace_id"][0]
    match change:
        case "prompt":
            ctx = Context(Scripted(), Prompt("ask@1", (("system", "Think."), *PROMPT.turns)))
        case "model":
            ctx = Context(Scripted(name="other"))
        case "sampling":
            stage = build(
                GenerateTraces,
                {"engine": "teacher", "prompt": "ask@1", "sampling": {"temperature": 1.0}},
                where="here",
            )
        case "seed":
            ctx.seed = 18
    assert stage.apply(PROBLEMS, ctx).kept["trace_id"][0] != before


def test_an_answer_that_needs_no_thought_gets_an_empty_block():
    kept = generate(Scripted(reply=lambda _: "Hello!")).kept
    assert kept["text"].to_list() == ["Hello!", "<think>\n\n</think>\nHello!"]
    assert kept["reasoning"].to_list() == [None, ""]
    assert kept["answer"].to_list() == ["Hello!", "Hello!"]


def test_a_thought_that_never_closed_has_no_answer():
    kept = generate(Scripted(reply=lambda _: "<think>\nlet me")).kept
    assert kept["answer"].to_list() == [None, None]


def test_counts_and_progress_tell_rows_tokens_and_truncation():
    ctx = Context(Scripted(reply=lambda _: "one two three"))
    stage = build(
        GenerateTraces, {"engine": "teacher", "prompt": "ask@1", "sampling": {"max_tokens": 2}}, where="here"
    )
    output = stage.apply(PROBLEMS, ctx)
    assert ctx.counts == [{"rows": 1, "tokens": 2, "prompt_tokens": 2, "truncated": 1}] * 2
    assert output.metrics == {
        "requests": 2.0,
        "failed": 0.0,
        "truncated": 2.0,
        "looped": 0.0,
        "thought_wanted": 1.0,
        "without_thought": 1.0,
        "prompt_tokens": 4.0,
        "completion_tokens": 4.0,
    }


def test_an_empty_shard_asks_nothing():
    engine = Scripted()
    output = generate(engine, PROBLEMS.head(0))
    assert (output.kept.height, output.metrics["completion_tokens"], engine.calls) == (0, 0.0, [])


def test_a_prompt_with_other_slots_is_a_config_error():
    ctx = Context(Scripted(), Prompt("ask@1", (("user", "{{ gold }}"),)))
    with pytest.raises(ConfigError, match="has slots"):
        GenerateTraces(engine="teacher", prompt="ask@1").apply(PROBLEMS, ctx)


def test_an_engine_whose_identity_names_no_model_is_named_by_all_of_it():
    class Nameless(Scripted):
        identity = {"options": {"seed": 1}}

    assert generate(Nameless()).kept["model"][0] == '{"options": {"seed": 1}}'


def test_zero_samples_are_refused():
    with pytest.raises(ConfigError, match="samples"):
        build(GenerateTraces, {"engine": "e", "prompt": "p", "samples": 0}, where="here")


def test_the_prompts_of_the_house_fit():
    root = Path(__file__).parents[3] / "prompts"
    for name in ("solve.boxed@1", "solve.plain@1", "general.think@1", "general.plain@1"):
        ctx = Context(Scripted(), load_prompt(name, root))
        assert GenerateTraces(engine="teacher", prompt=name).apply(PROBLEMS, ctx).kept.height == 2


def test_a_text_that_was_cut_in_a_loop_is_counted():
    engine = Scripted(reply=lambda asked: Completion(asked.key, "again again", "loop", 2, 2))
    output = generate(engine)
    assert output.kept["finish"].to_list() == ["loop", "loop"]
    assert (output.metrics["looped"], output.metrics["truncated"]) == (2.0, 0.0)


def problems(count, thinking="on"):
    return pl.DataFrame([Problem(f"{n}+1?", str(n + 1), thinking=thinking).row() for n in range(count)])


def alarms(reply, table):
    ctx = Context(Scripted(reply=reply))
    GenerateTraces(engine="teacher", prompt="ask@1").apply(table, ctx)
    return ctx.alarms


def test_a_model_that_hardly_ever_thinks_is_an_alarm():
    (text,) = alarms(lambda _: "4", problems(20))
    assert text.startswith("20 of 20 replies have no thought")


def test_a_few_replies_without_a_thought_are_none():
    assert alarms(lambda _: "4", problems(19)) == []
    assert (
        alarms(lambda asked: "<think>\nso\n</think>\n4" if asked.seed % 4 == 0 else "4", problems(60)) == []
    )


def test_where_no_thought_is_wanted_none_is_missed():
    unthinking = problems(40, thinking="off")
    assert alarms(lambda _: "4", unthinking) == []
    both = pl.concat([unthinking.head(20), problems(40).tail(20)])
    (text,) = alarms(lambda _: "4", both)
    assert text.startswith("20 of 20 replies")


def test_each_sample_drawn_adaptively_is_a_row_with_its_problems_pass_rate():
    policy = Adaptive(accept=2, patience=3)
    output = generate(Scripted(reply=lambda _: "2"), samples=6, policy="adaptive", adaptive=policy)
    assert output.kept.schema == pl.Schema({**PROBLEM, **TRACE, **DIFFICULTY})
    rates = output.kept.group_by("problem_id", "pass_rate", "attempts").len().sort("attempts")
    assert rates.rows() == [(FIRST, 1.0, 2, 2), (SECOND, 0.0, 3, 3)]


def test_a_problem_of_which_nothing_was_judged_has_no_pass_rate():
    table = PROBLEMS.with_columns(checker=pl.lit("no such checker"))
    kept = generate(Scripted(), table, samples=2, policy="adaptive").kept
    assert kept.select("pass_rate", "attempts").unique().rows() == [(None, kept.height // 2)]


def test_a_pass_rate_that_was_there_before_makes_place():
    table = PROBLEMS.with_columns(pass_rate=pl.lit(0.5), attempts=pl.lit(9, pl.Int32))
    kept = generate(Scripted(reply=lambda _: "2"), table, samples=2, policy="adaptive").kept
    assert kept["pass_rate"].unique().sort().to_list() == [0.0, 1.0]


def test_only_adaptive_sampling_needs_to_know_the_answer():
    fixed, adaptive = (
        GenerateTraces(engine="e", prompt="p", samples=4, policy=p) for p in ("fixed", "adaptive")
    )
    assert (fixed.reads, fixed.fan_out) == (("problem_id", "question"), 4)
    assert (adaptive.reads, adaptive.fan_out) == (("problem_id", "question", "gold", "checker"), 0)
