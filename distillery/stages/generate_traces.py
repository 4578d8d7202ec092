"""generate.traces: n samples of each problem, from any engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

import polars as pl
from pydantic import Field

from distillery.engines.base import Completion, Engine, Request, Sampling, request_key
from distillery.hashing import Json, derive_seed
from distillery.prompts import Prompt
from distillery.reasoning import join, split
from distillery.records import LEDGER, TRACE, Columns, Thinking
from distillery.stages.base import Context, Output


class _Owner(NamedTuple):
    problem_id: str
    sample: int
    thinking: str


@dataclass(frozen=True)
class GenerateTraces:
    """Samples reasoning traces of each problem; a sample that fails stands in the ledger by its problem.

    A trace's id is its request's key, so that more samples, more problems or another order of them ask only for
    what is new. Where `thinking` is "off", an answer that came without a thought gets an empty think block.
    """

    engine: str
    prompt: str
    samples: Annotated[int, Field(ge=1)] = 1
    sampling: Sampling = Sampling()

    version: ClassVar[int] = 1
    key: ClassVar[str] = "problem_id"
    reads: ClassVar[tuple[str, ...]] = ("problem_id", "question")  # `thinking` too, where there is one
    writes: ClassVar[Columns] = TRACE

    @property
    def fan_out(self) -> int:
        """Rows kept or dropped for each row that came in."""
        return self.samples

    def uses(self) -> dict[str, tuple[str, ...]]:
        return {"engine": (self.engine,), "prompt": (self.prompt,)}

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        engine, prompt = ctx.engine(self.engine), ctx.prompt(self.prompt)
        owners: dict[str, _Owner] = {}
        requests: list[Request] = []
        for row in table.iter_rows(named=True):
            for sample in range(self.samples):
                request = self._request(row, sample, engine.identity, prompt, ctx.seed)
                owners[request.key] = _Owner(row["problem_id"], sample, row.get("thinking") or Thinking.ON)
                requests.append(request)
        constant = self._constant_columns(engine, prompt)
        traces: list[dict[str, Any]] = []
        failures: list[dict[str, Any]] = []
        for reply in engine.generate(requests):
            owner = owners[reply.key]
            if isinstance(reply, Completion):
                traces.append({"problem_id": owner.problem_id, **constant, **_trace(reply, owner)})
                ctx.progress(rows=1, tokens=reply.completion_tokens, truncated=int(reply.finish == "length"))
            else:
                detail = f"sample {owner.sample}: {reply.message}"
                failures.append(
                    {"key": owner.problem_id, "reason": reply.kind, "detail": detail, "at": owner.sample}
                )
                ctx.progress(rows=1)
        return _output(table, traces, failures)

    def _request(
        self, row: Mapping[str, Any], sample: int, identity: Json, prompt: Prompt, run_seed: int
    ) -> Request:
        messages = prompt.render(question=row["question"])
        seed = derive_seed(run_seed, row["problem_id"], sample)
        key = request_key(identity, messages, self.sampling, seed, sample)
        return Request(key, messages, self.sampling, seed)

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


def _trace(reply: Completion, owner: _Owner) -> dict[str, Any]:
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


def _output(table: pl.DataFrame, traces: list[dict[str, Any]], failures: list[dict[str, Any]]) -> Output:
    """Rows in the table's order, the samples of a problem in theirs, however the replies came in."""
    drawn = pl.DataFrame(traces, schema={"problem_id": pl.String(), **TRACE}).sort("sample")
    kept = table.join(drawn, on="problem_id", how="inner", maintain_order="left_right")
    failed = pl.DataFrame(failures, schema={**LEDGER, "at": pl.Int32()}).sort("key", "at").drop("at")
    counts = {
        "requests": len(traces) + len(failures),
        "failed": len(failures),
        "truncated": (drawn["finish"] == "length").sum(),
        "prompt_tokens": drawn["prompt_tokens"].sum(),
        "completion_tokens": drawn["completion_tokens"].sum(),
    }
    return Output(kept, failed, {name: float(count) for name, count in counts.items()})
