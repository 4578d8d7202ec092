"""How hard a problem is for a model, and how well a model does: pass rates, pass@k, majority, error bars.

A sample that was not judged (`correct` is null) counts in `attempts` only: it is never a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import comb, sqrt
from statistics import fmean, stdev
from typing import NamedTuple

import polars as pl

from distillery.records import Columns

DIFFICULTY: Columns = {"pass_rate": pl.Float64(), "attempts": pl.Int32()}


class Estimate(NamedTuple):
    value: float
    stderr: float | None  # None: one value says nothing about its spread


def pass_rates(samples: pl.DataFrame, *, by: str = "problem_id") -> pl.DataFrame:
    """Columns `by`, attempts, judged, right and pass_rate (null when no sample was judged), sorted by `by`.

    `samples` has one row a sample and a boolean `correct`, null where nothing was judged.
    """
    correct = pl.col("correct").cast(pl.Boolean)
    counts = {"attempts": pl.len(), "judged": correct.count(), "right": correct.sum()}
    whole = {name: count.cast(pl.Int32) for name, count in counts.items()}
    return samples.group_by(by).agg(**whole, pass_rate=correct.mean().cast(pl.Float64)).sort(by)


def pass_at_k(samples: int, right: int, *, k: int) -> float:
    """The unbiased estimator 1 - C(n-c, k) / C(n, k) of "one of k is right" (Chen et al. 2021); k <= n."""
    if not 0 < k <= samples:
        raise ValueError(f"pass@{k} cannot be told from {samples} samples")
    return 1.0 - comb(samples - right, k) / comb(samples, k)


def mean_over(values: Sequence[float]) -> Estimate:
    """Mean of per-problem values; the error bar is over problems, whose samples are not independent."""
    spread = stdev(values) / sqrt(len(values)) if len(values) > 1 else None
    return Estimate(fmean(values), spread)


def majority(votes: Sequence[tuple[str | bytes, bool]]) -> float:
    """Chance that the most frequent answer is right; `votes` are (answer, correct).

    All right answers are one answer, however they are spelt. Ties are broken at random, hence a share.
    """
    right = sum(correct for _, correct in votes)
    wrong = Counter(answer for answer, correct in votes if not correct).values()
    if not right or right < max(wrong, default=0):
        return 0.0
    return 1.0 / (1 + sum(count == right for count in wrong))
