"""dedup.semantic: one copy of texts that mean the same, by the vectors of an embedding model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np
import polars as pl
from pydantic import Field

from distillery.curate.copies.meaning import meaning_links, undrawn
from distillery.curate.copies.minhash import packed, signatures, unpacked
from distillery.curate.copies.telling import numbers_and_signs, opposed, other_wording, poles, told
from distillery.engines.embedding import Embedding
from distillery.stages.base import Context, Decision
from distillery.stages.dedup.one_copy import OneCopy, compared

_WORD_MARKS = 64  # of a text's words
_SAME_WORDS = 0.7  # Jaccard similarity from which on a text is no paraphrase


class Drop(StrEnum):
    SAME_MEANING = "same_meaning"
    """It says in other words what a row says that stays."""


@dataclass(frozen=True, kw_only=True)
class DedupSemantic(OneCopy):
    """Problems whose `column` says the same in other words: a cosine of at least `threshold`, equal numbers
    and signs, no opposites (least, most), golds that do not differ.

    An extra after dedup.minhash. What a cosine means depends on the model: read what goes (`distillery why`,
    "Near copies" in the report) before you trust a threshold. Rows that share a problem_id are one unit: they
    stay or go. On a table of traces pass key: trace_id. A vector takes two bytes a dimension.

        - id: unlike
          use: dedup.semantic
          with: {embedding: {model: BAAI/bge-m3, base_url: "http://127.0.0.1:8000/v1"}}
    """

    embedding: Embedding
    """The model whose vectors are compared."""
    threshold: Annotated[float, Field(gt=0.0, le=1.0)] = 0.95
    """Least cosine of two copies."""
    same_numbers: bool = True
    """Problems that differ in a number, a sign or an opposite are different; and in what is asked or in a
    name of one letter, where most words are the same."""

    version = 3
    reasons = tuple(Drop)

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        texts = undrawn(compared(table, self.column))
        there = (texts.str.strip_chars() != "").fill_null(value=False)
        known = texts.filter(there).unique(maintain_order=True)
        vectors = self.embedding.vectors(known.to_list()).astype(np.float16).view(np.uint16)
        form = (
            packed(vectors, np.ones(len(known), np.bool_)) if len(known) else pl.Series([], dtype=pl.Binary)
        )
        seen = pl.DataFrame({"text": known, "form": form})
        asked = texts.alias("text").to_frame().join(seen, on="text", how="left", maintain_order="left")
        groups = numbers_and_signs(texts) if self.same_numbers else np.zeros(len(texts), np.uint64)
        described = self.preference.describe(table, key=self.key, column=self.column)
        tokens, columns = told(texts, n=1)
        words = packed(signatures(tokens, permutations=_WORD_MARKS), tokens.lengths >= 0).alias("words")
        more = asked["form"], pl.Series("numbers", groups), words
        return described.hstack(columns).hstack(poles(texts)).with_columns(more)

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        groups = sketches["numbers"].filter(sketches["form"].is_not_null()).to_numpy()
        bytes_wide = sketches["form"].bin.size().max()
        return self.decided(
            sketches,
            lambda marks, order, _kinds: meaning_links(
                marks.view(np.float16)[order], groups[order], threshold=self.threshold
            ),
            width=int(bytes_wide) // 2 if isinstance(bytes_wide, int) else 0,
            threshold=self.threshold,
            apart=_two_problems if self.same_numbers else None,
            reason=Drop.SAME_MEANING,
        )


def _two_problems(pairs: pl.DataFrame) -> pl.Series:
    one, other = (unpacked(pairs[name], permutations=_WORD_MARKS) for name in ("words", "words_right"))
    same_words = pl.Series((one == other).mean(axis=1) >= _SAME_WORDS, dtype=pl.Boolean)
    return opposed(pairs) | (same_words & other_wording(pairs))
