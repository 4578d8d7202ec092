"""decontaminate.ngrams: rows that repeat a benchmark's question, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from distillery.curate.contamination.overlap import Index, Limits, Match, index, matches
from distillery.stages.decontaminate.evidence import Decontamination


@dataclass(frozen=True, kw_only=True)
class DecontaminateNgrams(Decontamination):
    """Drops rows whose `column` repeats a question of `against`; the detail says which, where and how much.

    The user's earlier turns are looked at too. On a table of traces pass key: trace_id. Paraphrases that
    share few words are not found. A benchmark of the default list that cannot be had raises an alarm, and the
    data card says that it was not checked; its file in `folder` lets this stage run again.

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
    """What becomes of a question that is equal but for its numbers; `keep` counts it in the metrics only."""

    version = 4
    reasons = tuple(Match)

    @property
    def spared(self) -> str | None:
        return Match.NUMBERS_CHANGED if self.numbers_changed == "keep" else None

    def lookup(self, questions: list[str]) -> Index:
        limits = Limits(words=self.n, min_coverage=self.min_coverage, min_near=self.min_near)
        return index(questions, limits)

    def matches(self, texts: pl.Series, lookup: Index) -> pl.DataFrame:
        return matches(texts, lookup)
