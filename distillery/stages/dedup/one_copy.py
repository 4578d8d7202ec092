"""What the stages share that keep one of several copies: options, and a decision on forms of equal width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl

from distillery.curate.copies.golds import Golds
from distillery.curate.copies.minhash import Indices, Links, Signatures, marks_of, unpacked
from distillery.curate.copies.which_stays import Keep, Preference, Sibling, copies, facts, ledger
from distillery.curate.text.ngrams import Hashes
from distillery.records import Turns, earlier_turns
from distillery.stages.base import Decision, TableStage, computed

Find = Callable[[Signatures, Indices, Hashes], Links]
"""From the forms, their order, best first, and a kind for each place in it: pairs of places, left < right. Of
equal forms of one kind each need only be linked to the first."""
Apart = Callable[[pl.DataFrame], pl.Series]
"""Of pairs, with the columns of their sketches (`x`, `x_right`): which are two problems, however alike."""


class DiffersIn(StrEnum):
    """What tells two siblings apart."""

    WORDING = "wording"
    """A number, a sign, an opposite or what is asked."""
    GOLD = "gold"
    """Their golds alone."""


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
    same_gold: bool = True
    """Problems whose golds differ, by their checker, are different. An empty gold differs from none."""

    also_reads = ("problem_id", "gold", "checker", "payload")

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
        apart: Apart | None = None,
        before: Sequence[pl.DataFrame] = (),
    ) -> Decision:
        """From sketches that have, beside what `Preference` describes, a `form` a text. Takes these, the bulk
        of it all, out of `sketches` and `before`; the rows of the latter stay."""
        forms = pl.concat([frame.drop_in_place("form") for frame in (*before, sketches)])
        there = forms.is_not_null()
        marks = unpacked(forms, permutations=width)
        del forms
        rows = pl.concat([*before, sketches])
        own = rows.select(pl.exclude(*self.preference.described))
        own = own if there.all() else own.filter(there)
        described = rows.select(
            *self.preference.described,
            _spread(pl.Series("form", marks_of(marks)), there),
            _spread(pl.Series("row", np.arange(len(marks))), there),
        )
        units = self.preference.ordered(described)
        del rows, described, there
        marked = units.filter(pl.col("form").is_not_null()).select("place", "row")
        several = marked["place"].is_duplicated()
        kinds = own.hash_rows().gather(marked["row"])
        kinds = pl.select(pl.when(several).then(marked["row"].hash()).otherwise(kinds)).to_series().to_numpy()
        found = find(marks, marked["row"].to_numpy(), kinds)
        del marks, kinds
        earlier = pl.concat([_NONE, *(frame["key"] for frame in before)])
        known = units.filter(pl.col("key").is_in(earlier.implode()))
        pairs = _pairs(found, marked, own, apart)
        golds = Golds(pairs.filter(~pl.col("other")))
        alike = golds.alike if self.same_gold else _always
        linked, siblings = _told_apart(pairs, alike)
        parted = set(marked["place"].filter(several))
        gone = copies(linked, staying=known["place"].n_unique(), several=parted, alike=alike)
        dropped = ledger(sketches, units, gone, reason=reason)
        counts = facts(sketches, units, gone, siblings, column=self.column)
        unlike = sum(not golds.alike(place, copy.of) for place, copy in gone.items())
        return Decision(dropped, facts={**counts, "gold_differs": unlike, "threshold": threshold})


def compared(table: pl.DataFrame, column: str) -> pl.Series:
    """The column's texts; before a question that goes on a conversation, what was said."""
    texts = table[column].cast(pl.String)
    if column != "question" or "payload" not in table.columns:
        return texts
    spoken = table["payload"].str.contains('"history"', literal=True).fill_null(value=False).arg_true()
    said = [
        "\n".join([*(turn for _, turn in _turns(payload)), text or ""])
        for payload, text in zip(table["payload"].gather(spoken), texts.gather(spoken), strict=True)
    ]
    return texts.scatter(spoken, said) if said else texts


def _turns(payload: str) -> Turns:
    try:
        return earlier_turns(payload)
    except ValueError:  # the stages that speak with a model say so
        return ()


_NONE = pl.Series("key", [], dtype=pl.String)


def _spread(values: pl.Series, there: pl.Series) -> pl.Series:
    """The values where there is a form, null elsewhere."""
    places = there.cast(pl.Int64).cum_sum() - 1
    return values.gather(pl.select(pl.when(there).then(places)).to_series())


def _pairs(found: Links, marked: pl.DataFrame, own: pl.DataFrame, apart: Apart | None) -> pl.DataFrame:
    """Columns of, place (the worse one), their golds, similarity and other: are they two problems?"""
    left, right = (part.hstack(own[part["row"]]) for part in (marked[found.left], marked[found.right]))
    pairs = left.hstack(right.select(pl.all().name.suffix("_right")))
    pairs = pairs.with_columns(similarity=pl.Series(found.similarity))
    pairs = pairs.filter(pl.col("place") != pl.col("place_right"))
    return pairs.select(
        of="place",
        place="place_right",
        gold=pl.struct("gold", "checker"),
        gold_right=pl.struct(gold="gold_right", checker="checker_right"),
        similarity="similarity",
        other=pl.lit(value=False) if apart is None else apart(pairs),
    )


def _told_apart(
    pairs: pl.DataFrame, alike: Callable[[int, int], bool]
) -> tuple[list[tuple[int, int, float]], list[Sibling]]:
    linked: list[tuple[int, int, float]] = []
    siblings: list[Sibling] = []
    for place, of, similarity, other in pairs.select("place", "of", "similarity", "other").iter_rows():
        if other or not alike(place, of):
            siblings.append(Sibling(place, of, similarity, DiffersIn.WORDING if other else DiffersIn.GOLD))
        else:
            linked.append((place, of, similarity))
    return linked, siblings


def _always(_place: int, _of: int) -> bool:
    return True
