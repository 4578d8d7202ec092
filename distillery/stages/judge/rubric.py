"""judge.rubric: a model scores open answers, for which there is no gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import fmean
from typing import Annotated, Any, NamedTuple

import polars as pl
from pydantic import Field

from distillery.engines.base import Messages, Sampling
from distillery.judging.defuse import defuse
from distillery.judging.rubric import LEAST, MOST, SCHEMA, mean, read_votes
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote, check_votes, vote_request
from distillery.prompts import Prompt
from distillery.stages.base import AskingStage, Context, Interview, Output
from distillery.stages.judge.ballots import Ballots


class Drop(StrEnum):
    LOW_SCORE = "low_score"
    UNJUDGED = "unjudged"  # no vote could be read
    NO_ANSWER = "no_answer"


class _Finding(NamedTuple):
    score: float | None
    said: str | None  # the judge's words, all votes
    reason: str | None = None
    detail: str = ""


_UNASKED = _Finding(None, None, Drop.NO_ANSWER, "nothing stands after the thought")


@dataclass(frozen=True, kw_only=True)
class JudgeRubric(AskingStage):
    """Scores answers from 1 to 10, the mean of the rubric's points and of the votes; drops what is below `min_score`.

    The rubric is the prompt's. The judge sees the conversation and the answer, never the thought. A vote without a
    whole score for every point does not count; a row without any vote is dropped as unjudged.
    """

    engine: str
    prompt: str = "judge.rubric@1"
    min_score: Annotated[float, Field(ge=LEAST, le=MOST)] = 6.0
    votes: Annotated[int, Field(ge=1)] = 1
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)
    answer_chars: Annotated[int, Field(ge=100)] = 8000  # of a longer answer the judge sees the end
    structured: bool = field(default=False, metadata={"identity": "changed"})  # as in judge.answers

    version = 2
    reads = ("trace_id", "question", "answer")
    writes = {"rubric_score": pl.Float64(), "rubric_text": pl.String()}

    def __post_init__(self) -> None:
        check_votes("judge.rubric", self.votes, self.sampling)

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        identity, schema = ctx.engine(self.engine).identity, SCHEMA if self.structured else ""
        ballots = {
            row["trace_id"]: [
                vote_request(identity, messages, self.sampling, run_seed=ctx.seed, vote=vote, schema=schema)
                for vote in range(self.votes)
            ]
            for row in table.iter_rows(named=True)
            if (messages := self._messages(row, ctx.prompt(self.prompt)))
        }

        def rule(votes: Mapping[str, Sequence[Vote]]) -> Output:
            return self._output(table, {key: self._find(heard) for key, heard in votes.items()})

        return Ballots(ballots, ctx, rule)

    def _messages(self, row: Mapping[str, Any], prompt: Prompt) -> Messages | None:
        if not (row["answer"] and row["answer"].strip()):
            return None
        return prompt.render(
            question=conversation(row["question"], row.get("payload"), turn_chars=self.answer_chars),
            answer=defuse(row["answer"], most_chars=self.answer_chars),
        )

    def _find(self, votes: Sequence[Vote]) -> _Finding:
        read = read_votes([vote.reply for vote in votes])
        said = "\n\n".join(vote.said for vote in votes)
        if not read:
            return _Finding(
                None, said, Drop.UNJUDGED, f"none of {len(votes)} votes can be read: {said[:120]!r}"
            )
        score = fmean(map(mean, read))
        if score >= self.min_score:
            return _Finding(score, said)
        points = ", ".join(f"{point} {fmean(vote[point] for vote in read):.1f}" for point in read[0])
        return _Finding(score, said, Drop.LOW_SCORE, f"{score:.1f}, least is {self.min_score:g}: {points}")

    def _output(self, table: pl.DataFrame, found: Mapping[str, _Finding]) -> Output:
        findings = [found.get(key, _UNASKED) for key in table["trace_id"]]
        columns = [
            pl.Series("rubric_score", [finding.score for finding in findings], dtype=pl.Float64),
            pl.Series("rubric_text", [finding.said for finding in findings], dtype=pl.String),
        ]
        reasons = pl.Series([finding.reason for finding in findings], dtype=pl.String)
        details = pl.Series([finding.detail for finding in findings], dtype=pl.String)
        output = Output.marked(table.with_columns(columns), reasons, details, key=self.key)
        output.metrics["asked"] = float(len(found))
        return output
