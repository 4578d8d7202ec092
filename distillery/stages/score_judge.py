"""score.judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from distillery.curate.agreement import Agreement, agreement
from distillery.hashing import Json
from distillery.records import LEDGER, Columns, empty
from distillery.stages.base import Context, Decision


@dataclass(frozen=True)
class ScoreJudge:
    """Judges the judge: precision, recall and kappa of its verdicts on rows whose `label` is known."""

    model: str = "judge"  # its name in results.json
    bench: str = "judge"

    version: ClassVar[int] = 1
    key: ClassVar[str] = "trace_id"
    reads: ClassVar[tuple[str, ...]] = ("trace_id", "label", "judge_verdict")
    writes: ClassVar[Columns] = {}

    def uses(self) -> dict[str, tuple[str, ...]]:
        return {}

    def stamp(self) -> Json:
        return None

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        return table.select(self.reads)

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        asked = sketches.filter(pl.col("judge_verdict").is_not_null())
        found = agreement(asked["label"] == "correct", asked["judge_verdict"] == "correct")
        unclear = asked.filter(pl.col("judge_verdict") == "unclear").height
        return Decision(empty(LEDGER), metrics=tuple(self._rows(found, asked.height, unclear)))

    def _rows(self, found: Agreement, rows: int, unclear: int) -> list[dict[str, Any]]:
        values = {**found._asdict(), "unclear": unclear / rows if rows else None}
        return [
            {
                "model": self.model,
                "bench": self.bench,
                "metric": name,
                "value": value,
                "stderr": None,
                "problems": rows,
                "samples": 1,
            }
            for name, value in values.items()
        ]
