"""One table stage on one table, without a pipeline, a store or a run around it, under the same laws."""

from __future__ import annotations

import polars as pl

from distillery.pipeline import Step
from distillery.runner.laws import check_decision, check_output, check_rows, check_sketch, sketch_keys
from distillery.runner.rows import decided
from distillery.stages.base import Context, Output, ShardStage, TableStage


def apply_alone(use: str, stage: ShardStage | TableStage, table: pl.DataFrame, ctx: Context) -> Output:
    """What `stage` makes of `table`, its only shard. Raises an error where it breaks a law."""
    columns = {**dict(table.schema), **stage.writes}
    step = Step(id="apply", use=use, stage=stage, parents=(), columns=columns, fingerprint="", seed=ctx.seed)
    shown = table.clone()  # it may change the table that it is given
    if isinstance(stage, ShardStage):
        output = stage.apply(shown, ctx)
    else:
        sketch = stage.sketch(shown, ctx)
        check_sketch(step, table, sketch)
        decision = stage.decide(sketch, ctx)
        check_decision(step, decision, sketch_keys(step, sketch))
        output = decided(stage, table, decision)
    check_output(step, "apply", output)
    check_rows(step, table, output)
    return output
