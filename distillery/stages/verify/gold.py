"""verify.gold: problems whose gold nothing can be compared with leave before anything is generated for
them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery.records import Problem
from distillery.stages.base import Context, Output, ShardStage
from distillery.stages.own_checkers import OwnCheckers
from distillery.verify.gold import gold_faults
from distillery.verify.pool.processes import cores
from distillery.verify.pool.unjudged import unjudged


class Reason(StrEnum):
    NO_GOLD = "no_gold"
    """Empty, a sentinel, several answers in one, or unreadable: the detail says which."""
    TIMEOUT = "timeout"
    """Its checker was stopped at the deadline."""
    ERROR = "error"
    """Its checker broke: the gold may be good. The detail says how."""


_ALARM_SHARE = 0.05  # of a shard's golds


@dataclass(frozen=True, kw_only=True)
class VerifyGold(OwnCheckers, ShardStage):
    """Drops a problem that its own checker could never judge, and one whose gold that could not look at: it
    broke, or did not end. Many of those in a shard raise an alarm.

    - id: gold
      use: verify.gold
    """

    deadline_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds for reading one gold."""
    workers: Annotated[int | None, Field(ge=1)] = field(default=None, metadata={"identity": False})
    """Processes that read; null: one a core."""

    version = 3
    reasons = tuple(Reason)
    key = "problem_id"
    reads = ("problem_id", "question", "gold", "checker")

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        problems = [Problem.from_row(row) for row in table.iter_rows(named=True)]
        workers = self.workers or cores()
        faults = gold_faults(problems, deadline_s=self.deadline_s, workers=workers, own=self.checkers)
        reasons = pl.Series([it and it.outcome.value for it in faults], dtype=pl.String)
        details = pl.Series([it and it.detail for it in faults], dtype=pl.String)
        output = Output.marked(table, reasons, details, key=self.key)
        if broken := unjudged(faults, share=_ALARM_SHARE, what="golds"):
            ctx.alarm(broken)
        ctx.progress(rows=table.height, accepted=output.kept.height)
        return output
