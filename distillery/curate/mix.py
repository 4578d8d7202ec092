"""A mix of an exact size: which rows fill which quota, under caps, and what is missing.

Rows are taken in a fixed order (a seeded draw over their keys), so the mix does not depend on how they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import floor
from typing import Literal, NamedTuple

import polars as pl


@dataclass(frozen=True, kw_only=True)
class Band:
    """Numbers from `min` up to `max`, both inclusive; None = no end."""

    min: float | None = None
    """Least, inclusive; null: no end."""
    max: float | None = None
    """Most, inclusive; null: no end."""


Condition = str | list[str] | Band


@dataclass(frozen=True, kw_only=True)
class Quota:
    """So many rows or tokens, or a share of the total, of the rows that meet every condition of `where`."""

    where: dict[str, Condition] = field(default_factory=dict)
    """Conditions that a row must meet: for each column a value, a list of values, or a band."""
    name: str = ""
    """What the column `quota` says; "": made from the conditions."""
    rows: int | None = None
    """Its size in rows; one of rows, tokens and share is given."""
    tokens: int | None = None
    """Its size in tokens."""
    share: float | None = None
    """Its size as a share of `total`."""

    @property
    def title(self) -> str:
        return self.name or ", ".join(f"{name}={_shown(is_)}" for name, is_ in self.where.items()) or "any"

    def matches(self) -> pl.Expr:
        tests = [_test(pl.col(name), is_) for name, is_ in self.where.items()]
        return pl.all_horizontal(pl.lit(True), *tests).fill_null(False)


class Want(NamedTuple):
    unit: Literal["rows", "tokens"]
    amount: int


class Drop(StrEnum):
    NO_QUOTA = "no_quota"
    """No quota asks for such rows."""
    ENOUGH = "enough"
    """Its quota is full."""
    PER_PROBLEM = "per_problem"
    """Its problem has as many rows as it may."""
    PER_SOURCE = "per_source"
    """Its source has as many rows as it may."""


class Row(NamedTuple):
    quota: int | None
    problem: str
    source: str
    tokens: int


class Filled(NamedTuple):
    reasons: list[Drop | None]  # for each row; None = it is in
    rows: list[int]  # of each quota
    tokens: list[int]

    def got(self, quota: int, want: Want) -> int:
        return (self.rows if want.unit == "rows" else self.tokens)[quota]


_R1_800K = {"math": 395_285, "code": 211_129, "stem": 10_124, "logic": 10_395, "general": 177_812}
"""DeepSeek-R1's published SFT set (arXiv 2501.12948v2, table 5): 804,745 rows."""
PRESETS = {"r1-800k": tuple(Quota(where={"domain": it}, name=it, rows=rows) for it, rows in _R1_800K.items())}


def assigned(rows: pl.DataFrame, quotas: Sequence[Quota]) -> pl.Series:
    """For each row the number of the first quota it matches; null = none."""
    fits = [pl.when(quota.matches()).then(pl.lit(at, pl.Int32)) for at, quota in enumerate(quotas)]
    return rows.with_columns(quota=pl.coalesce(*fits, pl.lit(None, pl.Int32)))["quota"]


def apportion(amounts: Sequence[float]) -> list[int]:
    """Whole numbers next to `amounts` that add up to their rounded sum (largest remainders)."""
    whole = [floor(amount) for amount in amounts]
    missing = round(sum(amounts)) - sum(whole)
    for place in sorted(range(len(amounts)), key=lambda at: (whole[at] - amounts[at], at))[:missing]:
        whole[place] += 1
    return whole


def wants(quotas: Sequence[Quota], *, total: int | None = None, scale: float = 1.0) -> list[Want]:
    """Rows or tokens of each quota; shares are of `total` rows; all is multiplied by `scale`."""
    out: dict[int, Want] = {}
    for unit in ("rows", "tokens"):
        members = [at for at, quota in enumerate(quotas) if (quota.tokens is not None) == (unit == "tokens")]
        exact = [_amount(quotas[at], total) * scale for at in members]
        out.update({at: Want(unit, amount) for at, amount in zip(members, apportion(exact), strict=True)})
    return [out[at] for at in range(len(quotas))]


def _amount(quota: Quota, total: int | None) -> float:
    if quota.share is not None:
        return quota.share * (total or 0)
    return float(quota.rows if quota.rows is not None else quota.tokens or 0)


def fill(
    rows: Sequence[Row],
    wanted: Sequence[Want],
    *,
    per_problem: int | None = None,
    per_source: int | None = None,
) -> Filled:
    """Takes `rows` in their order while their quota and the caps have room.

    A token quota is never overshot: a row that does not fit is passed over for a later one that does.
    """
    reasons: list[Drop | None] = []
    taken, tokens = [0] * len(wanted), [0] * len(wanted)
    problems: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    for quota, problem, source, size in rows:
        reason: Drop | None = None
        if quota is None:
            reason = Drop.NO_QUOTA
        elif not _fits(wanted[quota], taken[quota], tokens[quota] + size):
            reason = Drop.ENOUGH
        elif per_problem is not None and problems[problem] >= per_problem:
            reason = Drop.PER_PROBLEM
        elif per_source is not None and sources[source] >= per_source:
            reason = Drop.PER_SOURCE
        else:
            taken[quota] += 1
            tokens[quota] += size
            problems[problem] += 1
            sources[source] += 1
        reasons.append(reason)
    return Filled(reasons, taken, tokens)


def _fits(want: Want, rows: int, tokens: int) -> bool:
    return rows < want.amount if want.unit == "rows" else tokens <= want.amount


def shortfall(rows: Sequence[Row], wanted: Sequence[Want], filled: Filled) -> dict[int, int]:
    """What each quota lacks, in its own unit; of tokens nothing, if a waiting row would overshoot it."""
    full = {row.quota for row, reason in zip(rows, filled.reasons, strict=True) if reason is Drop.ENOUGH}
    return {
        at: want.amount - filled.got(at, want)
        for at, want in enumerate(wanted)
        if filled.got(at, want) < want.amount and not (want.unit == "tokens" and at in full)
    }


def _test(column: pl.Expr, is_: Condition) -> pl.Expr:
    if isinstance(is_, Band):
        low = column >= is_.min if is_.min is not None else pl.lit(True)
        high = column <= is_.max if is_.max is not None else pl.lit(True)
        return column.is_not_null() & low & high
    return column.cast(pl.String).is_in([is_] if isinstance(is_, str) else is_)


def _shown(is_: Condition) -> str:
    if isinstance(is_, Band):
        return f"{'' if is_.min is None else is_.min}..{'' if is_.max is None else is_.max}"
    return is_ if isinstance(is_, str) else "|".join(is_)
