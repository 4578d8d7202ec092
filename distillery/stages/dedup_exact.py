"""dedup.exact: one copy of texts that are equal once spelt alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import ClassVar

import polars as pl

from distillery.curate.copies import Keep, Preference, equals, facts, ledger
from distillery.curate.normalize import canonical
from distillery.hashing import Json
from distillery.records import Columns
from distillery.stages.base import Context, Decision


class Drop(StrEnum):
    SAME_TEXT = "same_text"


@dataclass(frozen=True, kw_only=True)
class DedupExact:
    """Problems whose `column` says the same but for case, width, spacing, punctuation and LaTeX spelling.

    Rows that share a problem_id are one unit: they all stay or all go. On a table of traces pass key: trace_id.
    A text without a word is nobody's copy.
    """

    column: str = "question"
    key: str = "problem_id"  # the column that names a row
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
        forms = [
            blake2b(text.encode(), digest_size=16).digest() if text else None
            for text in canonical(table[self.column])
        ]
        described = self._preference.describe(table, key=self.key, column=self.column)
        return described.with_columns(pl.Series("form", forms, dtype=pl.Binary))

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        units = self._preference.ordered(sketches)
        shared = units.filter(pl.col("form").is_not_null() & (pl.len().over("form") > 1))
        gone = equals(shared.select("place", "form").iter_rows())
        dropped = ledger(sketches, units, gone, reason=Drop.SAME_TEXT)
        return Decision(dropped, facts=facts(sketches, units, gone, column=self.column))
