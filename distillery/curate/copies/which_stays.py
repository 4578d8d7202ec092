"""Which of several copies stays: problems are compared, never the samples of one problem with one another.

The order of preference comes from the rows' content, so that neither row order nor shards can change it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple

import polars as pl

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
        """Columns key, unit, source_rank, no_gold and length: what `ordered` needs, without the texts."""
        has = table.columns
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
        )

    def ordered(self, described: pl.DataFrame) -> pl.DataFrame:
        """One row a unit and text form (column `form`), best unit first, with `place`, the unit's rank."""
        best = ("source_rank", "no_gold", "length")
        unit = described.group_by("unit").agg(pl.min(*best)).sort(*best, "unit").with_row_index("place")
        forms = described.sort("key").unique(["unit", "form"], keep="first", maintain_order=True)
        return forms.drop(*best).join(unit.select("unit", "place"), on="unit").sort("place", "form")


class Copy(NamedTuple):
    of: int
    similarity: float


def copies(pairs: Iterable[tuple[int, int, float]], *, staying: int = 0) -> dict[int, Copy]:
    """Which places go, and for which. `pairs` are linked places; a smaller place is the better one, and the
    first `staying` never go.

    A place goes only for a direct link to one that stays, so that chains of near-copies do not pull together
    texts that are unlike. Equal places (similarity 1) share their links.
    """
    better: dict[int, list[Copy]] = {}
    for left, right, similarity in pairs:
        if left != right and max(left, right) >= staying:
            better.setdefault(max(left, right), []).append(Copy(min(left, right), similarity))
    gone: dict[int, Copy] = {}
    for place in sorted(better):
        resolved = (gone.get(copy.of, copy) if copy.similarity == 1.0 else copy for copy in better[place])
        kept = [copy for copy in resolved if copy.of not in gone]
        if kept:
            gone[place] = max(kept, key=lambda copy: (copy.similarity, -copy.of))
    return gone


def equals(forms: Iterable[tuple[int, bytes]]) -> dict[int, Copy]:
    """As `copies`, for places that share a form; `forms` come in order of place, several for one maybe."""
    gone: dict[int, Copy] = {}
    owner: dict[bytes, int] = {}
    for place, group in groupby(forms, key=itemgetter(0)):
        own = [form for _, form in group]
        stays = [owner[form] for form in own if form in owner]
        if stays:
            gone[place] = Copy(min(stays), 1.0)
        else:
            owner.update((form, place) for form in own)
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
    described: pl.DataFrame, units: pl.DataFrame, gone: dict[int, Copy], *, column: str
) -> dict[str, Any]:
    """The column compared, counts of what goes, and pairs of rows that a link joined, least alike first."""
    sizes = Counter(copy.of for copy in gone.values())
    shown = nsmallest(MOST_PAIRS, gone.items(), key=lambda item: (item[1].similarity, item[0]))
    wanted = {place for at, copy in shown for place in (at, copy.of)}
    rows = units.filter(pl.col("place").is_in(list(wanted))).group_by("place").agg(pl.col("key").min())
    keys = dict(rows.iter_rows())
    return {
        "column": column,
        "problems": described["unit"].n_unique(),
        "copies": len(gone),
        "clusters": len(sizes),
        "largest_cluster": max(sizes.values(), default=-1) + 1,
        "pairs": [[keys[at], keys[copy.of], round(copy.similarity, 3)] for at, copy in shown],
    }
