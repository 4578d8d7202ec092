"""dedup.exact: one copy of texts that are equal once spelt alike."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

import polars as pl

from distillery.curate.copies.minhash import links
from distillery.curate.text.normalize import canonical
from distillery.stages.base import Context, Decision
from distillery.stages.dedup.one_copy import OneCopy, compared

_BYTES = 16  # of a form
_PART = 10_000  # rows


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

    version = 3
    reasons = tuple(Drop)

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        texts = compared(table, self.column)
        parts = [texts.slice(begin, _PART) for begin in range(0, len(texts), _PART)] or [texts]
        with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
            # polars spells the next part beside the hashing of this one
            spelt = threads.map(canonical, parts) if len(parts) > 1 else map(canonical, parts)
            forms = [form for part in spelt for form in _forms(part)]
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


def _forms(texts: pl.Series) -> Iterator[bytes | None]:
    """None for a text without a word."""
    for text in texts.cast(pl.Binary).to_list():
        yield blake2b(text, digest_size=_BYTES).digest() if text else None
