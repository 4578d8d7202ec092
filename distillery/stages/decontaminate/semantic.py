"""decontaminate.semantic: rows that ask a benchmark's question in other words, by the vectors of an embedding model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from distillery.curate.copies.meaning import Vectors, nearest, numbers, undrawn
from distillery.engines.embedding import Embedding
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


class Drop(StrEnum):
    SAME_MEANING = "same_meaning"
    """It asks what a benchmark asks; the detail shows both."""


class Known(NamedTuple):
    vectors: Vectors
    groups: npt.NDArray[np.uint64]
    benchmarks: Benchmarks
    sizes: Counter[str]  # questions of each benchmark


@dataclass(frozen=True, kw_only=True)
class DecontaminateSemantic(Decontamination):
    """Drops rows whose `column` means what a question of `against` means: a cosine of at least `threshold`, equal numbers.

    An extra after decontaminate.ngrams, for paraphrases that share few words (Yang et al. 2023, arXiv:2311.04850). What a
    cosine means depends on the model: read the ledger's evidence before you trust a threshold. The user's earlier turns
    are looked at too.

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

    version = 1
    reasons = tuple(Drop)

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        known = _known(self.benches, self.embedding, changes(self.benches))
        say_what_is_missing(known.benchmarks, ctx)
        asked = asked_texts(table, self.column)
        texts = asked["text"].drop_nulls().unique(maintain_order=True)
        found = self._found(texts, known)
        hits = asked.join(found, on="text").sort("row", -pl.col("score"), "turn")
        return output(table, hits, known.sizes, known.benchmarks, key=self.key)

    def _found(self, texts: pl.Series, known: Known) -> pl.DataFrame:
        """Columns text, kind, score, bench and evidence."""
        plain = undrawn(texts)
        vectors = self.embedding.vectors(plain.to_list())
        groups = numbers(plain) if self.same_numbers else np.zeros(len(texts), np.uint64)
        theirs = known.groups if self.same_numbers else np.zeros(len(known.groups), np.uint64)
        best, score = nearest(vectors, known.vectors, groups, theirs)
        rows = np.flatnonzero(score >= self.threshold)
        questions = [known.benchmarks.questions[number] for number in best[rows].tolist()]
        said = [
            evidence(Drop.SAME_MEANING, alike, question)
            for alike, question in zip(score[rows].tolist(), questions, strict=True)
        ]
        return pl.DataFrame(
            {
                "text": texts.gather(rows),
                "kind": [str(Drop.SAME_MEANING)] * len(rows),
                "score": score[rows],
                "bench": [question.bench for question in questions],
                "evidence": said,
            },
            schema={
                "text": pl.String,
                "kind": pl.String,
                "score": pl.Float32,
                "bench": pl.String,
                "evidence": pl.String,
            },
        )


@lru_cache(maxsize=2)
def _known(benches: tuple[Bench, ...], embedding: Embedding, _changed: tuple[tuple[str, int], ...]) -> Known:
    benchmarks = load(benches)
    texts = undrawn(pl.Series([question.text for question in benchmarks.questions], dtype=pl.String))
    return Known(
        embedding.vectors(texts.to_list()),
        numbers(texts),
        benchmarks,
        Counter(question.bench for question in benchmarks.questions),
    )
