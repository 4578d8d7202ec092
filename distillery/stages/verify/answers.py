"""verify.answers: each trace judged by its problem's own checker, none of them dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery.records import LEDGER, VERDICT, Outcome, Problem, empty
from distillery.stages.base import Context, Output, ShardStage
from distillery.stages.own_checkers import OwnCheckers
from distillery.verify.math.repeats import may_repeat
from distillery.verify.pool.processes import judge
from distillery.verify.pool.unjudged import unjudged


@dataclass(frozen=True, kw_only=True)
class VerifyAnswers(OwnCheckers, ShardStage):
    """Adds outcome, score, what was extracted and a detail; a row that could not be judged has score null.

    A shard in which the share of timeouts and errors passes `alarm_share` raises an alarm and counts in the
    metric `alarm_unjudged`: the machine or the golds are at fault, and the scores say little about the model.

        - id: checked
          use: verify.answers
          with: {deadline_s: 5}
    """

    deadline_s: Annotated[float, Field(gt=0)] = 10.0
    """Seconds for one row, from when a worker begins with it."""
    alarm_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of timeouts and errors in a shard above which it raises an alarm."""
    repeats_are_wrong: bool = True
    """An answer that only says a formula of the question again is wrong; of `math` rows."""
    workers: Annotated[int | None, Field(ge=1)] = field(default=None, metadata={"identity": False})
    """Processes that judge; null: one a core."""

    version = 3
    may_drop = False
    reads = ("trace_id", "question", "gold", "checker", "text")
    writes = VERDICT

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        rows = [(Problem.from_row(row), row["text"] or "") for row in table.iter_rows(named=True)]
        if not self.repeats_are_wrong:
            rows = [(may_repeat(problem), text) for problem, text in rows]
        verdicts = judge(rows, deadline_s=self.deadline_s, workers=self.workers, own=self.checkers)
        found = pl.DataFrame([asdict(verdict) for verdict in verdicts], schema=VERDICT)
        kept = table.drop([name for name in VERDICT if name in table.columns]).hstack(found)
        counts = Counter(verdict.outcome for verdict in verdicts)
        ctx.progress(rows=table.height, accepted=counts[Outcome.CORRECT])
        metrics = {f"outcome_{outcome}": float(count) for outcome, count in counts.items()}
        if fault := unjudged(verdicts, share=self.alarm_share):
            ctx.alarm(fault)
            metrics["alarm_unjudged"] = 1.0
        return Output(kept, empty(LEDGER), metrics)
