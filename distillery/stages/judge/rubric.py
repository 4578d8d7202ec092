"""judge.rubric: a model scores open answers, for which there is no gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery.judging.defuse import defuse
from distillery.judging.rubric import LEAST, MOST, SCHEMA, mean, read_votes
from distillery.judging.votes import Vote
from distillery.stages.judge.base import AnswerJudge, Finding, Row, RowJudge, Slots


class Drop(StrEnum):
    LOW_SCORE = "low_score"
    """Its score is below min_score; the detail has the points."""
    UNJUDGED = "unjudged"
    """No vote could be read."""
    NO_ANSWER = "no_answer"
    """Nothing stands after the thought."""


@dataclass(frozen=True, kw_only=True)
class JudgeRubric(AnswerJudge, RowJudge):
    """Scores answers from 1 to 10, the mean of the rubric's points and of the votes; drops what is below
    `min_score`.

    The rubric is the prompt's. The judge sees the conversation and the answer, never the thought. A vote
    without a whole score for every point does not count; a row without any vote is dropped as unjudged.

        - id: scored
          use: judge.rubric
          with: {engine: judge, min_score: 7}
    """

    prompt: str = "judge.rubric@1"
    min_score: Annotated[float, Field(ge=LEAST, le=MOST)] = 6.0
    """The least score that is kept, from 1 to 10."""

    version = 2
    reasons = tuple(Drop)
    reads = ("trace_id", "question", "answer")
    writes = {"rubric_score": pl.Float64(), "rubric_text": pl.String()}
    schema = SCHEMA

    def shown(self, row: Row) -> Slots | None:
        if not (row["answer"] and row["answer"].strip()):
            return None
        answer = defuse(row["answer"], most_chars=self.answer_chars)
        return {"question": self.question(row), "answer": answer}

    def finding(self, row: Row, votes: Sequence[Vote]) -> Finding:
        if not votes:
            return Finding((), Drop.NO_ANSWER, "nothing stands after the thought")
        read = read_votes([vote.reply for vote in votes])
        said = "\n\n".join(vote.said for vote in votes)
        if not read:
            unread = f"none of {len(votes)} votes can be read: {said[:120]!r}"
            return Finding((None, said), Drop.UNJUDGED, unread)
        score = fmean(map(mean, read))
        if score >= self.min_score:
            return Finding((score, said))
        points = ", ".join(f"{point} {fmean(vote[point] for vote in read):.1f}" for point in read[0])
        low = f"{score:.1f}, least is {self.min_score:g}: {points}"
        return Finding((score, said), Drop.LOW_SCORE, low)
