"""What the stages of decontamination share: which texts of a row are looked at, and what a hit leaves."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple

import polars as pl
from pydantic import Field

from distillery.hashing import Json
from distillery.records import earlier_turns
from distillery.stages.base import Context, Output, ShardStage, computed
from distillery.stages.decontaminate.benchmarks import Bench, Benchmarks, expanded, load, stamp

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

    @property
    def spared(self) -> str | None:
        """A kind of hit that only counts."""
        return None

    @abstractmethod
    def lookup(self, questions: list[str]) -> Any:
        """The questions as `matches` compares with them, made once for all shards."""

    @abstractmethod
    def matches(self, texts: pl.Series, lookup: Any) -> pl.DataFrame:
        """The best match of each text that has one: columns row, question (its number), kind and score."""

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        changed = [
            (str(file), file.stat().st_mtime_ns) for one in self.benches if one.path for file in one.files()
        ]
        known = _known(self, tuple(changed))
        if unsaid := known.benchmarks.unsaid:  # once in a process, not with every shard
            why = "; ".join(f"{name} ({known.benchmarks.missing[name]})" for name in unsaid)
            ctx.alarm(f"decontamination: not checked, for they could not be had: {why}")
            unsaid.clear()
        asked = _asked(table, self.column)
        texts = asked["text"].drop_nulls().unique(maintain_order=True)  # looked up once, however many ask it
        found = self._shown(self.matches(texts, known.lookup), texts, known)
        hits = asked.join(found, on="text").sort("row", "kind", -pl.col("score"), "turn")
        best = hits.unique("row", keep="first", maintain_order=True)
        metrics = _metrics(table.height, best, known)
        if self.spared is not None:
            best = hits.filter(pl.col("kind") != self.spared).unique("row", keep="first", maintain_order=True)
        rows = pl.select(row=pl.int_range(table.height))
        marks = rows.join(best, on="row", how="left", maintain_order="left")
        out = Output.marked(table, marks["kind"].cast(pl.String), marks["evidence"], key=self.key)
        return replace(out, metrics=metrics)

    def _shown(self, found: pl.DataFrame, texts: pl.Series, known: _Known) -> pl.DataFrame:
        """Columns text, kind, score, bench and evidence."""
        questions = [known.benchmarks.questions[number] for number in found["question"]]
        said = [
            f"{kind} {score:.2f} of {question.place}: {question.text[:_SHOWN]!r}"
            for question, kind, score in zip(questions, found["kind"], found["score"], strict=True)
        ]
        return found.select(
            texts.gather(found["row"]).alias("text"),
            pl.col("kind").cast(pl.Enum([reason.value for reason in self.reasons])),
            "score",
            pl.Series("bench", [question.bench for question in questions], dtype=pl.String),
            pl.Series("evidence", said, dtype=pl.String),
        )


class _Known(NamedTuple):
    lookup: Any
    benchmarks: Benchmarks
    sizes: Counter[str]  # questions of each benchmark


@lru_cache(maxsize=2)
def _known(stage: Decontamination, _changed: tuple[tuple[str, int], ...]) -> _Known:
    benchmarks = load(stage.benches)
    questions = benchmarks.questions
    lookup = stage.lookup([question.text for question in questions])
    return _Known(lookup, benchmarks, Counter(question.bench for question in questions))


def _asked(table: pl.DataFrame, column: str) -> pl.DataFrame:
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


def _metrics(rows: int, best: pl.DataFrame, known: _Known) -> dict[str, float]:
    """Sums over shards: rows compared with a benchmark or not, pairs of row and question, hits by kind."""
    counts = Counter(f"matched_{kind}" for kind in best["kind"])
    counts.update(f"hit:{kind}:{bench}" for kind, bench in best.select("kind", "bench").iter_rows())
    counts.update({f"compared:{name}": rows for name in known.sizes})
    counts.update({f"pairs:{name}": rows * size for name, size in known.sizes.items()})
    counts.update({f"unchecked:{name}": rows for name in known.benchmarks.missing})
    return {name: float(count) for name, count in counts.items()}
