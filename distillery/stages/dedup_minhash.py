"""dedup.minhash: one copy of texts that are nearly equal, by MinHash signatures and banding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from distillery.curate.copies import Keep, Preference, copies, facts, ledger
from distillery.curate.minhash import links, signatures
from distillery.curate.ngrams import ngrams, token_hashes
from distillery.curate.normalize import tokens
from distillery.hashing import Json
from distillery.records import Columns
from distillery.stages.base import Context, Decision


class Drop(StrEnum):
    NEAR_COPY = "near_copy"


@dataclass(frozen=True, kw_only=True)
class DedupMinhash:
    """Problems whose `column` shares at least `threshold` of its word n-grams (estimated Jaccard similarity).

    Han, kana and Thai count by character; operators and brackets are words, so code and formulas count too.
    Rows that share a problem_id are one unit: they all stay or all go. On a table of traces pass key: trace_id.
    """

    column: str = "question"
    key: str = "problem_id"  # the column that names a row
    threshold: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128
    shingle: Annotated[int, Field(ge=1, le=20)] = 3  # words in an n-gram
    keep: Keep = Keep.LONGEST
    prefer_sources: tuple[str, ...] = ()  # a copy from an earlier source stays

    version: ClassVar[int] = 1
    writes: ClassVar[Columns] = {}
    also_reads: ClassVar[tuple[str, ...]] = ("problem_id", "gold")

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.key, self.column, *(("source",) if self.prefer_sources else ()))

    @property
    def _preference(self) -> Preference:
        return Preference(sources=self.prefer_sources, keep=self.keep)

    def stamp(self) -> Json:
        return None

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        texts = table.select(pl.col(self.column).alias("text"))
        distinct = texts.unique(maintain_order=True)  # the samples of a problem share one signature
        grams = ngrams(token_hashes(tokens(distinct["text"])), n=self.shingle)
        marks = signatures(grams, permutations=self.permutations)
        # 4 bytes a permutation: 512 bytes a row at 128, whatever the length of the text
        forms = [mark.tobytes() if full else None for mark, full in zip(marks, grams.lengths, strict=True)]
        known = distinct.with_columns(pl.Series("form", forms, dtype=pl.Binary))
        own = texts.join(known, on="text", how="left", maintain_order="left", nulls_equal=True)
        described = self._preference.describe(table, key=self.key, column=self.column)
        return described.with_columns(own["form"])

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        units = self._preference.ordered(sketches)
        marked = units.filter(pl.col("form").is_not_null())
        joined = b"".join(marked["form"])
        marks = np.frombuffer(joined, np.uint32).reshape(-1, self.permutations)
        found = links(marks, threshold=self.threshold)
        places = marked["place"].to_numpy()
        gone = copies(
            zip(
                places[found.left].tolist(),
                places[found.right].tolist(),
                found.similarity.tolist(),
                strict=True,
            )
        )
        dropped = ledger(sketches, units, gone, reason=Drop.NEAR_COPY)
        return Decision(dropped, facts={**facts(sketches, gone), "threshold": self.threshold})
