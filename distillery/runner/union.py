"""Several tables as one: of rows with one id stays that of the earliest input, the others are in the ledger.

It reads the one column that names a row; question and text only of rows whose id stands in two inputs; golds,
and more only of rows without one (`lent_golds`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from distillery import shards
from distillery.errors import ConfigError
from distillery.pipeline import Plan, Step
from distillery.runner.lent_golds import LENT, Lent, lent_golds, with_lent
from distillery.runner.rows import Input, keep
from distillery.stages.base import Output
from distillery.stages.mix_union import Drop
from distillery.stages.note import LENT_GOLD
from distillery.store.stage_dir import StageDir

_SAID = ("question", "text")
"""What two rows of one id must agree in, where both have it."""
_SHOWN = 60  # characters of a text
_CURES = {
    "trace_id": "leave trace_id unmapped and it is made from the content",
    "problem_id": "keep trace_id where the rows are read, and it is made from the content",
}


class _Part(NamedTuple):
    input: str
    file: Path


def unite(step: Step, plan: Plan, folder: StageDir, inputs: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """Writes each shard of `inputs` without the rows that an earlier input has; facts for the note.

    Raises ConfigError where an id stands twice in one input, or a row has none.
    """
    parts = [_Part(name, file) for name, files in inputs.items() for file in files]
    keys = _keys(step, parts)
    rows = dict(keys.group_by("input").agg(pl.len()).iter_rows())
    shared = keys.filter(pl.col("key").is_duplicated())
    del keys
    _check_once(step, plan, shared)
    later = _later(shared, parts)
    lent = lent_golds([part.file for part in parts])
    for shard, part in enumerate(parts):
        if not folder.has(shard):
            of_it = pl.col("shard") == shard
            _write(step, plan, folder, shard, part, later.filter(of_it), lent.rows.filter(of_it))
    counts = {name: {"rows": rows.get(name, 0), **dict.fromkeys(Drop, 0)} for name in inputs}
    for name, reason, count in later.group_by("input", "reason").agg(pl.len()).iter_rows():
        counts[name][reason] = count
    return {"inputs": counts, "alarms": [*_alarms(step, later, parts), *_contradictions(lent)]}


def _keys(step: Step, parts: Sequence[_Part]) -> pl.DataFrame:
    """Columns key, input, shard and row: every row of every input, in order."""
    name, places = step.row_stage.key, {"input": pl.String, "shard": pl.UInt32, "row": pl.UInt32}
    frames = [pl.DataFrame(schema={"key": pl.String, **places})]
    for shard, (source, file) in enumerate(parts):
        key = shards.read(file, [name])[name].cast(pl.String).alias("key")
        if lacks := key.null_count():
            what = f"{lacks:,} of {len(key):,} rows of {source!r} in {file} have no {name}"
            raise ConfigError(f"{step.id}: {what}; a row of several inputs is known by it")
        where = {"input": pl.lit(source), "shard": pl.lit(shard), "row": pl.int_range(pl.len())}
        frames.append(key.to_frame().with_columns(where[n].cast(kind).alias(n) for n, kind in places.items()))
    return pl.concat(frames)


def _check_once(step: Step, plan: Plan, shared: pl.DataFrame) -> None:
    key = step.row_stage.key
    twice = shared.group_by("input", "key", maintain_order=True).len().filter(pl.col("len") > 1)
    if twice.is_empty():
        return
    source, name, rows = twice.row(0)
    more = f" ({twice.height - 1:,} more ids name several)" if twice.height > 1 else ""
    found = f"{key} {name!r} names {rows} rows of its input {source!r}{more}"
    others = [parent for parent in step.parents if "trace_id" not in plan.step(parent).columns]
    right = "the stage that makes its rows must give each one of its own"
    if key != "trace_id" and "trace_id" in plan.step(source).columns:
        right = f"give {', '.join(others)} a trace_id too (keep: [trace_id]), or take one row of each {key}"
    raise ConfigError(f"{step.id}: {found}; {right}")


def _later(shared: pl.DataFrame, parts: Sequence[_Part]) -> pl.DataFrame:
    """Rows whose id an earlier input has: their place and that of the first, the reason, and what differs."""
    of_id = shared.with_columns(pl.col("input", "shard", "row").first().over("key").name.suffix("_first"))
    said = pl.concat([_said(parts[shard].file, rows) for (shard,), rows in _by_shard(shared)] or [_NONE])
    first = said.rename(lambda name: f"{name}_first")
    both = (
        of_id.filter(pl.col("input") != pl.col("input_first"))
        .join(said, on=["shard", "row"], how="left", maintain_order="left")
        .join(first, on=["shard_first", "row_first"], how="left", maintain_order="left")
    )
    differs = [pl.when(pl.col(name) != pl.col(f"{name}_first")).then(pl.lit(name)) for name in _SAID]
    taken = pl.col("differs").is_not_null()
    reason = pl.when(taken).then(pl.lit(Drop.ID_TAKEN.value)).otherwise(pl.lit(Drop.REPEATED.value))
    return both.with_columns(differs=pl.coalesce(*differs)).with_columns(reason=reason)


def _by_shard(rows: pl.DataFrame) -> list[tuple[tuple[Any, ...], pl.DataFrame]]:
    return list(rows.partition_by("shard", as_dict=True, maintain_order=True).items())


_NONE = pl.DataFrame(schema={"shard": pl.UInt32, "row": pl.UInt32, **dict.fromkeys(_SAID, pl.UInt64)})


def _said(file: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """Marks of what these rows of a shard say; null where they say nothing."""
    there = [name for name in _SAID if name in shards.schema(file)]
    texts = shards.read(file, there)[rows["row"]] if there else pl.DataFrame()
    marks = {
        name: pl.when(pl.col(name).is_not_null()).then(pl.col(name).cast(pl.String).str.strip_chars().hash())
        for name in there
    }
    none = {name: pl.lit(None, pl.UInt64) for name in _SAID}
    return rows.select("shard", "row").hstack(texts).select("shard", "row", **none | marks)


def _write(
    step: Step, plan: Plan, folder: StageDir, shard: int, part: _Part, later: pl.DataFrame, lent: pl.DataFrame
) -> None:
    table = shards.read(part.file, [step.row_stage.key])
    stays = ~pl.int_range(pl.len()).is_in(later["row"].implode())
    detail = pl.format("first in {}", "input_first")
    dropped = later.select("key", "reason", detail=detail)
    took = lent.filter(~pl.col("row").is_in(later["row"].implode()))
    whole = table.hstack(with_lent(shards.read(part.file, [*LENT]), took)) if took.height else table
    output = Output(whole.filter(stays), dropped, {LENT_GOLD: float(took.height)} if took.height else {})
    writes = LENT if took.height else {}
    keep(step, plan, folder, shard, Input(part.file, table, heavy=True), output, writes=writes)


def _alarms(step: Step, later: pl.DataFrame, parts: Sequence[_Part]) -> list[str]:
    """One for each two inputs that give one id to different rows."""
    key = step.row_stage.key
    cure = _CURES.get(key, f"each row needs a {key} of its own")
    taken = later.filter(pl.col("reason") == Drop.ID_TAKEN.value)
    alarms: list[str] = []
    for (source, first), rows in taken.partition_by("input", "input_first", as_dict=True).items():
        one = rows.row(0, named=True)
        here, there = (
            shards.read(parts[one[f"shard{of}"]].file, [one["differs"]])[one["differs"]][one[f"row{of}"]]
            for of in ("", "_first")
        )
        shown = f"{one['key']!r} is {str(there)[:_SHOWN]!r} there and {str(here)[:_SHOWN]!r} here"
        many, have = ("rows", "have") if rows.height > 1 else ("row", "has")
        found = f"{rows.height:,} {many} of `{source}` {have} the id of another row of `{first}`"
        alarms.append(f"{found}; left out: {key} {shown}; {cure}")
    return alarms


def _contradictions(lent: Lent) -> list[str]:
    if lent.contradicting.is_empty():
        return []
    one = lent.contradicting.row(0, named=True)
    golds = " and ".join(repr(one[name][:_SHOWN]) for name in ("one", "other"))
    problems, rows = lent.contradicting["problem_id"].n_unique(), lent.contradicting.height
    found = f"golds of {problems:,} problem{'s' if problems > 1 else ''} contradict one another"
    lacking = f"{rows:,} row{'s' if rows > 1 else ''} without a gold got none"
    return [f"{found}, and {lacking}: problem_id {one['problem_id']!r} has {golds}; leave one of them out"]
