"""judge.translation: a translation is translated back and compared with the original."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from distillery.engines.base import Sampling
from distillery.judging.chrf import chrf
from distillery.judging.defuse import defuse
from distillery.judging.votes import Vote
from distillery.reasoning import split
from distillery.stages.judge.base import Finding, Row, RowJudge, Slots


class Drop(StrEnum):
    BAD_TRANSLATION = "bad_translation"
    """What comes back shares too little with the original."""
    NO_BACK_TRANSLATION = "no_back_translation"
    """The engine gave none."""
    NO_ANSWER = "no_answer"
    """There is no translation."""


@dataclass(frozen=True, kw_only=True)
class JudgeTranslation(RowJudge):
    """Drops translations whose way back does not come near the original; `round_trip` is its chrF, in [0, 1].

    Asked are rows whose payload has `original` and `original_language`; all others pass, with a null.
    A free translation of a proverb loses by this measure: keep `min_chrf` low.

        - id: translated_well
          use: judge.translation
          with: {engine: teacher, min_chrf: 0.25}
    """

    prompt: str = "translate.back@1"
    min_chrf: Annotated[float, Field(ge=0, le=1)] = 0.3
    """The least chrF of what comes back with the original."""
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=2048)
    answer_chars: Annotated[int, Field(ge=100)] = 8000
    """Of a longer translation the end is translated back."""

    version = 1
    reasons = tuple(Drop)
    reads = ("trace_id", "answer", "payload")
    writes = {"round_trip": pl.Float64()}

    def shown(self, row: Row) -> Slots | None:
        original, answer = _original(row["payload"]), row["answer"]
        if original is None or not (answer and answer.strip()):
            return None
        return {"language": original[1], "text": defuse(answer, most_chars=self.answer_chars)}

    def finding(self, row: Row, votes: Sequence[Vote]) -> Finding:
        original = _original(row["payload"])
        if original is None:
            return Finding()
        if not votes:
            return Finding((), Drop.NO_ANSWER, "there is no translation")
        back = split(votes[0].reply).answer
        if not back:
            return Finding((), Drop.NO_BACK_TRANSLATION, votes[0].said[:80])
        score = chrf(back, original[0])
        if score >= self.min_chrf:
            return Finding((score,))
        came = f"chrF {score:.2f}, least is {self.min_chrf:g}; it came back as {back[:80]!r}"
        return Finding((score,), Drop.BAD_TRANSLATION, came)


def _original(payload: str | None) -> tuple[str, str] | None:
    """Its text, and the name of its language as the prompt is to have it."""
    if not payload or '"original"' not in payload:
        return None
    options: Any = json.loads(payload)
    text, language = options.get("original"), options.get("original_language")
    return (text, language) if isinstance(text, str) and isinstance(language, str) else None
