"""select.traces: of each problem's accepted traces, at most so many, by a stated preference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import Field

from distillery.curate.copies.minhash import signatures, spread
from distillery.curate.difficulty import DIFFICULTY, pass_rates
from distillery.curate.text.ngrams import ngrams, token_hashes
from distillery.curate.text.normalize import squeezed, tokens
from distillery.errors import ConfigError
from distillery.hashing import derive_seed, text_mark
from distillery.records import Outcome
from distillery.stages.base import Context, Decision, TableStage, computed

_SKETCH_PERMUTATIONS = 32  # enough to tell a paraphrase from another road
_JUDGED = [Outcome.CORRECT, Outcome.WRONG, Outcome.NO_ANSWER]


class Prefer(StrEnum):
    RANDOM = "random"
    """A seeded draw."""
    SHORTEST = "shortest"
    """The shortest, by completion_tokens where the table has them, else by characters."""
    LONGEST = "longest"
    """The longest."""
    PREFERENCE = "preference"
    """The highest `preference`, as judge.pairs writes it."""
    CHOSEN = "chosen"
    """The most votes by judge.best."""
    DIVERSE = "diverse"
    """Each next one as unlike the chosen ones as can be."""


_RANKS = {Prefer.PREFERENCE: "preference", Prefer.CHOSEN: "chosen_votes"}
"""The column that a preference goes by."""


class Accepted(StrEnum):
    AUTO = "auto"
    """The column `accepted` where there is one, else the outcome."""
    OUTCOME = "outcome"
    """The rules' outcome: correct."""
    ACCEPTED = "accepted"
    """The column `accepted`, as judge.answers writes it."""


class Drop(StrEnum):
    """Besides these, an unaccepted row's reason is its outcome."""

    JUDGED_INCORRECT = "judged_incorrect"
    """The rule took it, the policy over rule and judge did not."""
    NOT_JUDGED = "not_judged"
    """Nothing judged it."""
    PASS_RATE = "pass_rate"
    """Its problem's pass rate is outside the window."""
    DUPLICATE_TEXT = "duplicate_text"
    """Equal to a kept trace of its problem but for spacing."""
    ENOUGH = "enough"
    """Its problem has as many traces as it may."""


@dataclass(frozen=True, kw_only=True)
class SelectTraces(TableStage):
    """Keeps accepted traces only; adds the problem's `pass_rate` and `attempts` over all rows that came in.

    Traces that other stages dropped before are not in them: select first, or score first.

        - id: selected
          use: select.traces
          with: {per_problem: 2, prefer: shortest}
    """

    per_problem: Annotated[int, Field(ge=1)] = 1
    """The most traces that are kept of a problem."""
    prefer: Prefer = Prefer.RANDOM
    """Which of the accepted ones."""
    accepted: Accepted = Accepted.AUTO
    """What says that a trace is accepted."""
    require_outcome: bool = True
    """False: a row that nothing judged is accepted, as ready-made responses are."""
    pass_rate: tuple[float, float] | None = None
    """Window on the problem's pass rate, both ends inclusive; null: any."""
    distinct_text: bool = False
    """Keep one of traces that are equal but for spacing."""

    version = 4
    reasons = (*Drop, *(outcome for outcome in Outcome if outcome is not Outcome.CORRECT))
    writes = DIFFICULTY

    def __post_init__(self) -> None:
        if self.pass_rate and not 0.0 <= self.pass_rate[0] <= self.pass_rate[1] <= 1.0:
            given = list(self.pass_rate)
            raise ConfigError(f"select.traces: pass_rate is {given}; it is [low, high] within 0 and 1")

    @computed
    def also_reads(self) -> tuple[str, ...]:
        lengths = ("completion_tokens", "text") if self.prefer in (Prefer.SHORTEST, Prefer.LONGEST) else ()
        return ("outcome", "accepted", "judge_verdict", *lengths)

    @computed
    def reads(self) -> tuple[str, ...]:
        needs = ("problem_id", "trace_id", *([_RANKS[self.prefer]] if self.prefer in _RANKS else []))
        if self.accepted is Accepted.ACCEPTED:
            return (*needs, "accepted")
        if self.accepted is Accepted.OUTCOME or self.require_outcome:
            needs = (*needs, "outcome")
        return (*needs, "text") if self.distinct_text or self.prefer is Prefer.DIVERSE else needs

    def most_rows(self, rows: float, problems: float | None) -> float:
        return rows if problems is None else problems * self.per_problem

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        """Per row: reason (null: accepted), correct (null: not judged), length and, if asked for, a form."""
        columns: list[pl.Expr | pl.Series] = [self._length(table)]
        if self.prefer in _RANKS:
            columns.append(pl.col(_RANKS[self.prefer]).cast(pl.Float64).fill_null(0.0).alias("rank"))
        if self.distinct_text:
            marks = [None if text is None else text_mark(squeezed(text)) for text in table["text"]]
            columns.append(pl.Series("form", marks, dtype=pl.String))
        if self.prefer is Prefer.DIVERSE:
            grams = ngrams(token_hashes(tokens(table["text"])), n=3)
            marks = signatures(grams, permutations=_SKETCH_PERMUTATIONS)
            columns.append(pl.Series("signature", marks, dtype=pl.Array(pl.UInt16, _SKETCH_PERMUTATIONS)))
        return self._judged(table).select("trace_id", "problem_id", "reason", "correct", *columns)

    def _length(self, table: pl.DataFrame) -> pl.Expr:
        sizes = {"completion_tokens": pl.col("completion_tokens"), "text": pl.col("text").str.len_chars()}
        lengths = [size.cast(pl.Int64) for name, size in sizes.items() if name in table.columns]
        return pl.coalesce(*lengths, pl.lit(0, pl.Int64)).alias("length")

    def _judged(self, table: pl.DataFrame) -> pl.DataFrame:
        has = table.columns
        if "outcome" in has:
            found = table["outcome"].drop_nulls()
            if not (known := found.is_in(list(Outcome))).all():
                raise ConfigError(
                    f"select.traces: an outcome is {found.filter(~known)[0]!r}; they are {', '.join(Outcome)}"
                )
        outcome = pl.col("outcome") if "outcome" in has else pl.lit(None, pl.String)
        by_policy = self.accepted is not Accepted.OUTCOME and "accepted" in has
        policy = pl.col("accepted") if by_policy else pl.lit(None, pl.Boolean)
        refused = pl.col("judge_verdict") == "incorrect" if "judge_verdict" in has else pl.lit(False)
        accepted = pl.coalesce(policy, outcome == Outcome.CORRECT)
        known = pl.col("outcome_").is_not_null()
        reason = (
            pl.when(pl.col("accepted_").fill_null(not self.require_outcome))
            .then(None)
            .when(known & (pl.col("outcome_") != Outcome.CORRECT))
            .then(pl.col("outcome_"))
            .when(known | pl.col("accepted_").is_not_null())
            .then(pl.lit(Drop.JUDGED_INCORRECT.value))
            .otherwise(pl.lit(Drop.NOT_JUDGED.value))
        )
        judged = pl.col("outcome_").is_in(_JUDGED) | (by_policy & refused.fill_null(False))
        correct = pl.when(pl.col("accepted_")).then(True).when(judged).then(False)
        return table.with_columns(outcome.alias("outcome_"), accepted.alias("accepted_")).with_columns(
            reason.cast(pl.String).alias("reason"), correct.cast(pl.Boolean).alias("correct")
        )

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        rates = pass_rates(sketches)
        rows = sketches.join(rates, on="problem_id", how="left", maintain_order="left")
        rows = self._in_window(rows.with_columns(pl.lit("").alias("detail")))
        out = rows.filter(pl.col("reason").is_not_null())
        chosen = self._choose(self._ordered(rows.filter(pl.col("reason").is_null()), ctx))
        out = pl.concat([part.select("trace_id", "reason", "detail") for part in (out, chosen)])
        dropped = out.filter(pl.col("reason").is_not_null()).rename({"trace_id": "key"}).sort("key")
        added = rows.select("trace_id", *DIFFICULTY)
        return Decision(dropped, added, facts=self._facts(rows, dropped))

    def _in_window(self, rows: pl.DataFrame) -> pl.DataFrame:
        if self.pass_rate is None:
            return rows
        low, high = self.pass_rate
        inside = pl.col("pass_rate").is_between(low, high, closed="both").fill_null(False)
        outside = pl.col("reason").is_null() & ~inside
        found = pl.col("pass_rate").round(3).cast(pl.String).fill_null("unknown")
        said = pl.format("pass rate {} outside [{}, {}]", found, pl.lit(low), pl.lit(high))
        return rows.with_columns(
            reason=pl.when(outside).then(pl.lit(Drop.PASS_RATE.value)).otherwise("reason"),
            detail=pl.when(outside).then(said).otherwise("detail"),
        )

    def _ordered(self, rows: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        """Best first within each problem; the order depends on content and seed, never on position."""
        draws = [derive_seed(ctx.seed, "select", key) for key in rows["trace_id"]]
        rows = rows.with_columns(pl.Series("draw", draws, dtype=pl.Int64))
        by = {Prefer.SHORTEST: pl.col("length"), Prefer.LONGEST: -pl.col("length")}
        by |= dict.fromkeys(_RANKS, -pl.col("rank"))
        first = [by[self.prefer]] if self.prefer in by else []
        return rows.sort("problem_id", *first, "draw", "trace_id")

    def _choose(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`reason` and `detail` for accepted rows, best first."""
        if self.distinct_text:
            first = pl.col("trace_id").first().over("problem_id", "form")
            copy = first != pl.col("trace_id")
            rows = rows.with_columns(
                pl.when(copy).then(pl.lit(Drop.DUPLICATE_TEXT.value)).alias("reason"),
                pl.when(copy).then(pl.format("same text as {}", first)).otherwise(pl.lit("")).alias("detail"),
            )
        copies = rows.filter(pl.col("reason").is_not_null())
        rows = rows.filter(pl.col("reason").is_null())
        if self.prefer is Prefer.DIVERSE and rows.height:
            rows = pl.concat([self._spread(group) for group in rows.partition_by("problem_id")])
        place = pl.int_range(pl.len()).over("problem_id")
        enough = pl.when(place >= self.per_problem).then(pl.lit(Drop.ENOUGH.value))
        return pl.concat([rows.with_columns(enough.cast(pl.String).alias("reason")), copies])

    def _spread(self, group: pl.DataFrame) -> pl.DataFrame:
        if group.height <= self.per_problem:
            return group
        order = spread(group["signature"].to_numpy(), self.per_problem)
        rest = np.setdiff1d(np.arange(group.height), order)
        return group[[*order, *rest.tolist()]]

    def _facts(self, rows: pl.DataFrame, dropped: pl.DataFrame) -> dict[str, Any]:
        kept = rows.join(dropped, left_on="trace_id", right_on="key", how="anti")
        rates = rows.select("problem_id", "pass_rate").unique()["pass_rate"].drop_nulls()
        bands = (rates * 10).floor().clip(0, 9).cast(pl.Int32).value_counts().sort("pass_rate")
        return {
            "problems": rows["problem_id"].n_unique(),
            "problems_kept": kept["problem_id"].n_unique(),
            "never_solved": int((rates == 0).sum()),
            "always_solved": int((rates == 1).sum()),
            "pass_rate_deciles": {f"{band / 10:.1f}": count for band, count in bands.iter_rows()},
        }
