"""filter.quality: responses with a fault that is told without a gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from distillery.curate.quality.faults import Fault, Limits, Reason, Response, faults
from distillery.curate.quality.whole_column import screen
from distillery.records import Thinking
from distillery.stages.base import Context, Output, ShardStage

_OPTIONAL = ("finish", "language", "thinking", "domain")


@dataclass(frozen=True, kw_only=True)
class FilterQuality(ShardStage):
    """Drops a row for its first fault, in the order of the reasons; the detail names the others.

    Whether an answer is right or accepted is not asked here: select.traces does that.

        - id: filtered
          use: filter.quality
          with: {language: en, limits: {max_answers: 2}, skip: [refusal]}
    """

    limits: Limits = field(default_factory=Limits)
    """The numbers that the rules go by."""
    language: str = ""
    """Wanted of every thought: en, zh, ...; "": as the column `language` says."""
    skip: tuple[Reason, ...] = ()
    """Tests that are left out."""
    refusing_domains: tuple[str, ...] = ("safety",)
    """Domains in which a refusal can be the right answer."""

    version = 4
    reasons = tuple(Reason)
    reads = ("trace_id", "question", "text")
    also_reads = _OPTIONAL

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        optional = [name for name in _OPTIONAL if name in table.columns]
        rows = table.select("question", "text", *optional).iter_rows(named=True)
        screened = screen(table["text"].fill_null(""), self.limits, skip=self.skip)
        found = [self._faults(row, known) for row, known in zip(rows, screened, strict=True)]
        reasons = pl.Series([row[0].reason.value if row else None for row in found], dtype=pl.String)
        details = pl.Series([_detail(row) for row in found], dtype=pl.String)
        return Output.marked(table, reasons, details, key=self.key)

    def _faults(self, row: Mapping[str, Any], known: Mapping[Reason, str | None]) -> list[Fault]:
        response = Response(
            text=row["text"] or "",
            question=row["question"] or "",
            language=self.language or row.get("language") or "",
            thinking=Thinking.OFF if row.get("thinking") == Thinking.OFF else Thinking.ON,
            finish=row.get("finish") or "",
            may_refuse=row.get("domain") in self.refusing_domains,
        )
        return list(faults(response, self.limits, known=known))


def _detail(row: list[Fault]) -> str:
    if not row:
        return ""
    also = ", ".join(fault.reason for fault in row[1:])
    return row[0].detail + (f" (also {also})" if also else "")
