"""The laws every step is held to: columns as promised and else unchanged, keys unique, and no row leaves
without a reason that the stage declares.

What breaks one is a bug of ours, or an error in the file that a step names as module:name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import polars as pl

from distillery.errors import ConfigError, ContractError, broken_promise
from distillery.hashing import is_json
from distillery.pipeline import Step
from distillery.records import LEDGER, Columns
from distillery.stages.base import Decision, Output, ShardStage


def check_given(step: Step, what: str, found: object, kind: type[Any]) -> None:
    if not isinstance(found, kind):
        given = "None" if found is None else f"a {type(found).__name__}"
        raise _broke(step, f"{what} gave {given}, no {kind.__name__}")


def check_output(step: Step, what: str, output: Output) -> None:
    check_given(step, what, output, Output)
    check_given(step, f"{what}: kept", output.kept, pl.DataFrame)
    check_given(step, f"{what}: dropped", output.dropped, pl.DataFrame)
    check_counts(step, f"{what}: metrics", output.metrics)


def check_counts(step: Step, what: str, counts: Mapping[str, Any]) -> None:
    check_given(step, what, counts, Mapping)
    for name, count in counts.items():
        if not isinstance(count, (int, float)):
            raise _broke(step, f"{what}: {name!r} is {count!r:.80}; it would be a number")


def check_rows(step: Step, came: pl.DataFrame, output: Output, promised: Columns | None = None) -> pl.Series:
    """All laws of a table that is made from another; gives the places in `came` of the kept rows."""
    check_columns(step, output, promised)
    check_conservation(step, came, output)
    check_reasons(step, output.dropped)
    key, writes = step.row_stage.key, step.row_stage.writes
    places = came.select(key).with_row_index("_place")
    before = came.select([name for name in came.columns if name not in writes])
    if output.kept[key].equals(came[key]):  # nothing to look up, and the texts need not be moved
        check_unchanged(step, before, output.kept)
        return places["_place"]
    chosen = output.kept.select(key).join(places, on=key, how="left", maintain_order="left")["_place"]
    check_unchanged(step, before[chosen], output.kept)
    return chosen


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
            right = f"the ledger's columns are {', '.join(LEDGER)}" if name == "dropped" else _declare(extra)
            raise _broke(step, f"{name} rows break their promise: {why}; {right}")


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
        return _broke(step, f"{found}; {right}")
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
    went = pl.concat([output.kept[key], output.dropped["key"]])
    if not went.n_unique() == table.height == pl.concat([table[key], went]).n_unique():
        came, kept, left = set(table[key]), set(output.kept[key]), set(output.dropped["key"])
        lost, new = (sorted(keys, key=str)[:3] for keys in (came - kept - left, (kept | left) - came))
        right = "each key that comes in is kept, or dropped with a reason"
        raise _broke(step, f"rows not conserved by {key}: lost {lost}, invented {new}; {right}")
    fan_out = step.stage.fan_out if isinstance(step.stage, ShardStage) else None
    if fan_out == 0:  # a number of its own for each row
        return
    expected = table.height * (1 if fan_out is None else fan_out)
    found = output.kept.height + output.dropped.height
    if found != expected:
        should = f"should give {expected} kept or dropped, gave {found}"
        raise _broke(step, f"{table.height} rows in {should}")


def check_reasons(step: Step, dropped: pl.DataFrame) -> None:
    if unknown := set(dropped["reason"].unique()) - {*step.stage.reasons}:
        declared = ", ".join(step.stage.reasons) or "none"
        said = f"dropped rows for {', '.join(sorted(map(repr, unknown)))}; its `reasons` are {declared}"
        raise _broke(step, f"{said}; add what is missing there, as a member of its StrEnum")


def check_unchanged(step: Step, before: pl.DataFrame, kept: pl.DataFrame) -> None:
    """Columns that a stage does not say it writes are as they came; both tables have the same rows."""
    if not before.equals(kept.select(before.columns)):  # a tenth of the time of one column after the other
        changed = [name for name in before.columns if not before[name].equals(kept[name])]
        said = f"it changed {', '.join(changed)}, which is not in its `writes`"
        raise _broke(step, f"{said}; {_declare(changed)}")


def sketch_keys(step: Step, sketches: pl.DataFrame) -> pl.Series:
    """The keys of all rows that came in: a sketch calls them `key`, or by their own name."""
    for name in ("key", step.row_stage.key):
        if name in sketches.columns:
            return sketches[name].cast(pl.String)
    raise _broke(step, f"its sketch has no column `key` or {step.row_stage.key!r}")


def check_sketch(step: Step, table: pl.DataFrame, sketch: pl.DataFrame) -> None:
    """A row for each that came in: without one, nothing would be decided about it."""
    check_given(step, "sketch", sketch, pl.DataFrame)
    keys, came = sketch_keys(step, sketch), table[step.row_stage.key].cast(pl.String)
    if not (keys.equals(came) or keys.sort().equals(came.sort())):
        found = f"its sketch of {came.len()} rows has {keys.len()} keys, not those of the rows"
        raise _broke(step, f"{found}; it would have one row for each")


def check_decision(step: Step, decision: Decision, keys: pl.Series) -> None:
    """What a TABLE stage drops came in, once; what it adds covers every kept key."""
    check_given(step, "decide", decision, Decision)
    check_given(step, "decide: dropped", decision.dropped, pl.DataFrame)
    if not is_json([decision.metrics, decision.facts]):
        right = "they would be numbers, texts, lists and mappings"
        raise _broke(step, f"decide gave metrics or facts that are no JSON; {right}")
    if dict(decision.dropped.schema) != LEDGER:
        raise _broke(step, f"its ledger has columns {dict(decision.dropped.schema)}; it would be {LEDGER}")
    check_reasons(step, decision.dropped)
    dropped, stage = decision.dropped["key"], step.row_stage
    if keys.n_unique() != keys.len():
        raise _not_unique(step, stage.key, keys.filter(keys.is_duplicated())[0])
    # the names that went are far fewer than those that came: these are asked for among them
    if dropped.n_unique() != dropped.len() or keys.is_in(dropped.implode()).sum() != dropped.len():
        raise _broke(step, "it drops keys twice, or keys that never came in")
    writes = stage.writes
    if writes:
        added, promised = decision.added, {stage.key: pl.String(), **writes}
        if not isinstance(added, pl.DataFrame) or dict(added.schema) != promised:
            said = f"promised columns {sorted(writes)}, did not give them"
            raise _broke(step, f"{said}; `added` would have {promised}")
        kept = keys.filter(~keys.is_in(dropped.implode()))
        if not kept.is_in(added[stage.key].implode()).all():
            raise _broke(step, f"some kept rows have no {sorted(writes)}")


def _declare(names: Sequence[str]) -> str:
    return f"add {', '.join(names)} to its `writes`" if names else "give what its `writes` say"


def _broke(step: Step, said: str) -> ConfigError | ContractError:
    return broken_promise(step.use, f"{step.id} ({step.use}): {said}")
