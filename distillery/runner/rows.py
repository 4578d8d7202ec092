"""Reads what a stage looks at, writes what it kept: texts that it only passes on are neither read nor
repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from distillery import shards
from distillery.pipeline import Plan, Step
from distillery.records import Columns
from distillery.runner.laws import check_output, check_rows
from distillery.stages.base import Decision, Output, ShardStage, TableStage
from distillery.store.stage_dir import StageDir

HEAVY = 1 << 20
"""Uncompressed bytes of a shard's columns that a stage passes on, from which they are not written again."""
_LEAST_SHARE = 1 / 3  # of the rows at the bottom: with fewer, reading all of them costs more than a copy


@dataclass(frozen=True)
class Input:
    """One shard of a parent, as a stage sees it."""

    file: Path
    table: pl.DataFrame  # all columns that the stage was promised, or those that it looks at
    heavy: bool


def read_input(step: Step, plan: Plan, file: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """A parent's shard with all columns this step was promised, or these; those its parent lacks are null."""
    promised = {name: kind for parent in step.parents for name, kind in plan.step(parent).columns.items()}
    wanted = [name for name in promised if columns is None or name in columns]
    there = shards.schema(file)
    lacking = [pl.lit(None, dtype=promised[name]).alias(name) for name in wanted if name not in there]
    table = shards.read(file, [name for name in wanted if name in there])
    if not table.width:  # which would have no rows
        return pl.DataFrame(schema={name: promised[name] for name in wanted}).clear(shards.rows(file))
    return table.with_columns(lacking).select(wanted)


def look(step: Step, plan: Plan, file: Path, *, only: Sequence[str] | None = None) -> Input:
    """What `step` looks at of a heavy shard, or `only` these columns; all of a light one."""
    heavy = _is_heavy(step, file)
    return Input(file, read_input(step, plan, file, (only or looked_at(step)) if heavy else None), heavy)


def looked_at(step: Step) -> Sequence[str] | None:
    """The columns that a stage uses, where it says so; None: any."""
    stage = step.row_stage
    return None if stage.also_reads is None else (stage.key, *stage.reads, *stage.also_reads)


def _is_heavy(step: Step, file: Path) -> bool:
    if isinstance(step.stage, ShardStage) and step.stage.fan_out is not None:
        return False
    passed_on = [name for name in shards.schema(file) if name not in step.row_stage.writes]
    return shards.weight(file, passed_on) >= HEAVY


def keep(
    step: Step,
    plan: Plan,
    folder: StageDir,
    shard: int,
    seen: Input,
    output: Output,
    *,
    writes: Columns | None = None,
) -> None:
    """Holds `output` to the laws and writes it. `writes`: of this shard, where others differ in that."""
    check_output(step, "apply", output)
    written = step.row_stage.writes if writes is None else writes
    seen_or_written = {*seen.table.columns, *written}
    promised = {name: kind for name, kind in step.columns.items() if name in seen_or_written}
    kept = output.kept.select(list(promised)) if set(output.kept.columns) == set(promised) else output.kept
    output = Output(kept, output.dropped, output.metrics)
    chosen = check_rows(step, seen.table, output, promised)
    if not seen.heavy:
        folder.write(shard, output, seen.table.height)
        return
    if kept.height < _LEAST_SHARE * shards.rows(shards.root(seen.file)):
        whole = read_input(step, plan, seen.file)[chosen].with_columns(kept.get_columns())
        whole = whole.select(list(step.columns))
        folder.write(shard, Output(whole, output.dropped, output.metrics), seen.table.height)
        return
    there = shards.schema(seen.file)
    own = [name for name in step.columns if name in written or name not in there]
    lacking = [pl.lit(None, dtype=step.columns[name]).alias(name) for name in own if name not in kept.columns]
    added = kept.with_columns(lacking).select(own)
    over = shards.Over(seen.file, chosen, added, tuple(step.columns))
    folder.write(shard, output, seen.table.height, over=over)


def decided(stage: TableStage, table: pl.DataFrame, decision: Decision) -> Output:
    """What a decision over all rows means for these ones."""
    key = stage.key
    kept = table.join(decision.dropped, left_on=key, right_on="key", how="anti", maintain_order="left")
    keys = table.select(pl.col(key).alias("key"))
    dropped = decision.dropped.join(keys, on="key", how="semi", maintain_order="left")
    if decision.added is not None:
        kept = kept.drop([name for name in stage.writes if name in kept.columns])
        kept = kept.join(decision.added, on=key, how="left", maintain_order="left")
    return Output(kept, dropped)
