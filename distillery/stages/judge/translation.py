"""judge.translation: a translation is translated back and compared with the original."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import polars as pl
from pydantic import Field

from distillery.engines.base import Request, Sampling
from distillery.judging.chrf import chrf
from distillery.judging.defuse import defuse
from distillery.judging.votes import Vote, vote_request
from distillery.reasoning import split
from distillery.stages.base import AskingStage, Context, Interview, Output
from distillery.stages.judge.ballots import Ballots


class Drop(StrEnum):
    BAD_TRANSLATION = "bad_translation"  # what comes back shares too little with the original
    NO_BACK_TRANSLATION = "no_back_translation"  # the engine gave none
    NO_ANSWER = "no_answer"


class _Original(NamedTuple):
    text: str
    language: str  # its name, as the prompt is to have it


@dataclass(frozen=True, kw_only=True)
class JudgeTranslation(AskingStage):
    """Drops translations whose way back does not come near the original; `round_trip` is its chrF, in [0, 1].

    Asked are rows whose payload has `original` and `original_language`; all others pass, with a null.
    A free translation of a proverb loses by this measure: keep `min_chrf` low.
    """

    engine: str
    prompt: str = "translate.back@1"
    min_chrf: Annotated[float, Field(ge=0, le=1)] = 0.3
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=2048)
    answer_chars: Annotated[int, Field(ge=100)] = 8000

    version = 1
    reads = ("trace_id", "answer", "payload")
    writes = {"round_trip": pl.Float64()}

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        prompt, identity = ctx.prompt(self.prompt), ctx.engine(self.engine).identity
        originals: dict[str, str] = {}
        ballots: dict[str, list[Request]] = {}
        for key, answer, payload in table.select(self.reads).iter_rows():
            original = _original(payload)
            if original is None:
                continue
            originals[key] = original.text
            if answer and answer.strip():
                text = defuse(answer, most_chars=self.answer_chars)
                messages = prompt.render(language=original.language, text=text)
                ballots[key] = [vote_request(identity, messages, self.sampling, run_seed=ctx.seed, vote=0)]

        def rule(votes: Mapping[str, Sequence[Vote]]) -> Output:
            found = {key: self._weigh(text, votes.get(key, ())) for key, text in originals.items()}
            output = _output(table, found)
            output.metrics["asked"] = float(len(votes))
            return output

        return Ballots(ballots, ctx, rule)

    def _weigh(self, original: str, votes: Sequence[Vote]) -> tuple[float | None, str | None, str]:
        """Score, reason to drop, detail."""
        if not votes:
            return None, Drop.NO_ANSWER, "there is no translation"
        back = split(votes[0].said).answer if votes[0].whole else None
        if not back:
            return None, Drop.NO_BACK_TRANSLATION, votes[0].said[:80]
        score = chrf(back, original)
        if score >= self.min_chrf:
            return score, None, ""
        return (
            score,
            Drop.BAD_TRANSLATION,
            f"chrF {score:.2f}, least is {self.min_chrf:g}; it came back as {back[:80]!r}",
        )


def _original(payload: str | None) -> _Original | None:
    if not payload or '"original"' not in payload:
        return None
    options: Any = json.loads(payload)
    text, language = options.get("original"), options.get("original_language")
    return _Original(text, language) if isinstance(text, str) and isinstance(language, str) else None


def _output(table: pl.DataFrame, found: Mapping[str, tuple[float | None, str | None, str]]) -> Output:
    keys, unasked = table["trace_id"].to_list(), (None, None, "")
    scores, reasons, details = (
        zip(*(found.get(key, unasked) for key in keys), strict=True) if keys else ((), (), ())
    )
    scored = table.with_columns(pl.Series("round_trip", scores, dtype=pl.Float64))
    why = pl.Series(reasons, dtype=pl.String)
    return Output.marked(scored, why, pl.Series(details, dtype=pl.String), key="trace_id")
