"""score.passk: what a model scores on benches, with error bars. It drops nothing."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from distillery.curate.difficulty import DIFFICULTY, Estimate, majority, mean_over, pass_at_k, pass_rates
from distillery.errors import DistilleryError
from distillery.records import LEDGER, Outcome, Problem, empty
from distillery.stages.base import Context, Decision, TableStage, computed
from distillery.stages.note import UNTOLD_LANGUAGE
from distillery.verify.pool.processes import judge

_SHARES = {"format": "format", "language": "language", "length": "tokens", "truncated": "truncated"}
"""Metric: column of the sketch whose mean it is."""


@dataclass(frozen=True, kw_only=True)
class ScorePassK(TableStage):
    """pass@1 (mean over samples, then problems), pass@k, majority, layout, language, length, truncation.

    What was not judged is left out of pass@k and counted as `unjudged`, never as 0. Samples that other stages
    dropped before are not seen here. Error bars are over problems.

        - id: score
          use: score.passk
          with: {model: teacher, k: [1, 4], samples: 4}
    """

    k: tuple[Annotated[int, Field(ge=1)], ...] = (1, 4)
    """For each one pass@k; a problem with fewer judged samples does not count for it."""
    model: str = ""
    """Whose answers these are, in results.json."""
    bench: str = ""
    """Name of the bench; "": each value of the column `source` is one."""
    samples: Annotated[int, Field(ge=1)] | None = None
    """How many each problem must have; null: any number."""

    version = 3
    may_drop = False
    writes = DIFFICULTY

    @computed
    def reads(self) -> tuple[str, ...]:
        needs = ("problem_id", "trace_id", "outcome", "score")
        return needs if self.bench else (*needs, "source")

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        """Per sample: correct (null: not judged), vote, and layout, language, tokens, truncated if known."""
        has = table.columns
        right = pl.col("outcome") == Outcome.CORRECT
        nothing = pl.lit(None, pl.Float64)
        finish = (pl.col("finish") == "length").cast(pl.Float64) if "finish" in has else nothing
        tokens = pl.col("completion_tokens").cast(pl.Float64) if "completion_tokens" in has else nothing
        unknown = [None] * table.height
        return table.select(
            "trace_id",
            "problem_id",
            (pl.lit(self.bench) if self.bench else pl.col("source").fill_null("")).alias("bench"),
            pl.when(pl.col("score").is_not_null()).then(right).cast(pl.Boolean).alias("correct"),
            tokens.alias("tokens"),
            finish.alias("truncated"),
        ).with_columns(
            pl.Series("vote", _votes(table) if "extracted" in has else unknown, dtype=pl.Binary),
            pl.Series("format", _shares(table, "layout") if "text" in has else unknown, dtype=pl.Float64),
            pl.Series("language", _shares(table, "language") if "text" in has else unknown, dtype=pl.Float64),
        )

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        rates = pass_rates(sketches)
        self._check_count(rates)
        metrics: list[dict[str, Any]] = []
        for (bench,), rows in sorted(sketches.group_by("bench"), key=lambda group: str(group[0][0])):
            metrics += [{"model": self.model, "bench": bench, **metric} for metric in self._metrics(rows)]
        added = sketches.select("trace_id", "problem_id").join(rates, on="problem_id", how="left")
        facts = {"unjudged": int(sketches["correct"].null_count()), "samples": sketches.height}
        if untold := sketches.filter(pl.col("format").is_not_null(), pl.col("language").is_null()).height:
            facts[UNTOLD_LANGUAGE] = untold
        added = added.select("trace_id", *DIFFICULTY).sort("trace_id")
        return Decision(empty(LEDGER), added, tuple(metrics), facts)

    def _check_count(self, rates: pl.DataFrame) -> None:
        if self.samples is None:
            return
        other = rates.filter(pl.col("attempts") != self.samples)
        if other.height:
            first = other.row(0, named=True)
            raise DistilleryError(
                f"score.passk: {other.height} of {rates.height} problems do not have {self.samples} samples "
                f"(problem {first['problem_id']} has {first['attempts']}); "
                "run again to get the failed ones, or set `samples` to null to score what is there"
            )

    def _metrics(self, rows: pl.DataFrame) -> list[dict[str, Any]]:
        judged = rows.filter(pl.col("correct").is_not_null())
        counts = pass_rates(judged).select("problem_id", "attempts", "right")
        out = [self._pass_at(counts, k) for k in self.k]
        if rows["vote"].null_count() < rows.height:
            out.append(_majority(judged))
        for metric, column in _SHARES.items():
            per_problem = rows.group_by("problem_id").agg(
                pl.col(column).mean(), pl.col(column).count().alias("n")
            )
            known = per_problem.drop_nulls(column).sort("problem_id")
            out.append(_row(metric, known[column].to_list(), int(known["n"].sum())))
        unjudged = rows.group_by("problem_id").agg(pl.col("correct").is_null().mean()).sort("problem_id")
        out.append(_row("unjudged", unjudged["correct"].to_list(), rows.height))
        return [metric for metric in out if metric["problems"]]

    def _pass_at(self, counts: pl.DataFrame, k: int) -> dict[str, Any]:
        """Over the problems with at least k judged samples."""
        enough = counts.filter(pl.col("attempts") >= k)
        values = [
            pass_at_k(samples, right, k=k)
            for samples, right in enough.select("attempts", "right").iter_rows()
        ]
        return _row(f"pass@{k}", values, int(enough["attempts"].sum()))


def _row(metric: str, values: list[float], samples: int) -> dict[str, Any]:
    value, stderr = mean_over(values) if values else Estimate(0.0, None)
    return {"metric": metric, "value": value, "stderr": stderr, "problems": len(values), "samples": samples}


def _majority(judged: pl.DataFrame) -> dict[str, Any]:
    votes: dict[str, list[tuple[bytes, bool]]] = {}
    for problem, vote, correct in judged.select("problem_id", "vote", "correct").iter_rows():
        votes.setdefault(problem, []).append((vote or b"", correct))
    return _row("majority", [majority(votes[problem]) for problem in sorted(votes)], judged.height)


def _votes(table: pl.DataFrame) -> list[bytes | None]:
    """A digest of each extracted answer: sketches hold no texts."""
    return [
        None if answer is None else blake2b(answer.strip().encode(), digest_size=8).digest()
        for answer in table["extracted"]
    ]


def _shares(table: pl.DataFrame, checker: str) -> list[float | None]:
    """1.0 where the response is as wanted, 0.0 where not, None where nothing is wanted of it."""
    columns = [
        name for name in ("question", "language", "thinking", "payload", "text") if name in table.columns
    ]
    rows = (
        (Problem.from_row({"question": "", **row, "checker": checker}), row["text"] or "")
        for row in table.select(columns).iter_rows(named=True)
    )
    nothing = (Outcome.NO_GOLD, Outcome.ERROR)
    return [
        None if verdict.outcome in nothing else float(verdict.outcome is Outcome.CORRECT)
        for verdict in judge(list(rows))
    ]
