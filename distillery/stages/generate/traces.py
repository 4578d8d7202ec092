"""generate.traces: n samples of each problem, from any engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from distillery.curate.adaptive_sampling import Adaptive
from distillery.curate.difficulty import DIFFICULTY
from distillery.engines.base import Completion, Engine, FailureKind, Sampling
from distillery.errors import ConfigError
from distillery.hashing import Json
from distillery.prompts import Prompt
from distillery.reasoning import join, split
from distillery.records import LEDGER, TRACE, Columns, Thinking
from distillery.stages.base import AskingStage, Context, Interview, Output, Uses, computed
from distillery.stages.generate.trace_interview import Draws, Sample, TraceInterview
from distillery.stages.own_checkers import OwnCheckers

_NEW = {"identity": "changed"}
# replies of a shard, and the share without a thought that is worth an alarm
_ENOUGH_TO_TELL, _MOSTLY = 20, 0.95


@dataclass(frozen=True)
class GenerateTraces(OwnCheckers, AskingStage):
    """Samples reasoning traces of each problem; a sample that fails stands in the ledger by its problem.

    A trace's id is its request's key, so that more samples, more problems or another order of them ask only
    for what is new. Where `thinking` is "off", an answer without a thought gets an empty think block.

    `policy: adaptive` judges while it samples (`distillery.curate.adaptive_sampling`): a problem is done when
    enough samples were right or no more are to be hoped for; `samples` is then the most that are drawn. Every
    sample drawn is a row, with the problem's pass rate over all of them.

    Earlier turns of the conversation (`history` in the payload) stand before the prompt's last turn.

        - id: traces
          use: generate.traces
          with:
            engine: teacher
            prompt: solve.boxed@1
            samples: 4
            sampling: {max_tokens: 32768}
    """

    engine: str
    """Its name under `engines`, or a mapping: `{use: NAME, model: {from: STAGE}}`."""
    prompt: str
    """Name and version, as solve.plain@1: a file in prompts/."""
    samples: Annotated[int, Field(ge=1)] = 1
    """Traces drawn of each problem; with the adaptive policy the most."""
    sampling: Sampling = Sampling()
    """How completions are drawn."""
    policy: Literal["fixed", "adaptive"] = field(default="fixed", metadata=_NEW)
    """`adaptive` judges while it samples and stops when a problem is done."""
    adaptive: Adaptive = field(default=Adaptive(), metadata=_NEW)
    """For the adaptive policy: when a problem is done."""
    continue_tokens: Annotated[int | None, Field(ge=1)] = field(default=None, metadata=_NEW)
    """Tokens for what the token limit cut off, once; null: it stays cut off."""
    plain_prompt: str = field(default="", metadata=_NEW)
    """The prompt where `thinking` is off; "": the same."""

    version = 1
    reasons = tuple(FailureKind)
    key = "problem_id"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.policy == "adaptive" and self.samples == 1:
            raise ConfigError(
                "generate.traces: samples is 1, the most that policy adaptive may draw; raise it, 64 is usual"
            )

    @computed
    def reads(self) -> tuple[str, ...]:  # `thinking` too, where there is one
        judged = ("gold", "checker") if self.policy == "adaptive" else ()
        return ("problem_id", "question", *judged)

    @computed
    def writes(self) -> Columns:
        return {**TRACE, **DIFFICULTY} if self.policy == "adaptive" else TRACE

    @computed
    def fan_out(self) -> int:
        """Rows kept or dropped for each row that came in; 0: as many as it takes, at least one."""
        return self.samples if self.policy == "fixed" else 0

    @computed
    def requests_a_row(self) -> int:
        return self.samples

    def uses(self) -> Uses:
        return Uses((self.engine,), tuple(filter(None, (self.prompt, self.plain_prompt))))

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        draws = Draws(
            engine=self.engine,
            prompt=self.prompt,
            plain_prompt=self.plain_prompt or self.prompt,
            samples=self.samples,
            sampling=self.sampling,
            policy=self.adaptive if self.policy == "adaptive" else None,
            continue_tokens=self.continue_tokens,
            checkers=self.checkers,
        )
        return TraceInterview(draws, table, ctx, output=lambda heard: self._rows(table, heard, ctx))

    def _rows(self, table: pl.DataFrame, heard: TraceInterview, ctx: Context) -> Output:
        """Rows in the table's order, the samples of a problem in theirs, however the replies came in."""
        engine, prompt = ctx.engine(self.engine), ctx.prompt(self.prompt)
        plain = ctx.prompt(self.plain_prompt or self.prompt)
        constant = self._constant_columns(engine, prompt)
        unthinking = self._constant_columns(engine, plain)
        traces: list[dict[str, Any]] = []
        failures: list[dict[str, Any]] = []
        for sample in heard.samples:
            reply = sample.reply
            if isinstance(reply, Completion):
                tally = heard.tallies[sample.problem_id]
                rate = tally.right / tally.judged if tally.judged else None
                rates = {"pass_rate": rate, "attempts": tally.heard} if self.policy == "adaptive" else {}
                same = unthinking if sample.thinking == Thinking.OFF else constant
                traces.append({"problem_id": sample.problem_id, **same, **_trace(reply, sample), **rates})
            else:
                detail = f"sample {sample.sample}: {reply.message}"
                row = {"key": sample.problem_id, "reason": str(reply.kind), "detail": detail}
                failures.append({**row, "at": sample.sample})
        output = _output(table, traces, failures, self.writes)
        output.metrics["prompt_tokens"] = float(heard.prompt_tokens)  # also of what failed
        output.metrics["completion_tokens"] = float(heard.completion_tokens)
        self._say_if_it_does_not_think(output.metrics, ctx)
        return output

    def _say_if_it_does_not_think(self, counts: dict[str, float], ctx: Context) -> None:
        wanted = counts["thought_wanted"]
        if wanted >= _ENOUGH_TO_TELL and counts["without_thought"] > _MOSTLY * wanted:
            ctx.alarm(
                f"{counts['without_thought']:.0f} of {wanted:.0f} replies have no thought; if the model"
                " reasons, its server hides the thought or its template eats it (vLLM: --reasoning-parser;"
                " option must_think)"
            )

    def _constant_columns(self, engine: Engine, prompt: Prompt) -> dict[str, str]:
        return {
            "engine": self.engine,
            "model": _model(engine.identity),
            "prompt": f"{prompt.name}:{prompt.digest}",
            "sampling": json.dumps(self.sampling.json()),
        }


def _model(identity: Json) -> str:
    model = identity.get("model") if isinstance(identity, Mapping) else None
    return model if isinstance(model, str) else json.dumps(identity, sort_keys=True)


def _trace(reply: Completion, owner: Sample) -> dict[str, Any]:
    parts = split(reply.text)
    text = reply.text
    if owner.thinking == Thinking.OFF and parts.reasoning is None:
        text = join("", parts.answer)
        parts = split(text)
    return {
        "trace_id": reply.key,
        "sample": owner.sample,
        "text": text,
        "reasoning": parts.reasoning,
        "answer": parts.answer,
        "finish": reply.finish,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
    }


def _output(
    table: pl.DataFrame, traces: list[dict[str, Any]], failures: list[dict[str, Any]], writes: Columns
) -> Output:
    drawn = pl.DataFrame(traces, schema={"problem_id": pl.String(), **writes}).sort("sample")
    given = table.drop([name for name in writes if name in table.columns])
    kept = given.join(drawn, on="problem_id", how="inner", maintain_order="left_right")
    failed = pl.DataFrame(failures, schema={**LEDGER, "at": pl.Int32()}).sort("key", "at").drop("at")
    thinks = kept.filter(thinking="on") if "thinking" in kept.columns else kept
    counts = {
        "requests": len(traces) + len(failures),
        "failed": len(failures),
        "truncated": (drawn["finish"] == "length").sum(),
        "looped": (drawn["finish"] == "loop").sum(),
        "thought_wanted": thinks.height,
        "without_thought": thinks["reasoning"].is_null().sum(),
    }
    return Output(kept, failed, {name: float(count) for name, count in counts.items()})
