"""decontaminate.semantic: rows that ask a benchmark's question in other words, by the vectors of a model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from distillery.curate.copies.meaning import Vectors, nearest, numbers, undrawn
from distillery.engines.embedding import Embedding
from distillery.stages.decontaminate.evidence import Decontamination

_Placed = tuple[Vectors, npt.NDArray[np.uint64]]
"""The vector of each text, and the group in which it is compared."""


class Drop(StrEnum):
    SAME_MEANING = "same_meaning"
    """It asks what a benchmark asks; the detail shows both."""


@dataclass(frozen=True, kw_only=True)
class DecontaminateSemantic(Decontamination):
    """Drops rows that mean what a question of `against` does: a cosine from `threshold` on, equal numbers.

    An extra after decontaminate.ngrams, for paraphrases that share few words (Yang et al. 2023,
    arXiv:2311.04850). What a cosine means depends on the model: read the ledger's evidence before you trust a
    threshold. The user's earlier turns are looked at too.

        - id: clean
          use: decontaminate.semantic
          with: {against: [gsm8k_test.jsonl], embedding: {model: BAAI/bge-m3}}
    """

    embedding: Embedding
    """The model whose vectors are compared."""
    threshold: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """Least cosine of two texts that mean the same."""
    same_numbers: bool = True
    """A paraphrase must keep the numbers; numbers written in words are none."""

    version = 3
    reasons = tuple(Drop)

    def lookup(self, questions: list[str]) -> _Placed:
        return self._placed(pl.Series(questions, dtype=pl.String))

    def matches(self, texts: pl.Series, lookup: _Placed) -> pl.DataFrame:
        (vectors, groups), (known, theirs) = self._placed(texts), lookup
        best, score = nearest(vectors, known, groups, theirs)
        rows = np.flatnonzero(score >= self.threshold)
        found = pl.DataFrame({"row": rows, "question": best[rows], "score": score[rows]})
        return found.with_columns(kind=pl.lit(Drop.SAME_MEANING.value))

    def _placed(self, texts: pl.Series) -> _Placed:
        plain = undrawn(texts)
        groups = numbers(plain) if self.same_numbers else np.zeros(len(plain), np.uint64)
        return self.embedding.vectors(plain.to_list()), groups
