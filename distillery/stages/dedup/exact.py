"""dedup.exact: one copy of texts that are equal once spelt alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

import polars as pl

from distillery.curate.copies.minhash import links
from distillery.curate.text.normalize import canonical
from distillery.stages.base import Context, Decision
from distillery.stages.dedup.one_copy import OneCopy, compared

_BYTES = 16  # of a form


class Drop(StrEnum):
    SAME_TEXT = "same_text"
    """A copy of a row that stays, but for case, width, spacing, punctuation and LaTeX spelling."""


@dataclass(frozen=True, kw_only=True)
class DedupExact(OneCopy):
    """Problems whose `column` says the same but for case, width, spacing, punctuation and LaTeX spelling.

    Two whose golds differ are siblings: both stay. Rows that share a problem_id are one unit: they stay or
    go. On a table of traces pass key: trace_id. A text without a word is nobody's copy.

        - id: unique
          use: dedup.exact
          with: {prefer_sources: [handmade]}
    """

    version = 2
    reasons = tuple(Drop)

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        forms = [
            blake2b(text.encode(), digest_size=_BYTES).digest() if text else None
            for text in canonical(compared(table, self.column))
        ]
        described = self.preference.describe(table, key=self.key, column=self.column)
        return described.with_columns(pl.Series("form", forms, dtype=pl.Binary))

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        return self.decided(
            sketches,
            lambda marks, order, kinds: links(marks, threshold=1.0, order=order, kinds=kinds),
            width=_BYTES // 2,
            threshold=1.0,
            reason=Drop.SAME_TEXT,
        )
