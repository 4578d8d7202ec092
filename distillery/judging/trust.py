"""How well a judge's verdicts agree with known labels, and what else than the answer sways them."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import polars as pl


class Measure(NamedTuple):
    value: float | None  # None where there is nothing to take a share of
    of: int  # of how many rows, votes or pairs
    stderr: float | None = None

    @classmethod
    def share(cls, part: int, whole: int) -> Measure:
        if not whole:
            return cls(None, 0)
        value = part / whole
        return cls(value, whole, sqrt(value * (1 - value) / whole))


def agreement(truth: pl.Series, verdict: pl.Series) -> dict[str, Measure]:
    """precision, recall, f1, accuracy and Cohen's kappa of boolean `verdict`, row by row; nulls count as no.

    Kappa is agreement beyond chance; it is None where chance explains everything.
    """
    truth, verdict = truth.fill_null(value=False), verdict.fill_null(value=False)
    rows = truth.len()
    both = int((truth & verdict).sum())
    neither = int((~truth & ~verdict).sum())
    said, true = int(verdict.sum()), int(truth.sum())
    accuracy = Measure.share(both + neither, rows)
    chance = (said * true + (rows - said) * (rows - true)) / rows**2 if rows else 1.0
    kappa = None if accuracy.value is None or chance == 1 else (accuracy.value - chance) / (1 - chance)
    f1 = 2 * both / (said + true) if said + true else None
    return {
        "precision": Measure.share(both, said),
        "recall": Measure.share(both, true),
        "f1": Measure(f1, rows),
        "accuracy": accuracy,
        "kappa": Measure(kappa, rows),
    }


def length_bias(rows: pl.DataFrame) -> dict[str, Measure]:
    """Of `right`, `accepted`, `length`: the share accepted in each third by length, of wrong and of right
    answers.

    `wrong_by_length` is the share of the longest third less that of the shortest: 0 where length sways
    nothing.
    """
    found: dict[str, Measure] = {}
    for name, right in (("wrong", False), ("right", True)):
        part = rows.filter((pl.col("right") == right) & pl.col("length").is_not_null())
        low, high = (part["length"].quantile(share, "lower") or 0 for share in (1 / 3, 2 / 3))
        length = pl.col("length")
        thirds = {"short": length <= low, "middle": (length > low) & (length <= high), "long": length > high}
        for third, bounds in thirds.items():
            accepted = part.filter(bounds)["accepted"]
            found[f"{name}_{third}"] = Measure.share(int(accepted.sum()), accepted.len())
        short, long = (found[f"{name}_{third}"].value for third in ("short", "long"))
        gap = None if short is None or long is None else long - short
        found[f"{name}_by_length"] = Measure(gap, part.height)
    return found


def order_bias(votes: pl.DataFrame) -> dict[str, Measure]:
    """Of `pair`, `first` (the pair's first one was shown first) and its `score` (null: unclear).

    `pair_flips`: the share of pairs whose winner is another one when the order is swapped. `pair_first_wins`:
    the share of decided votes that whoever is shown first wins; 0.5 where the order sways nothing.
    """
    score, first = pl.col("score"), pl.col("first")
    decided = votes.filter(score != 0)
    wins = decided.filter(first == (score > 0)).height
    means = {"one": score.filter(first).mean().sign(), "other": score.filter(~first).mean().sign()}
    sides = votes.group_by("pair").agg(**means).drop_nulls(["one", "other"])
    flips = sides.filter(pl.col("one") != pl.col("other")).height
    return {
        "pair_flips": Measure.share(flips, sides.height),
        "pair_first_wins": Measure.share(wins, decided.height),
        "pair_unclear": Measure.share(votes["score"].null_count(), votes.height),
    }


def place_bias(votes: pl.DataFrame) -> dict[str, Measure]:
    """Of `place`, `of` (answers shown) and `chosen` (null: unclear), a row for each answer in each vote.

    `best_first_wins` is the share of clear votes for the answer that stands first; `best_first_by_chance`
    what it would be if places swayed nothing.
    """
    first = votes.filter(pl.col("place") == 1)
    clear = first.drop_nulls("chosen")
    chance = float((1 / clear["of"]).sum()) / clear.height if clear.height else None
    return {
        "best_first_wins": Measure.share(int(clear["chosen"].sum()), clear.height),
        "best_first_by_chance": Measure(chance, clear.height),
        "best_unclear": Measure.share(first.height - clear.height, first.height),
    }
