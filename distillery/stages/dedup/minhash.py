"""dedup.minhash: one copy of texts that are nearly equal, by MinHash signatures and banding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery.curate.copies.minhash import links
from distillery.curate.copies.telling import other_wording
from distillery.hashing import Json
from distillery.stages.base import Context, Decision
from distillery.stages.dedup.one_copy import OneCopy, compared
from distillery.stages.dedup.signatures import Signed, index_stamp, read_index


class Drop(StrEnum):
    NEAR_COPY = "near_copy"
    """It shares most of its n-grams with a row that stays, or with one of an earlier set."""


@dataclass(frozen=True, kw_only=True)
class DedupMinhash(Signed, OneCopy):
    """Problems whose `column` shares at least `threshold` of its word n-grams (estimated Jaccard similarity).

    Two that differ in a number, a sign, a name of one letter, an opposite (least, most), in what is asked or
    in their golds are siblings, not copies: both stay, and the report counts and shows them.
    Han, kana and Thai count by character; operators and brackets are words, so code and formulas count too.
    Rows that share a problem_id are one unit: they stay or go. On a table of traces pass key: trace_id.

        - id: unique
          use: dedup.minhash
          with: {threshold: 0.9}
    """

    threshold: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    """Least estimated Jaccard similarity of two copies."""
    same_numbers: bool = True
    """Problems that differ in a number, a sign, an opposite or in what is asked are different."""
    earlier: tuple[str, ...] = ()
    """Folders that export.signatures wrote: what is in those sets goes."""

    version = 5
    reasons = tuple(Drop)

    def stamp(self) -> Json:
        """sha256 of each earlier set's signatures; None where there are none."""
        return [index_stamp(folder, self.shape) for folder in self.earlier] or None

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        described = self.preference.describe(table, key=self.key, column=self.column)
        return described.hstack(self.shape.forms(compared(table, self.column)))

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        described = sketches.drop("form")
        return self.decided(
            sketches,
            lambda marks, order, kinds: links(marks, threshold=self.threshold, order=order, kinds=kinds),
            width=self.permutations,
            threshold=self.threshold,
            apart=other_wording if self.same_numbers else None,
            reason=Drop.NEAR_COPY,
            before=[read_index(folder, self.shape, like=described) for folder in self.earlier],
        )
