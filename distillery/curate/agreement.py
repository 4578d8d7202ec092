"""How far two sets of yes-or-no verdicts on the same rows agree."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl


class Agreement(NamedTuple):
    """Shares in [0, 1]; None where there is nothing to take a share of."""

    precision: float | None
    recall: float | None
    accuracy: float | None
    kappa: float | None  # Cohen's: agreement beyond chance; None when chance explains everything


def agreement(truth: pl.Series, verdict: pl.Series) -> Agreement:
    """Of boolean `verdict` with boolean `truth`, row by row; nulls count as no."""
    truth, verdict = truth.fill_null(value=False), verdict.fill_null(value=False)
    rows = truth.len()
    both = int((truth & verdict).sum())
    neither = int((~truth & ~verdict).sum())
    said, true = int(verdict.sum()), int(truth.sum())
    accuracy = _share(both + neither, rows)
    chance = _share(said * true + (rows - said) * (rows - true), rows * rows)
    kappa = None
    if accuracy is not None and chance is not None and chance < 1:
        kappa = (accuracy - chance) / (1 - chance)
    return Agreement(_share(both, said), _share(both, true), accuracy, kappa)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
