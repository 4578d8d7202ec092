"""filter.quality: responses with a fault that is told without a gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import polars as pl

from distillery.curate.makers import name_makers
from distillery.curate.quality import Fault, Limits, Reason, Response, faults
from distillery.records import Columns, Thinking
from distillery.stages.base import Context, Output


@dataclass(frozen=True, kw_only=True)
class FilterQuality:
    """Drops a row for its first fault, in the order of `Reason`; the detail names the others.

    Whether an answer is right or accepted is not asked here: select.traces does that.
    """

    limits: Limits = field(default_factory=Limits)
    language: str = ""  # of every thought; "" = as the row says
    skip: tuple[Reason, ...] = ()  # tests that are left out
    refusing_domains: tuple[str, ...] = ("safety",)  # where a refusal can be the right answer

    version: ClassVar[int] = 2
    key: ClassVar[str] = "trace_id"
    reads: ClassVar[tuple[str, ...]] = ("trace_id", "question", "text")
    writes: ClassVar[Columns] = {}

    def uses(self) -> dict[str, tuple[str, ...]]:
        return {}

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        optional = [name for name in ("finish", "language", "thinking", "domain") if name in table.columns]
        rows = table.select("question", "text", *optional).iter_rows(named=True)
        makers = name_makers(table["text"].fill_null(""))
        found = [self._faults(row, named=named) for row, named in zip(rows, makers, strict=True)]
        reasons = pl.Series([row[0].reason.value if row else None for row in found], dtype=pl.String)
        details = pl.Series([_detail(row) for row in found], dtype=pl.String)
        return Output.marked(table, reasons, details, key=self.key)

    def _faults(self, row: Mapping[str, Any], *, named: bool) -> list[Fault]:
        response = Response(
            text=row["text"] or "",
            question=row["question"] or "",
            language=self.language or row.get("language") or "",
            thinking=Thinking.OFF if row.get("thinking") == Thinking.OFF else Thinking.ON,
            finish=row.get("finish") or "",
            may_refuse=row.get("domain") in self.refusing_domains,
        )
        cleared = self.skip if named else (*self.skip, Reason.OTHER_MAKER)
        return list(faults(response, self.limits, cleared=cleared))


def _detail(row: list[Fault]) -> str:
    if not row:
        return ""
    also = ", ".join(fault.reason for fault in row[1:])
    return row[0].detail + (f" (also {also})" if also else "")
