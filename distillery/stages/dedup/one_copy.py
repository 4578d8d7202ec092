"""What the stages share that keep one of several copies: options, and a decision on forms of equal width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from distillery.curate.copies.minhash import Indices, Links, Signatures, marks_of, unpacked
from distillery.curate.copies.which_stays import Copy, Keep, Preference, copies, facts, ledger
from distillery.stages.base import Decision, TableStage, computed

Find = Callable[[Signatures, Indices], Links]
"""From the forms and their order, best first: pairs of places in that order, left < right."""


@dataclass(frozen=True, kw_only=True)
class OneCopy(TableStage):
    """Which column is compared, and which of several copies stays."""

    column: str = "question"
    """The column that is compared."""
    key: str = "problem_id"
    """The column that names a row."""
    keep: Keep = Keep.LONGEST
    """Which of several copies stays, where `prefer_sources` leaves several."""
    prefer_sources: tuple[str, ...] = ()
    """Sources, best first: a copy from an earlier one stays."""

    also_reads = ("problem_id", "gold")

    @computed
    def reads(self) -> tuple[str, ...]:
        return (self.key, self.column, *(("source",) if self.prefer_sources else ()))

    @property
    def preference(self) -> Preference:
        return Preference(sources=self.prefer_sources, keep=self.keep)

    def decided(
        self,
        sketches: pl.DataFrame,
        find: Find,
        *,
        width: int,
        threshold: float,
        reason: str,
        before: Sequence[pl.DataFrame] = (),
    ) -> Decision:
        """From sketches that have, beside what `Preference` describes, a `form` a text. Takes these, the bulk
        of it all, out of `sketches` and `before`; the rows of the latter stay."""
        forms = pl.concat([frame.drop_in_place("form") for frame in (*before, sketches)])
        there = forms.is_not_null()
        marks = unpacked(forms, permutations=width)
        del forms
        rows = pl.concat([*before, sketches]).select(
            *self.preference.described,
            _spread(pl.Series("form", marks_of(marks)), there),
            _spread(pl.Series("row", np.arange(len(marks))), there),
        )
        units = self.preference.ordered(rows)
        del rows, there
        marked = units.filter(pl.col("form").is_not_null()).select("row", "place")
        found = find(marks, marked["row"].to_numpy())
        earlier = pl.concat([_NONE, *(frame["key"] for frame in before)])
        known = units.filter(pl.col("key").is_in(earlier.implode()))
        gone = _gone(found, marked["place"].to_numpy(), staying=known["place"].n_unique())
        del marks, marked, found
        dropped = ledger(sketches, units, gone, reason=reason)
        counts = facts(sketches, units, gone, column=self.column)
        return Decision(dropped, facts={**counts, "threshold": threshold})


_NONE = pl.Series("key", [], dtype=pl.String)


def _spread(values: pl.Series, there: pl.Series) -> pl.Series:
    """The values where there is a form, null elsewhere."""
    places = there.cast(pl.Int64).cum_sum() - 1
    return values.gather(pl.select(pl.when(there).then(places)).to_series())


def _gone(found: Links, places: np.ndarray, *, staying: int) -> dict[int, Copy]:
    left, right = places[found.left].tolist(), places[found.right].tolist()
    return copies(zip(left, right, found.similarity.tolist(), strict=True), staying=staying)
