"""Which of several copies stays: problems are compared, never the samples of one problem with one another.

The order of preference comes from the rows' content, so that neither row order nor shards can change it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest
from typing import Any, ClassVar, NamedTuple

import polars as pl

from distillery.curate.copies.golds import short

_NO_SOURCE = 1 << 20
MOST_PAIRS = 20  # shown in the report


class Keep(StrEnum):
    LONGEST = "longest"
    """The longest."""
    SHORTEST = "shortest"
    """The shortest."""
    ANY = "any"
    """The one with the smallest id: arbitrary, but always the same."""


@dataclass(frozen=True, kw_only=True)
class Preference:
    """Best copy first: an earlier source, then one with a gold, then by length, then by id."""

    sources: Sequence[str] = ()
    keep: Keep = Keep.LONGEST

    described: ClassVar[tuple[str, ...]] = ("key", "unit", "source_rank", "no_gold", "length")

    def describe(self, table: pl.DataFrame, *, key: str, column: str) -> pl.DataFrame:
        """What `ordered` needs, and the gold with its checker, without the texts."""
        has, none = table.columns, pl.Series([""]).new_from_index(0, table.height)
        checker = table["checker"].cast(pl.String).fill_null("") if "checker" in has else none
        length = pl.col(column).str.len_chars().fill_null(0).cast(pl.Int64)
        ranks = {source: rank for rank, source in enumerate(self.sources)}
        return table.select(
            pl.col(key).cast(pl.String).alias("key"),
            pl.col("problem_id" if "problem_id" in has else key).cast(pl.String).alias("unit"),
            (pl.col("source") if "source" in has and ranks else pl.lit(None, pl.String))
            .replace_strict(ranks, default=_NO_SOURCE, return_dtype=pl.Int32)
            .alias("source_rank"),
            (pl.col("gold").fill_null("") == "" if "gold" in has else pl.lit(False)).alias("no_gold"),
            {Keep.LONGEST: -length, Keep.SHORTEST: length, Keep.ANY: pl.lit(0, pl.Int64)}[self.keep].alias(
                "length"
            ),
            (short(table["gold"], checker) if "gold" in has else none).alias("gold"),
            checker.alias("checker"),
        )

    def ordered(self, described: pl.DataFrame) -> pl.DataFrame:
        """One row a unit and text form (column `form`), one with a gold where there is one; best unit first,
        with `place`, the unit's rank."""
        best = ("source_rank", "no_gold", "length")
        unit = described.group_by("unit").agg(pl.min(*best)).sort(*best, "unit").with_row_index("place")
        forms = described.sort("no_gold", "key").unique(["unit", "form"], keep="first", maintain_order=True)
        return forms.drop(*best).join(unit.select("unit", "place"), on="unit").sort("place", "form")


class Copy(NamedTuple):
    of: int
    similarity: float


class Sibling(NamedTuple):
    """Two problems that are nearly equal, and two."""

    place: int
    of: int
    similarity: float
    differs_in: str


def copies(
    pairs: Iterable[tuple[int, int, float]],
    *,
    staying: int = 0,
    several: Container[int] = (),
    alike: Callable[[int, int], bool] = lambda _place, _of: True,
) -> dict[int, Copy]:
    """Which places go, and for which. `pairs` are linked places; a smaller place is the better one, and the
    first `staying` never go.

    A place goes only for a direct link to one that stays, so that chains of near-copies do not pull together
    texts that are unlike. Equal places (similarity 1) share their links, where those that are then linked are
    `alike`; but not by one of the places with `several` forms.
    """
    better: dict[int, list[Copy]] = {}
    for left, right, similarity in pairs:
        if left != right and max(left, right) >= staying:
            better.setdefault(max(left, right), []).append(Copy(min(left, right), similarity))
    gone: dict[int, Copy] = {}
    for place in sorted(better):
        own = [copy for copy in better[place] if copy.of not in gone]
        equals = [copy.of for copy in better[place] if copy.similarity == 1.0 and copy.of not in several]
        shared = [gone[of] for of in equals if of in gone and alike(place, gone[of].of)]
        if own or shared:
            gone[place] = max(own + shared, key=lambda copy: (copy.similarity, -copy.of))
    return gone


def ledger(
    described: pl.DataFrame, units: pl.DataFrame, gone: dict[int, Copy], *, reason: str
) -> pl.DataFrame:
    """LEDGER rows for every row of the units that go; the detail names the kept key and the similarity."""
    links = pl.DataFrame(
        [(place, copy.of, copy.similarity) for place, copy in gone.items()],
        schema={"place": units.schema["place"], "of": units.schema["place"], "similarity": pl.Float64},
        orient="row",
    )
    units = units.filter(pl.col("place").is_in(pl.concat([links["place"], links["of"]]).implode()))
    first = units.group_by(of="place").agg(kept=pl.col("key").min())
    goes = units.select("unit", "place").unique().join(links, on="place").join(first, on="of")
    out = described.select("key", "unit").join(goes, on="unit").sort("key")
    shown = [
        f"copy of {kept}, similarity {alike:.3f}"
        for kept, alike in out.select("kept", "similarity").iter_rows()
    ]
    return out.select(
        "key", pl.lit(reason, pl.String).alias("reason"), pl.Series("detail", shown, dtype=pl.String)
    )


def facts(
    described: pl.DataFrame,
    units: pl.DataFrame,
    gone: dict[int, Copy],
    siblings: Sequence[Sibling],
    *,
    column: str,
) -> dict[str, Any]:
    """The column compared, counts of what goes, pairs of rows that a link joined, least alike first, and of
    pairs that are nearly equal and are two problems, most alike first."""
    sizes = Counter(copy.of for copy in gone.values())
    shown = nsmallest(MOST_PAIRS, gone.items(), key=lambda item: (item[1].similarity, item[0]))
    stay = [pair for pair in siblings if pair.place not in gone and pair.of not in gone]
    most = nsmallest(MOST_PAIRS, stay, key=lambda pair: (-pair.similarity, pair.place, pair.of))
    wanted = {place for at, copy in shown for place in (at, copy.of)}
    wanted |= {place for pair in most for place in (pair.place, pair.of)}
    rows = units.filter(pl.col("place").is_in(list(wanted))).group_by("place").agg(pl.col("key").min())
    keys = dict(rows.iter_rows())
    return {
        "column": column,
        "problems": described["unit"].n_unique(),
        "copies": len(gone),
        "clusters": len(sizes),
        "largest_cluster": max(sizes.values(), default=-1) + 1,
        "pairs": [[keys[at], keys[copy.of], round(copy.similarity, 3)] for at, copy in shown],
        "siblings": dict(Counter(str(pair.differs_in) for pair in stay)),
        "sibling_pairs": [
            [keys[pair.place], keys[pair.of], round(pair.similarity, 3), str(pair.differs_in)]
            for pair in most
        ],
    }
