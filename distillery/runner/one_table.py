"""One table stage on one table, without a pipeline, a store or a run around it, under the same laws."""

from __future__ import annotations

from typing import Any

import polars as pl

from distillery.pipeline import Kind, Step
from distillery.runner.laws import check_columns, check_conservation, check_decision, sketch_keys
from distillery.stages.base import Context, Decision, Output


def lone_step(use: str, kind: Kind, stage: Any, table: pl.DataFrame) -> Step:
    columns = {**dict(table.schema), **stage.writes}
    return Step(
        id="apply", use=use, kind=kind, stage=stage, parents=(), columns=columns, fingerprint="", seed=0
    )


def apply_alone(step: Step, table: pl.DataFrame, ctx: Context) -> Output:
    """Its shards are one; nothing is written. Raises ContractError where the stage breaks a law."""
    stage = step.stage
    if step.kind is Kind.SHARD:
        output: Output = stage.apply(table, ctx)
        check_columns(step, output)
        check_conservation(step, table, output)
        return output
    sketch = stage.sketch(table, ctx)
    decision: Decision = stage.decide(sketch, ctx)
    check_decision(step, decision, sketch_keys(step, sketch))
    kept = table.join(decision.dropped, left_on=stage.key, right_on="key", how="anti", maintain_order="left")
    if decision.added is not None:
        overwritten = [name for name in stage.writes if name in kept.columns]
        kept = kept.drop(overwritten).join(decision.added, on=stage.key, how="left", maintain_order="left")
    return Output(kept, decision.dropped)
