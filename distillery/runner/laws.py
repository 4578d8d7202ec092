"""The laws every step is held to: columns as promised, keys unique, and no row leaves without a reason."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import polars as pl

from distillery.errors import ConfigError, ContractError
from distillery.pipeline import Step
from distillery.records import LEDGER, Columns
from distillery.stages.base import Decision, Output, ShardStage


def check_columns(step: Step, output: Output, kept: Columns | None = None) -> None:
    """`kept`: what is promised of the columns that the stage was shown; None: all of them."""
    for name, table, promised in (
        ("kept", output.kept, step.columns if kept is None else kept),
        ("dropped", output.dropped, LEDGER),
    ):
        found = dict(table.schema)
        if found != promised:
            lacks = sorted(set(promised) - set(found))
            extra = sorted(set(found) - set(promised))
            other = [
                f"{c}: {found[c]} for {promised[c]}"
                for c in promised
                if c in found and found[c] != promised[c]
            ]
            why = f"lack {lacks}, add {extra}, change {other}"
            raise ContractError(f"{step.id} ({step.use}): {name} rows break their promise: {why}")


def check_unique(step: Step, table: pl.DataFrame, key: str) -> None:
    if table[key].n_unique() != table.height:
        twice = table.filter(pl.col(key).is_duplicated())[key][0]
        raise _not_unique(step, key, twice)


def _not_unique(step: Step, key: str, twice: object) -> ContractError | ConfigError:
    source = f" ({', '.join(step.parents)})" if step.parents else ""
    found = f"{key!r} does not name one row each in its input{source}; twice there: {twice!r}"
    stage, narrower = step.row_stage, key != "trace_id" and "trace_id" in step.columns
    right = "a stage that makes rows must give each an id of its own"
    if is_dataclass(stage) and any(option.name == "key" for option in fields(stage)):
        right = f"name a column that does{', such as trace_id' if narrower else ''}; or {right}"
        return ConfigError(f"{step.id}.key: {found}; {right}")
    if not narrower:
        return ContractError(f"{step.id} ({step.use}): {found}; {right}")
    right = f"it takes one row of each {key}, as select.traces with per_problem: 1 leaves them"
    return ConfigError(f"{step.id} ({step.use}): {found}; {right}")


def check_named(step: Step, what: str, ids: pl.Series) -> None:
    """What leaves for other people: every row has its trace_id, and no other row has it."""
    where = f"{step.id} ({step.use}): {what}"
    if lacks := ids.null_count():
        raise ConfigError(
            f"{where}: {lacks:,} of {ids.len():,} rows have no trace_id, which names a row to others"
        )
    if twice := ids.len() - ids.n_unique():
        name = ids.filter(ids.is_duplicated())[0]
        raise ConfigError(
            f"{where}: {twice:,} rows have the trace_id of another, as {name!r}; others know each row by its"
            " own: leave trace_id unmapped where rows are read, and it is made from the content"
        )


def check_conservation(step: Step, table: pl.DataFrame, output: Output) -> None:
    """Every key that came in is kept or in the ledger, none invented; fan-out is counted sample by sample."""
    key = step.row_stage.key
    check_unique(step, table, key)
    came = set(table[key])
    kept, left = set(output.kept[key]), set(output.dropped["key"])
    if came != kept | left:
        lost, new = sorted(came - kept - left)[:3], sorted((kept | left) - came)[:3]
        raise ContractError(
            f"{step.id} ({step.use}): rows not conserved by {key}: lost {lost}, invented {new}"
        )
    fan_out = step.stage.fan_out if isinstance(step.stage, ShardStage) else None
    if fan_out == 0:  # a number of its own for each row
        return
    expected = table.height * (1 if fan_out is None else fan_out)
    found = output.kept.height + output.dropped.height
    if found != expected:
        should = f"should give {expected} kept or dropped, gave {found}"
        raise ContractError(f"{step.id} ({step.use}): {table.height} rows in {should}")


def check_unchanged(step: Step, came: pl.DataFrame, kept: pl.DataFrame) -> None:
    """Columns that a stage does not say it writes are as they came; both tables have the same rows."""
    for name in came.columns:
        if name in kept.columns and name not in step.row_stage.writes and not came[name].equals(kept[name]):
            raise ContractError(f"{step.id} ({step.use}): it changed {name}, which is not in its `writes`")


def sketch_keys(step: Step, sketches: pl.DataFrame) -> pl.Series:
    """The keys of all rows that came in: a sketch calls them `key`, or by their own name."""
    for name in ("key", step.row_stage.key):
        if name in sketches.columns:
            return sketches[name].cast(pl.String)
    raise ContractError(f"{step.id} ({step.use}): its sketch has no column `key` or {step.row_stage.key!r}")


def check_decision(step: Step, decision: Decision, keys: pl.Series) -> None:
    """What a TABLE stage drops came in, once; what it adds covers every kept key."""
    if dict(decision.dropped.schema) != LEDGER:
        raise ContractError(f"{step.id} ({step.use}): its ledger has columns {dict(decision.dropped.schema)}")
    dropped, stage = decision.dropped["key"], step.row_stage
    if keys.n_unique() != keys.len():
        raise _not_unique(step, stage.key, keys.filter(keys.is_duplicated())[0])
    if dropped.n_unique() != dropped.len() or not dropped.is_in(keys.implode()).all():
        raise ContractError(f"{step.id} ({step.use}): it drops keys twice, or keys that never came in")
    writes = stage.writes
    if writes:
        added = decision.added
        if added is None or dict(added.schema) != {stage.key: pl.String(), **writes}:
            raise ContractError(
                f"{step.id} ({step.use}): promised columns {sorted(writes)}, did not give them"
            )
        kept = keys.filter(~keys.is_in(dropped.implode()))
        if not kept.is_in(added[stage.key].implode()).all():
            raise ContractError(f"{step.id} ({step.use}): some kept rows have no {sorted(writes)}")
