"""mix.quota: a set of an exact size from rows of many kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from distillery.curate import mix
from distillery.curate.mix import Drop, Quota
from distillery.errors import ConfigError, DistilleryError
from distillery.hashing import derive_seed
from distillery.stages.base import Context, Decision, TableStage, computed

_FILLED_BY: dict[Drop | None, str] = {
    Drop.PER_PROBLEM: "raise per_problem",
    Drop.PER_SOURCE: "raise per_source",
}
_SCALE_ROUNDS = 20


class Shortfall(StrEnum):
    ERROR = "error"
    """Says what is missing and what would fill it."""
    SCALE = "scale"
    """All quotas shrink alike until each can be filled: the proportions stay."""
    TAKE = "take"
    """What is there is taken."""


@dataclass(frozen=True, kw_only=True)
class MixQuota(TableStage):
    """Takes rows into the first quota they match, in a seeded order, while quota and caps have room.

    Each row says in `quota` which one it filled.

        - id: mixed
          use: mix.quota
          from: [reasoning, general]
          with:
            total: 4500
            quotas:
              - {where: {domain: [math]}, share: 0.75}
              - {where: {domain: [general]}, share: 0.25}
    """

    quotas: tuple[Quota, ...] = ()
    """A row fills the first that it matches."""
    preset: str = ""
    """Ready-made quotas instead: r1-800k; "": none."""
    scale: Annotated[float, Field(gt=0.0)] = 1.0
    """Factor on the size of every quota."""
    total: Annotated[int, Field(ge=1)] | None = None
    """Rows that shares are of; null: no quota is a share."""
    per_problem: Annotated[int, Field(ge=1)] | None = None
    """The most rows of one problem; null: no limit."""
    per_source: Annotated[int, Field(ge=1)] | None = None
    """The most rows of one source in the whole mix; null: no limit."""
    shortfall: Shortfall = Shortfall.ERROR
    """What happens when there are too few rows for a quota."""
    least: Annotated[float, Field(ge=0, le=1)] = field(default=0.0, metadata={"identity": "changed"})
    """Share of the wanted size below which `shortfall: scale` is an error after all."""
    key: str = "trace_id"
    """The column that names a row."""
    tokens_column: str = "completion_tokens"
    """The column that quotas of tokens count."""

    version = 1
    reasons = tuple(Drop)
    writes = {"quota": pl.String()}

    def __post_init__(self) -> None:
        if self.preset and self.preset not in mix.PRESETS:
            raise ConfigError(
                f"mix.quota.preset: unknown preset {self.preset!r}; known: {', '.join(mix.PRESETS)}"
            )
        if bool(self.preset) == bool(self.quotas):
            raise ConfigError("mix.quota: give either quotas or a preset, and not both")
        titles = Counter(quota.title for quota in self._quotas)
        for quota in self._quotas:
            sizes = [size for size in (quota.rows, quota.tokens, quota.share) if size is not None]
            if len(sizes) != 1 or sizes[0] < 0:
                raise ConfigError(
                    f"mix.quota: quota {quota.title!r} needs one of rows, tokens and share, >= 0"
                )
            if titles[quota.title] > 1:
                raise ConfigError(f"mix.quota: two quotas are called {quota.title!r}; give them names")
        self._check_total()

    def _check_total(self) -> None:
        shares = [quota.share for quota in self._quotas if quota.share is not None]
        if shares and self.total is None:
            raise ConfigError("mix.quota: a share is of `total` rows; total is missing")
        if self.total is None or any(quota.tokens is not None for quota in self._quotas):
            return
        asked = sum(quota.rows or 0 for quota in self._quotas) + sum(shares) * self.total
        if abs(asked - self.total) > 0.5:
            raise ConfigError(f"mix.quota: the quotas ask for {asked:g} rows; total says {self.total}")

    @property
    def _quotas(self) -> tuple[Quota, ...]:
        return mix.PRESETS[self.preset] if self.preset else self.quotas

    @computed
    def also_reads(self) -> tuple[str, ...]:
        return ("problem_id", "source", self.tokens_column)

    @computed
    def reads(self) -> tuple[str, ...]:
        counted = any(quota.tokens is not None for quota in self._quotas)
        used = {column: True for quota in self._quotas for column in quota.where}
        used |= {self.tokens_column: True} if counted else {}
        caps = {"problem_id": self.per_problem, "source": self.per_source}
        used |= {column: True for column, cap in caps.items() if cap is not None}
        return tuple({self.key: True} | used)

    def most_rows(self, rows: float, problems: float | None) -> float:
        wanted = mix.wants(self._quotas, total=self.total, scale=self.scale)
        return sum(want.amount for want in wanted) if all(want.unit == "rows" for want in wanted) else rows

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        """Columns key, quota (its number), problem, source, tokens."""

        def text(column: str) -> pl.Expr:
            return pl.col(column).fill_null("") if column in table.columns else pl.lit("")

        size = pl.col(self.tokens_column) if self.tokens_column in table.columns else pl.lit(0)
        return table.select(
            pl.col(self.key).cast(pl.String).alias("key"),
            mix.assigned(table, self._quotas).alias("quota"),
            text("problem_id").alias("problem"),
            text("source").alias("source"),
            size.fill_null(0).cast(pl.Int64).alias("tokens"),
        )

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        draws = [derive_seed(ctx.seed, "mix", key) for key in sketches["key"]]
        ordered = sketches.with_columns(pl.Series("draw", draws, dtype=pl.Int64)).sort("draw", "key")
        rows = [mix.Row(*row) for row in ordered.select("quota", "problem", "source", "tokens").iter_rows()]
        wanted = mix.wants(self._quotas, total=self.total, scale=self.scale)
        filled = self._fill(rows, wanted)
        reasons = pl.Series("reason", [reason and reason.value for reason in filled.reasons], dtype=pl.String)
        titles = {number: quota.title for number, quota in enumerate(self._quotas)}
        named = ordered.with_columns(
            reasons, pl.col("quota").replace_strict(titles, default=None, return_dtype=pl.String)
        )
        out = named.filter(pl.col("reason").is_not_null()).sort("key")
        dropped = out.select("key", "reason", pl.col("quota").fill_null("").alias("detail"))
        added = named.select(pl.col("key").alias(self.key), "quota").sort(self.key)
        return Decision(dropped, added, facts=self._facts(rows, wanted, filled))

    def _fill(self, rows: list[mix.Row], wanted: list[mix.Want]) -> mix.Filled:
        filled = self._try(rows, wanted)
        short = mix.shortfall(rows, wanted, filled)
        if short and self.shortfall is Shortfall.ERROR:
            raise DistilleryError(self._complaint(rows, wanted, filled, short))
        if self.shortfall is not Shortfall.SCALE:
            return filled
        share, shrunk, unscaled, lacking = 1.0, wanted, filled, short
        for _ in range(_SCALE_ROUNDS):  # a cap that quotas share can leave one short again
            if not short:
                break
            share *= min(filled.got(at, shrunk[at]) / shrunk[at].amount for at in short)
            amounts = mix.apportion([want.amount * share for want in wanted])
            shrunk = [mix.Want(want.unit, amount) for want, amount in zip(wanted, amounts, strict=True)]
            filled = self._try(rows, shrunk)
            short = mix.shortfall(rows, shrunk, filled)
        if not any(filled.rows) and any(want.amount for want in wanted):
            raise DistilleryError(
                "mix.quota: a quota has no rows at all, so scaling leaves nothing; "
                + self._complaint(rows, wanted, unscaled, range(len(wanted)))
            )
        if share < self.least:
            raise DistilleryError(
                f"mix.quota: scaling leaves {share:.3g} of the wanted size, and `least` is {self.least:g}; "
                + self._complaint(rows, wanted, unscaled, lacking)
            )
        return filled

    def _try(self, rows: list[mix.Row], wanted: list[mix.Want]) -> mix.Filled:
        return mix.fill(rows, wanted, per_problem=self.per_problem, per_source=self.per_source)

    def _complaint(
        self, rows: list[mix.Row], wanted: list[mix.Want], filled: mix.Filled, short: Collection[int]
    ) -> str:
        lines = [f"mix.quota: {len(short)} of {len(wanted)} quotas cannot be filled."]
        for at in short:
            want, got = wanted[at], filled.got(at, wanted[at])
            reasons = (why for row, why in zip(rows, filled.reasons, strict=True) if row.quota == at)
            held = Counter(_FILLED_BY[why] for why in reasons if why in _FILLED_BY)
            cures = [f"{cure} ({count:,} rows wait)" for cure, count in held.items()]
            cures += [f"add {want.amount - got:,} {want.unit} of such rows", "or lower the quota or `scale`"]
            lines.append(
                f"  {self._quotas[at].title}: wanted {want.amount:,} {want.unit}, there are {got:,}, "
                f"missing {want.amount - got:,}; to fill it: {', '.join(cures)}"
            )
        return "\n".join(
            [*lines, "Or set shortfall: scale (keeps the proportions) or take (keeps the rest)."]
        )

    def _facts(self, rows: list[mix.Row], wanted: list[mix.Want], filled: mix.Filled) -> dict[str, Any]:
        there = Counter(row.quota for row in rows)
        table: list[dict[str, Any]] = []
        for at, (quota, want) in enumerate(zip(self._quotas, wanted, strict=True)):
            size = {"unit": want.unit, "wanted": want.amount, "got": filled.got(at, want)}
            found = {"rows": filled.rows[at], "tokens": filled.tokens[at], "candidates": there[at]}
            table.append({"quota": quota.title, **size, **found})
        left = Counter(reason.value for reason in filled.reasons if reason)
        whole = {"rows": sum(filled.rows), "tokens": sum(filled.tokens)}
        return {"quotas": table, **whole, "left_out": dict(left)}
