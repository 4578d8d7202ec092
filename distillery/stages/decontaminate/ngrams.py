"""decontaminate.ngrams: rows that repeat a benchmark's question, with the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import polars as pl
from pydantic import Field

from distillery.curate.contamination.overlap import Index, Limits, Match, index, matches
from distillery.stages.base import Context, Output
from distillery.stages.decontaminate.benchmarks import Bench, Benchmarks, load
from distillery.stages.decontaminate.evidence import (
    Decontamination,
    asked_texts,
    changes,
    evidence,
    output,
    say_what_is_missing,
)

_KINDS = pl.Enum([kind.value for kind in Match])


class Known(NamedTuple):
    lookup: Index
    benchmarks: Benchmarks
    sizes: Counter[str]
    """Questions of each benchmark."""


@dataclass(frozen=True, kw_only=True)
class DecontaminateNgrams(Decontamination):
    """Drops rows whose `column` repeats a question of `against`; the detail says which, where and how much.

    The user's earlier turns are looked at too. On a table of traces pass key: trace_id. Paraphrases that share few
    words are not found. A benchmark of the default list that cannot be had raises an alarm, and the data card says
    that it was not checked; its file in `folder` lets this stage run again.

        - id: clean
          use: decontaminate.ngrams
          with: {against: [gsm8k_test.jsonl, {hub: HuggingFaceH4/MATH-500, column: problem}]}
    """

    n: Annotated[int, Field(ge=3, le=50)] = 10
    """Words in a run."""
    min_coverage: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    """Share of the shorter text's runs that must stand in the other."""
    min_near: Annotated[float, Field(gt=0.0, le=1.0)] | None = 0.5
    """Jaccard similarity of 3-word runs from which on a text is a near copy; null: not looked for."""
    numbers_changed: Literal["drop", "keep"] = "drop"
    """What becomes of a question that is equal but for its numbers; `keep` counts it in the metrics
    only."""

    version = 2
    reasons = tuple(Match)

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        limits = Limits(words=self.n, min_coverage=self.min_coverage, min_near=self.min_near)
        known = _known(self.benches, limits, changes(self.benches))
        say_what_is_missing(known.benchmarks, ctx)
        asked = asked_texts(table, self.column)
        texts = asked["text"].drop_nulls().unique(maintain_order=True)  # looked up once, however many ask it
        found = _evidence(matches(texts, known.lookup), texts, known)
        hits = asked.join(found, on="text").sort("row", "kind", -pl.col("score"), "turn")
        spared = Match.NUMBERS_CHANGED if self.numbers_changed == "keep" else None
        return output(table, hits, known.sizes, known.benchmarks, key=self.key, spared=spared)


def _evidence(found: pl.DataFrame, texts: pl.Series, known: Known) -> pl.DataFrame:
    """Columns text, kind, score, bench and evidence."""
    questions = [known.benchmarks.questions[number] for number in found["question"]]
    said = [
        evidence(kind, score, question)
        for question, (kind, score) in zip(questions, _hits(found), strict=True)
    ]
    return found.select(
        texts.gather(found["row"]).alias("text"),
        pl.col("kind").cast(_KINDS),
        "score",
        pl.Series("bench", [question.bench for question in questions], dtype=pl.String),
        pl.Series("evidence", said, dtype=pl.String),
    )


def _hits(found: pl.DataFrame) -> Iterator[tuple[str, float]]:
    return found.select("kind", "score").iter_rows()  # pyright: ignore[reportReturnType]


@lru_cache(maxsize=2)
def _known(benches: tuple[Bench, ...], limits: Limits, _changed: tuple[tuple[str, int], ...]) -> Known:
    benchmarks = load(benches)
    found = index([question.text for question in benchmarks.questions], limits)
    return Known(found, benchmarks, Counter(question.bench for question in benchmarks.questions))
