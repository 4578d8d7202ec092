"""What the stages of decontamination share: the texts of a row that are looked at, and what a hit leaves behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from distillery.hashing import Json
from distillery.records import earlier_turns
from distillery.stages.base import Context, Output, ShardStage, computed
from distillery.stages.decontaminate.benchmarks import Bench, Benchmarks, Question, expanded, stamp

_SHOWN = 160  # characters of the question in the ledger


@dataclass(frozen=True, kw_only=True)
class Decontamination(ShardStage):
    """Which column is compared with which benchmarks."""

    against: Annotated[tuple[str | Bench, ...], Field(min_length=1)] | Literal["default"] = "default"
    """Benchmarks: files, patterns, or mappings as below; `default`: the list of well-known ones."""
    folder: str = ""
    """Of files named as the default benchmarks (gsm8k.jsonl), looked at before the hub; "": none."""
    column: str = "question"
    """The column that is compared with the benchmarks' questions."""
    key: str = "problem_id"
    """The column that names a row."""

    also_reads = ("payload",)

    @computed
    def reads(self) -> tuple[str, ...]:
        return (self.key, self.column)

    @property
    def _against(self) -> tuple[str | Bench, ...]:
        return (self.against,) if isinstance(self.against, str) else self.against

    @property
    def benches(self) -> tuple[Bench, ...]:
        return expanded(self._against, self.folder)

    def stamp(self) -> Json:
        """sha256 of every benchmark file, name and revision of every hub one, in order."""
        return stamp(self.benches, default="default" in self._against)


def asked_texts(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """Columns row, turn and text: a row's own text is turn 0, then come the user's earlier turns."""
    own = table.select(
        pl.int_range(pl.len()).alias("row"),
        pl.lit(0, pl.Int64).alias("turn"),
        pl.col(column).cast(pl.String).alias("text"),
    )
    if column != "question" or "payload" not in table.columns:
        return own
    spoken = table.with_row_index("row").filter(pl.col("payload").str.contains('"history"', literal=True))
    turns = [
        (row, turn, text)
        for row, payload in spoken.select("row", "payload").iter_rows()
        for turn, text in enumerate(_said(payload), start=1)
    ]
    return pl.concat([own, pl.DataFrame(turns, schema=own.schema, orient="row")])


def _said(payload: str) -> list[str]:
    try:
        return [content for role, content in earlier_turns(payload) if role == "user"]
    except ValueError:  # the stages that speak with a model say so
        return []


def evidence(kind: str, score: float, question: Question) -> str:
    return f"{kind} {score:.2f} of {question.place}: {question.text[:_SHOWN]!r}"


def output(
    table: pl.DataFrame,
    hits: pl.DataFrame,
    sizes: Mapping[str, int],
    benchmarks: Benchmarks,
    *,
    key: str,
    spared: str | None = None,
) -> Output:
    """Rows with a hit go. `hits`, best first, has row, kind, bench and evidence; those of kind `spared` only count.

    `sizes` are the questions of each benchmark.
    """
    best = hits.unique("row", keep="first", maintain_order=True)
    metrics = _metrics(table.height, best, sizes, benchmarks.missing)
    if spared is not None:
        best = hits.filter(pl.col("kind") != spared).unique("row", keep="first", maintain_order=True)
    marks = pl.DataFrame({"row": range(table.height)}, schema={"row": pl.Int64}).join(
        best, on="row", how="left", maintain_order="left"
    )
    out = Output.marked(table, marks["kind"].cast(pl.String), marks["evidence"], key=key)
    return replace(out, metrics=metrics)


def _metrics(
    rows: int, best: pl.DataFrame, sizes: Mapping[str, int], missing: Mapping[str, str]
) -> dict[str, float]:
    """Sums over shards: rows compared with a benchmark and not, pairs of row and question, hits of each kind."""
    counts = Counter(f"matched_{kind}" for kind in best["kind"])
    counts.update(f"hit:{kind}:{bench}" for kind, bench in best.select("kind", "bench").iter_rows())
    counts.update({f"compared:{name}": rows for name in sizes})
    counts.update({f"pairs:{name}": rows * size for name, size in sizes.items()})
    counts.update({f"unchecked:{name}": rows for name in missing})
    return {name: float(count) for name, count in counts.items()}


def say_what_is_missing(benchmarks: Benchmarks, ctx: Context) -> None:
    """Once in a process, not with every shard."""
    if benchmarks.unsaid:
        why = "; ".join(f"{name} ({benchmarks.missing[name]})" for name in benchmarks.unsaid)
        ctx.alarm(f"decontamination: not checked, for they could not be had: {why}")
        benchmarks.unsaid.clear()


def changes(benches: Sequence[Bench]) -> tuple[tuple[str, int], ...]:
    """What tells that a file of them is another one now."""
    return tuple(
        (str(file), file.stat().st_mtime_ns) for bench in benches if bench.path for file in bench.files()
    )
