"""One table stage on one table, without a pipeline, a store or a run around it, under the same laws."""

from __future__ import annotations

import polars as pl

from distillery.pipeline import Step
from distillery.runner.laws import check_columns, check_conservation, check_decision, sketch_keys
from distillery.runner.rows import decided
from distillery.stages.base import Context, Output, ShardStage, TableStage


def apply_alone(use: str, stage: ShardStage | TableStage, table: pl.DataFrame, ctx: Context) -> Output:
    """What `stage` makes of `table`, its only shard. Raises ContractError where it breaks a law."""
    columns = {**dict(table.schema), **stage.writes}
    step = Step(id="apply", use=use, stage=stage, parents=(), columns=columns, fingerprint="", seed=ctx.seed)
    if isinstance(stage, ShardStage):
        output = stage.apply(table, ctx)
        check_columns(step, output)
        check_conservation(step, table, output)
        return output
    sketch = stage.sketch(table, ctx)
    decision = stage.decide(sketch, ctx)
    check_decision(step, decision, sketch_keys(step, sketch))
    return decided(stage, table, decision)
