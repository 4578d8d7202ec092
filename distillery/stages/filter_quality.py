"""filter.quality: responses with a fault that is told without a gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from distillery.curate.quality.faults import Fault, Limits, Reason, Response, faults, shape
from distillery.curate.quality.whole_column import screen
from distillery.errors import ConfigError
from distillery.records import Thinking
from distillery.stages.base import Context, Output, ShardStage
from distillery.stages.note import UNTOLD_LANGUAGE
from distillery.verify.identify import is_known
from distillery.verify.language import wanted_language
from distillery.verify.prose import prose, words_of

_OPTIONAL = ("finish", "language", "thinking", "domain")
_ALARM_SHARE = 0.05  # of a shard's rows


@dataclass(frozen=True, kw_only=True)
class FilterQuality(ShardStage):
    """Drops a row for its first fault, in the order of the reasons; the detail names the others.

    Whether an answer is right or accepted is not asked here: select.traces does that. A row that does not say
    its language is held to that of its question, or, where this has none, to the one that most of its thought
    is in. Where none of them tells it is not checked: such rows are counted, and many raise an alarm.

        - id: filtered
          use: filter.quality
          with: {language: en, limits: {max_answers: 2}, skip: [refusal]}
    """

    limits: Limits = field(default_factory=Limits)
    """The numbers that the rules go by."""
    language: str = ""
    """Wanted of every thought: en, zh, ...; "": as the column `language` says, else as the question is in."""
    skip: tuple[Reason, ...] = ()
    """Tests that are left out."""
    refusing_domains: tuple[str, ...] = ("safety",)
    """Domains in which a refusal can be the right answer."""

    version = 6
    reasons = tuple(Reason)
    reads = ("trace_id", "question", "text")
    also_reads = _OPTIONAL

    def __post_init__(self) -> None:
        if self.language and not is_known(self.language):
            raise ConfigError(
                f'filter.quality: language is {self.language!r}; it is a code such as en, zh or de, or ""'
            )

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        optional = [name for name in _OPTIONAL if name in table.columns]
        rows = table.select("question", "text", *optional).iter_rows(named=True)
        responses = [self._response(row) for row in rows]
        languages = [response.language for response in responses]
        screened = screen(table["text"].fill_null(""), self.limits, languages=languages, skip=self.skip)
        each = zip(responses, screened, strict=True)
        found = [list(faults(response, self.limits, known=known)) for response, known in each]
        reasons = pl.Series([row[0].reason.value if row else None for row in found], dtype=pl.String)
        details = pl.Series([_detail(row) for row in found], dtype=pl.String)
        out = Output.marked(table, reasons, details, key=self.key)
        return replace(out, metrics=self._untold(responses, ctx))

    def _response(self, row: Mapping[str, Any]) -> Response:
        text, question = row["text"] or "", row["question"] or ""
        unasked = Reason.MIXED_LANGUAGE in self.skip
        given = self.language or row.get("language")
        return Response(
            text=text,
            question=question,
            language="" if unasked else wanted_language(given, question, text),
            thinking=Thinking.OFF if row.get("thinking") == Thinking.OFF else Thinking.ON,
            finish=row.get("finish") or "",
            may_refuse=row.get("domain") in self.refusing_domains,
        )

    def _untold(self, responses: Sequence[Response], ctx: Context) -> dict[str, float]:
        """How many rows could not be looked at for their language."""
        if Reason.MIXED_LANGUAGE in self.skip:
            return {}
        untold = sum(
            not response.language and not shape(response) and bool(words_of(prose(response.said)))
            for response in responses
        )
        if untold > _ALARM_SHARE * len(responses):
            ctx.alarm(
                f"language: {untold:,} of {len(responses):,} rows could not be told, by column, question or "
                "thought; not checked (the option `language` says it for all)"
            )
        return {UNTOLD_LANGUAGE: float(untold)} if untold else {}


def _detail(row: list[Fault]) -> str:
    if not row:
        return ""
    also = ", ".join(fault.reason for fault in row[1:])
    return row[0].detail + (f" (also {also})" if also else "")
