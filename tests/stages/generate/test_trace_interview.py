from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery.curate.adaptive_sampling import Adaptive
from distillery.engines import Completion, Failure, FailureKind, Sampling
from distillery.engines.cached import Cached
from distillery.engines.request_store import RequestStore
from distillery.engines.scripted import Scripted
from distillery.prompts import Prompt
from distillery.records import Outcome, Problem, Verdict
from distillery.stages.generate import trace_interview
from distillery.stages.generate.traces import GenerateTraces

PROMPT = Prompt("ask@1", (("user", "{{ question }}"),))
POLICY = Adaptive(accept=2, patience=4)


class Context:
    seed = 17

    def __init__(self, engine):
        self._engine, self.counts = engine, Counter()

    def engine(self, name):
        return self._engine

    def prompt(self, name):
        return PROMPT

    def progress(self, **counts):
        self.counts.update(counts)

    def alarm(self, text):
        raise AssertionError(text)


class Slow:
    """Checkers that give a verdict when `ready` says so, in an order of its choice."""

    def __init__(self, ready=lambda waiting: [waiting.pop(0)]):
        self._ready, self._waiting = ready, []

    def __call__(self, **_):
        return self

    @property
    def busy(self):
        return bool(self._waiting)

    def submit(self, token, problem, text):
        right = text.endswith(problem.gold)
        self._waiting.append((token, Verdict.of(right) if problem.gold else Verdict(Outcome.NO_GOLD)))

    def take(self):
        return self._ready(self._waiting) if self._waiting else []

    def close(self):
        self._waiting.clear()


@pytest.fixture
def slow(monkeypatch):
    """Verdicts are held back until `slow.append(number)`."""
    leave = []

    def ready(waiting):
        count = leave.pop() if leave else 0
        found = waiting[:count]
        del waiting[:count]
        return found

    monkeypatch.setattr(trace_interview, "Beside", Slow(ready))
    return leave


def table(count=1, **columns):
    problems = [Problem(f"{n} and 1?", str(n + 1)) for n in range(count)]
    return pl.DataFrame([problem.row() for problem in problems]).with_columns(
        **{name: pl.lit(value) for name, value in columns.items()}
    )


def stage(**options):
    options = {"samples": 8, "policy": "adaptive", "adaptive": POLICY} | options
    return GenerateTraces(engine="teacher", prompt="ask@1", **options)


def ask(engine, rows, **options):
    return stage(**options).apply(rows, Context(engine))


def by_chance(request):
    """Right, wrong, too long, refused or lost: by its seed alone."""
    question = request.messages[0][1]
    match request.seed % 23:
        case 0:
            return Failure(request.key, FailureKind.REFUSED, "no")
        case 1 | 2:
            return Failure(request.key, FailureKind.TRANSPORT, "gone")
        case 3 | 4 | 5 if not request.begun:
            return Completion(request.key, "<think>\nlet me see", "length", 3, 5)
        case chance:
            return Completion(
                request.key, question[0] if chance < 15 else str(int(question[0]) + 1), "stop", 3, 1
            )


def talk(interview, reply, luck):
    """Asks it everything, hearing replies in any order, some at once and some much later."""
    asked, in_flight = [], []
    while not interview.finished:
        request = interview.due() if luck.random() < 0.6 else None
        if request:
            asked.append(request)
            in_flight.append(request)
        elif in_flight and luck.random() < 0.5:
            interview.hear(reply(in_flight.pop(luck.randrange(len(in_flight)))))
    return asked


@pytest.mark.slow
@given(st.integers(0, 2**32), st.sampled_from([POLICY, Adaptive(accept=None), Adaptive(wave=3)]))
@settings(max_examples=60, deadline=None)
def test_what_is_asked_and_written_does_not_depend_on_who_answers_first(seed, policy):
    luck = random.Random(seed)

    def ready(waiting):
        luck.shuffle(waiting)
        count = luck.randint(0, len(waiting))
        found = waiting[:count]
        del waiting[:count]
        return found

    options = {"adaptive": policy, "continue_tokens": 9}
    rows = table(5)
    expected = Scripted(reply=by_chance)
    output = ask(expected, rows, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace_interview, "Beside", Slow(ready))
        ctx = Context(Scripted())
        interview = stage(**options).interview(rows, ctx)
        asked = talk(interview, by_chance, luck)
    assert Counter(one.key for one in asked) == Counter(one.key for one in expected.calls)
    assert set(asked) == set(expected.calls)
    found = interview.output()
    assert found.kept.equals(output.kept)
    assert found.dropped.equals(output.dropped)
    assert found.metrics == output.metrics


def test_a_run_from_the_store_asks_nothing_and_writes_the_same(tmp_path):
    def reply(request):
        answer = by_chance(request)
        return answer if isinstance(answer, Completion) else "none"

    options = {"adaptive": Adaptive(accept=3), "continue_tokens": 9}
    store = RequestStore(tmp_path)
    first, second = Scripted(reply=reply), Scripted(reply=reply)
    before = ask(Cached(first, store), table(6), **options)
    after = ask(Cached(second, store), table(6), **options)
    assert first.calls
    assert second.calls == []
    assert after.kept.equals(before.kept)


def test_a_policy_that_wants_more_asks_only_for_the_rest(tmp_path):
    store = RequestStore(tmp_path)
    few, more = Scripted(reply=lambda _: "1"), Scripted(reply=lambda _: "1")
    ask(Cached(few, store), table(), adaptive=Adaptive(accept=2))
    ask(Cached(more, store), table(), adaptive=Adaptive(accept=5))
    assert (len(few.calls), len(more.calls)) == (2, 3)


def test_other_problems_are_asked_while_a_verdict_is_awaited(slow):
    interview = stage().interview(table(2), Context(Scripted()))
    first = [interview.due(), interview.due()]
    for request in first:
        interview.hear(by_text("no")(request))
    assert {interview.due().messages, interview.due().messages} == {(("user", "1 and 1?"),)}
    assert interview.due() is None
    assert not interview.finished
    slow.append(2)
    assert interview.due().messages == first[0].messages
    interview.close()


def by_text(text):
    return lambda request: Completion(request.key, text, "stop", 3, 1)


def test_a_wave_waits_for_the_last_verdict_of_the_one_before(slow):
    interview = stage().interview(table(), Context(Scripted()))
    for request in (interview.due(), interview.due()):
        interview.hear(by_text("no")(request))
    slow.append(1)
    assert interview.due() is None
    slow.append(1)
    assert interview.due()


def test_an_engine_that_answers_in_rounds_gets_its_next_round_when_all_is_judged(slow):
    class InRounds(Scripted):
        independent = False

    interview = stage().interview(table(2), Context(InRounds()))
    taken = [interview.due() for _ in range(4)]
    assert None not in taken
    for request in taken:
        interview.hear(by_text("no")(request))
    slow.append(2)
    assert interview.due() is None
    slow.append(2)
    assert None not in [interview.due() for _ in range(4)]


@pytest.mark.parametrize(("kind", "asked"), [("refused", 2), ("context_length", 2), ("transport", 4)])
def test_only_a_failure_that_the_next_sample_would_share_ends_a_problem(kind, asked):
    engine = Scripted(reply=lambda request: Failure(request.key, FailureKind(kind), "no"))
    output = ask(engine, table())
    assert len(engine.calls) == asked
    assert output.dropped["reason"].to_list() == [kind] * asked


def test_a_problem_whose_gold_cannot_be_read_is_not_sampled_in_vain():
    engine = Scripted(reply=lambda _: "\\boxed{1}")
    output = ask(engine, table(gold="", checker="math"))
    assert len(engine.calls) == 2
    assert output.kept["pass_rate"].to_list() == [None, None]


def test_a_problem_that_stands_in_the_table_twice_is_asked_once():
    engine = Scripted(reply=lambda _: "1")
    for policy in ("fixed", "adaptive"):
        ask(engine, pl.concat([table(), table()]), policy=policy, samples=2)
    assert len(engine.calls) == 4


def test_progress_counts_the_accepted():
    ctx = Context(Scripted(reply=lambda _: "2"))
    stage().apply(table(2), ctx)
    assert (ctx.counts["rows"], ctx.counts["accepted"]) == (6, 2)


def test_a_problem_that_does_not_think_is_judged_all_the_same():
    kept = ask(Scripted(reply=lambda _: "1"), table(thinking="off")).kept
    assert kept.select("text", "pass_rate").unique().rows() == [("<think>\n\n</think>\n1", 1.0)]


def continued(rest, *, cut="<think>\nlet me", **options):
    """One sample whose text is cut, and what `rest` makes of it."""
    engine = Scripted(reply=lambda one: rest(one) if one.begun else Completion(one.key, cut, "length", 3, 5))
    options = {"samples": 1, "policy": "fixed", "continue_tokens": 9} | options
    return engine, ask(engine, table(), **options)


def test_a_text_that_was_cut_is_gone_on_with_once():
    engine, output = continued(lambda one: Completion(one.key, " see\n</think>\n1", "stop", 8, 4))
    first, second = engine.calls
    assert second.key != first.key
    assert second == replace(first, key=second.key, begun="<think>\nlet me", sampling=Sampling(max_tokens=9))
    (row,) = output.kept.to_dicts()
    assert (row["reasoning"], row["answer"], row["finish"]) == ("let me see", "1", "stop")
    assert (row["prompt_tokens"], row["completion_tokens"]) == (3, 9)
    assert row["trace_id"] == second.key
    assert (output.metrics["requests"], output.metrics["truncated"]) == (1.0, 0.0)
    assert (output.metrics["prompt_tokens"], output.metrics["completion_tokens"]) == (11.0, 9.0)  # as paid


def test_what_is_cut_again_stays_cut():
    engine, output = continued(lambda one: Completion(one.key, " see", "length", 8, 4))
    assert len(engine.calls) == 2
    (row,) = output.kept.to_dicts()
    assert (row["text"], row["finish"], row["completion_tokens"]) == ("<think>\nlet me see", "length", 9)


def test_a_continuation_that_fails_leaves_what_was_there():
    engine, output = continued(lambda one: Failure(one.key, FailureKind.CONTEXT_LENGTH, "too long"))
    (row,) = output.kept.to_dicts()
    assert (row["text"], row["finish"], row["completion_tokens"]) == ("<think>\nlet me", "length", 5)
    assert row["trace_id"] == engine.calls[0].key
    assert output.dropped.is_empty()


def test_without_the_option_a_cut_text_is_left_as_it_is():
    engine, output = continued(lambda one: "never asked", continue_tokens=None)
    assert len(engine.calls) == 1
    assert output.kept["finish"].to_list() == ["length"]


def test_a_text_cut_in_a_loop_is_not_gone_on_with():
    engine = Scripted(reply=lambda one: Completion(one.key, "<think>\nso so so", "loop", 3, 5))
    ask(engine, table(), samples=1, policy="fixed", continue_tokens=9)
    assert len(engine.calls) == 1


def test_a_continued_sample_is_judged_by_the_whole_text():
    engine, output = continued(
        lambda one: Completion(one.key, " see\n</think>\n1", "stop", 8, 4), samples=8, policy="adaptive"
    )
    assert len(engine.calls) == 4
    assert output.kept["pass_rate"].to_list() == [1.0, 1.0]
