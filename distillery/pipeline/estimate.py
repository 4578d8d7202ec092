"""What a plan will make and cost, before anything runs: rows, tokens, GPU-hours, money, disk.

A figure comes from the store where it was measured there, else from the step's `expect`, else from a limit
that
it cannot exceed (`at_most`), else it is None. The time of processors (checking, filtering, dedup) is not
estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from distillery.config import build
from distillery.pipeline.costs import Cost, Desk, grpo, inference, model_bytes, plus, sft, times
from distillery.pipeline.expect import Expect
from distillery.pipeline.measured import Measured, measure
from distillery.pipeline.plan import Kind, Plan, Step
from distillery.pipeline.prices import Prices
from distillery.stages.base import AskingStage, ShardStage, Source, UnionStage
from distillery.store.stage_dir import StageDir
from distillery.train.options import GrpoOptions


class Flow(NamedTuple):
    """What a table carries on to the steps that read it."""

    rows: float | None
    problems: float | None
    prompt_tokens: float | None  # mean of a row
    tokens: float | None  # mean of a row's completion; 0 before there is one
    at_most: bool = False


class Figure(NamedTuple):
    """A number, whether it is only a bound, and why."""

    value: float | None
    at_most: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class StepEstimate(Cost):
    id: str
    use: str
    parents: tuple[str, ...]
    fingerprint: str
    done: bool
    rows: float | None = None  # that come out
    disk_bytes: float | None = 0.0


@dataclass(frozen=True, kw_only=True)
class Total:
    """A sum over the steps that are not done yet."""

    value: float
    unknown: tuple[str, ...]  # ids of steps that it lacks
    at_most: bool


def estimate(
    plan: Plan, *, store: Path | None, prices: Prices, samples: Mapping[str, StageDir] | None = None
) -> list[StepEstimate]:
    """One estimate a step, in order. `samples`: by step id, folders of the same step on other rows of
    input."""
    book = _Book(plan, store, prices, samples or {})
    return [book.enter(step) for step in plan.steps]


def total(steps: Iterable[StepEstimate], figure: str) -> Total:
    """The sum of `figure` (a field's name) over what is still owed."""
    owed = [step for step in steps if not step.done]
    known = [step for step in owed if getattr(step, figure) is not None]
    return Total(
        value=sum(getattr(step, figure) for step in known),
        unknown=tuple(step.id for step in owed if getattr(step, figure) is None),
        at_most=any(step.at_most for step in known if getattr(step, figure)),
    )


class _Book:
    """Walks the plan in order and remembers what each table carries."""

    def __init__(
        self, plan: Plan, store: Path | None, prices: Prices, samples: Mapping[str, StageDir]
    ) -> None:
        self.plan, self.store, self.samples = plan, store, samples
        self.desk = Desk(plan=plan, store=store, prices=prices)
        self.flows: dict[str, Flow] = {}

    def enter(self, step: Step) -> StepEstimate:
        expect = build(Expect, step.expect, where=f"{step.id}.expect")
        known = self._measured(step)
        before = _merged([self.flows[parent] for parent in step.parents])
        blank = StepEstimate(
            id=step.id, use=step.use, parents=step.parents, fingerprint=step.fingerprint,
            done=known is not None and known.done, at_most=before.at_most,
        )  # fmt: skip
        if step.kind is Kind.TRAINER:
            return self._finished(blank, known) or self._trained(step, blank, expect, before)
        if step.kind is Kind.SINK:
            return self._finished(blank, known) or self._table(blank, before, ())
        flow, notes = self._flow(step, expect, known, before)
        self.flows[step.id] = flow
        entry = self._finished(blank, known) or self._table(blank, flow, notes)
        return self._asked(step, entry, expect, known, before) if step.engines and not entry.done else entry

    def _measured(self, step: Step) -> Measured | None:
        """Of this very step, else of the same step on other rows."""
        if self.store and (found := measure(StageDir(self.store / step.folder))):
            return found
        other = measure(self.samples[step.id]) if step.id in self.samples else None
        return replace(other, done=False) if other else None

    def _finished(self, blank: StepEstimate, known: Measured | None) -> StepEstimate | None:
        if known is None or not known.done:
            return None
        return replace(
            blank,
            rows=known.rows_in if known.model else known.rows_out,
            prompt_tokens=known.counts.get("prompt_tokens", 0.0),
            tokens=known.counts.get("completion_tokens", 0.0),
            disk_bytes=known.bytes,
            at_most=False,
            notes=("done: rows, tokens and disk are measured",),
        )

    def _flow(
        self, step: Step, expect: Expect, known: Measured | None, before: Flow
    ) -> tuple[Flow, tuple[str, ...]]:
        if known is not None and known.done:
            return _measured_flow(step, known, expect, before), ()
        if step.kind is Kind.SOURCE:
            return self._source(step, expect)
        rows, bound, note = _rows_out(step, expect, known, before)
        tokens, problems, at_most = before.tokens, before.problems, before.at_most or bound
        notes = (note,) if note else ()
        if _samples(step):
            tokens, at_cap, note = _completion(step, expect, known)
            at_most, notes = at_most or at_cap, (*notes, note)
        if expect.rows is not None:
            rows, at_most, notes = expect.rows, False, (f"{expect.rows:,.0f} rows (expected)",)
        if rows is not None and problems is not None:
            problems = min(problems, rows)
        return Flow(rows, problems, before.prompt_tokens, tokens, at_most), notes

    def _source(self, step: Step, expect: Expect) -> tuple[Flow, tuple[str, ...]]:
        rows, note = expect.rows, "rows as expected"
        source = step.stage if isinstance(step.stage, Source) else None
        if rows is None:
            found = source.expected_rows() if source else None
            rows, note = found and float(found), "rows as counted"
        caps = [cap for cap in (source and source.limit, self.plan.limit) if cap]
        at_most = False
        if caps:
            at_most = rows is None
            rows, note = float(min([*caps, rows or min(caps)])), f"{note}, limit {min(caps):,}"
        notes = (note if rows is not None else "rows: unknown; say expect: {rows: N}",)
        notes += (source.remark,) if source and source.remark else ()
        tokens = expect.tokens if "text" in step.columns else 0.0
        return Flow(rows, rows, expect.prompt_tokens, tokens, at_most), notes

    def _table(self, blank: StepEstimate, flow: Flow, notes: tuple[str, ...]) -> StepEstimate:
        each = plus([flow.prompt_tokens, flow.tokens])
        size = times(flow.rows, each, self.desk.prices.bytes_per_token)
        if blank.use == "mix.union":  # no text is written again
            size = 0.0
        return replace(blank, rows=flow.rows, disk_bytes=size, at_most=flow.at_most, notes=notes)

    def _asked(
        self, step: Step, entry: StepEstimate, expect: Expect, known: Measured | None, before: Flow
    ) -> StepEstimate:
        """With what the step's engine reads and writes, and what that costs."""
        tokens, at_cap, note = _completion(step, expect, known)
        requests, at_all, asked = _requests(step, expect, known, before)
        prompt = _first(known and _samples(step) and known.prompt_tokens, expect.prompt_tokens)
        if prompt is None and _samples(step):
            prompt = before.prompt_tokens
        read, written = times(requests, prompt), times(requests, tokens)
        cost = inference(self.desk, step, expect=expect, read=read, written=written)
        notes = dict.fromkeys((*entry.notes, asked, note, *cost.notes))
        return replace(
            entry, prompt_tokens=read, tokens=written, gpu_hours=cost.gpu_hours, usd=cost.usd,
            at_most=entry.at_most or at_cap or at_all, notes=tuple(note for note in notes if note),
        )  # fmt: skip

    def _trained(self, step: Step, blank: StepEstimate, expect: Expect, before: Flow) -> StepEstimate:
        if isinstance(step.stage, GrpoOptions):
            cost = grpo(self.desk, step, step.stage, expect=expect, prompt=before.prompt_tokens)
        else:
            mean = plus([before.prompt_tokens, before.tokens])
            bound = before.at_most
            cost = sft(self.desk, step, expect=expect, rows=before.rows, tokens=mean, at_most=bound)
        return replace(blank, rows=before.rows, disk_bytes=model_bytes(self.desk, step), **vars(cost))


def _merged(flows: Sequence[Flow]) -> Flow:
    """Tables read one after the other; means are weighted by rows."""
    if len(flows) == 1:
        return flows[0]
    rows = plus([flow.rows for flow in flows])

    def mean(name: str) -> float | None:
        whole = plus([times(flow.rows, getattr(flow, name)) for flow in flows])
        return whole / rows if whole is not None and rows else None

    problems = plus([flow.problems for flow in flows])
    return Flow(rows, problems, mean("prompt_tokens"), mean("tokens"), any(flow.at_most for flow in flows))


def _measured_flow(step: Step, known: Measured, expect: Expect, before: Flow) -> Flow:
    rows = float(known.rows_out)
    problems = rows if step.kind is Kind.SOURCE else before.problems and min(before.problems, rows)
    prompt = _first(known.prompt_tokens, before.prompt_tokens, expect.prompt_tokens)
    return Flow(rows, problems, prompt, _first(known.completion_tokens, before.tokens, expect.tokens))


def _rows_out(step: Step, expect: Expect, known: Measured | None, before: Flow) -> Figure:
    if known is not None and known.keep is not None:
        note = f"{known.keep:.3g} rows out for each in (measured on {known.rows_in:,})"
        return Figure(times(before.rows, known.keep), note=note)
    if _samples(step):
        each = _drawn(step, expect, known)
        return each._replace(value=times(before.rows, each.value, expect.keep or 1.0))
    if expect.keep is not None:
        return Figure(times(before.rows, expect.keep), note=f"keeps {expect.keep:.3g} (expected)")
    stage = step.row_stage
    if isinstance(stage, UnionStage):
        return Figure(before.rows, note="rows of several inputs are counted as if none stood in two of them")
    if not stage.may_drop or before.rows is None:
        return Figure(before.rows)
    most = min(before.rows, stage.most_rows(before.rows, before.problems))
    return Figure(most, at_most=True, note="what it keeps is unknown; say expect: {keep: SHARE}")


def _samples(step: Step) -> bool:
    """Whether the step makes rows of its own, several a problem."""
    return isinstance(step.stage, ShardStage) and step.stage.fan_out is not None


def _drawn(step: Step, expect: Expect, known: Measured | None) -> Figure:
    """Samples of a problem."""
    stage = step.stage
    assert isinstance(stage, ShardStage)
    if expect.samples or stage.fan_out:
        return Figure(expect.samples or float(stage.fan_out or 0))
    if known is not None and known.rows_in and "requests" in known.counts:
        each = known.counts["requests"] / known.rows_in
        return Figure(each, note=f"{each:.3g} samples a problem (measured on {known.rows_in:,})")
    most = stage.requests_a_row if isinstance(stage, AskingStage) else 1
    return Figure(most, at_most=True, note=f"{most} samples a problem (its cap)")


def _completion(step: Step, expect: Expect, known: Measured | None) -> Figure:
    """Mean tokens of one."""
    if known is not None and _samples(step) and known.completion_tokens is not None:
        mean = known.completion_tokens
        return Figure(mean, note=f"{mean:,.0f} tokens a completion (measured on {known.rows_out:,})")
    if expect.tokens is not None:
        return Figure(expect.tokens, note=f"{expect.tokens:,.0f} tokens a completion (expected)")
    cap = step.stage.sampling.max_tokens if isinstance(step.stage, AskingStage) else None
    note = f"{cap:,} tokens a completion (its max_tokens)" if cap else "tokens a completion: unknown"
    return Figure(cap, at_most=True, note=note)


def _requests(step: Step, expect: Expect, known: Measured | None, before: Flow) -> Figure:
    """To the engine."""
    if _samples(step):
        each = _drawn(step, expect, known)
        return each._replace(value=times(before.rows, each.value))
    votes = step.stage.requests_a_row if isinstance(step.stage, AskingStage) else 1
    if known is not None and "asked" in known.counts and known.rows_in:
        share = known.counts["asked"] / known.rows_in
        said = f"asked about {share:.3g} of the rows (measured)"
        return Figure(times(before.rows, share, votes), note=said)
    if expect.asked is not None:
        said = f"asked about {expect.asked:.3g} of the rows (expected)"
        return Figure(times(before.rows, expect.asked, votes), note=said)
    said = "asked about every row at most; say expect: {asked: SHARE}"
    return Figure(times(before.rows, votes), at_most=True, note=said)


def _first(*values: Any) -> float | None:
    return next((float(value) for value in values if value is not None and value is not False), None)
