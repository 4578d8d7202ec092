"""Are the golds of two problems the same answer? By the checker of the two, where it can say so without a
sandbox; a program's or a puzzle's, and what cannot be read, as texts.

A gold that is empty, stands for none or is not read by its checker differs from none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import polars as pl

from distillery.hashing import digest
from distillery.records import Outcome, Problem
from distillery.verify import Errand, get_checker
from distillery.verify.exact import fold
from distillery.verify.math.check import SENTINELS
from distillery.verify.math.final_answer import MAX_LINE, stated_gold
from distillery.verify.pool.processes import run_errands

_UNREAD = {"harmless", "instruction", "language", "layout"}  # they hold an answer against no gold
_COMPUTED = {"math", "choice"}
_LONG = MAX_LINE  # characters; of a longer gold what it states, of a program's or a text's a digest
_DEADLINE_S = 10.0


class Gold(NamedTuple):
    text: str
    checker: str  # "": not known, and compared as mathematics, then as text


def short(golds: pl.Series, checkers: pl.Series) -> pl.Series:
    """As they are kept for comparison."""
    golds = golds.cast(pl.String).fill_null("").str.strip_chars()
    long = (golds.str.len_chars() > _LONG).arg_true()
    stated = [
        _shortened(gold, checker)
        for gold, checker in zip(golds.gather(long), checkers.gather(long), strict=True)
    ]
    return golds.scatter(long, stated) if stated else golds


def _shortened(gold: str, checker: str) -> str:
    stated = stated_gold(gold) if checker in ("", "math") else fold(gold)
    return stated if len(stated) <= _LONG else digest(stated)


class Golds:
    """Of the places in some pairs, which have golds that do not differ. `pairs` has columns of, place, gold
    and gold_right."""

    def __init__(self, pairs: pl.DataFrame) -> None:
        known = pl.concat([pairs.select("of", "gold"), pairs.select(of="place", gold="gold_right")])
        self._golds = {place: Gold(*gold.values()) for place, gold in known.unique("of").iter_rows()}
        unequal = pairs.filter(pl.col("gold") != pl.col("gold_right")).select("gold", "gold_right").unique()
        self._differ = _told(
            (Gold(*one.values()), Gold(*other.values())) for one, other in unequal.iter_rows()
        )

    def alike(self, place: int, of: int) -> bool:
        pair = self._golds[of], self._golds[place]
        if pair not in self._differ:
            self._differ |= _told([pair])
        return not self._differ[pair]


def _told(pairs: Iterable[tuple[Gold, Gold]]) -> dict[tuple[Gold, Gold], bool]:
    """Whether each pair differs. What takes computer algebra is computed in a process that can be killed;
    what it cannot tell within its deadline differs."""
    found = {pair: _differ(*pair) for pair in pairs}
    errands = [said for said in found.values() if isinstance(said, Errand)]
    verdicts = run_errands(errands, workers=1, deadline_s=_DEADLINE_S)
    return {
        pair: verdicts[said].outcome is not Outcome.CORRECT if isinstance(said, Errand) else said
        for pair, said in found.items()
    }


def _differ(one: Gold, other: Gold) -> bool | Errand:
    checkers = {one.checker, other.checker}
    if checkers & _UNREAD or _says_none(one) or _says_none(other) or fold(one.text) == fold(other.text):
        return False
    checker = (checkers & _COMPUTED) or ({"math"} if "" in checkers and checkers <= {"", "exact"} else set())
    if len(checker) != 1 or not checkers <= {"", "exact", *checker}:
        return True
    return _by(checker.pop(), one.text, other.text)


def _says_none(gold: Gold) -> bool:
    said = fold(gold.text)
    return not said or (gold.checker in ("", "math") and said in SENTINELS)


def _by(checker: str, one: str, other: str) -> bool | Errand:
    """Each may hold what the other leaves out, as a unit."""
    errand = None
    for gold, answer in ((one, other), (other, one)):
        said = get_checker(checker).check(Problem("", gold), f"\\boxed{{{stated_gold(answer)}}}")
        if isinstance(said, Errand):
            errand = errand or replace(said, checker=checker)
        elif said.outcome is Outcome.CORRECT:
            return False
    return errand or True
