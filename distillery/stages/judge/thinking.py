"""judge.thinking: a model says which prompts deserve a thought, where no rule knew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery.engines.base import Sampling
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote
from distillery.reasoning import split
from distillery.records import Thinking
from distillery.stages.judge.base import Finding, Row, RowJudge, Slots

_WORD = re.compile(r"\W*(on|off)\W*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class JudgeThinking(RowJudge):
    """Asks about rows whose `thinking` is empty; a reply that is neither "on" nor "off" counts as on.

    - id: labelled_too
      use: judge.thinking
      with: {engine: teacher}
    """

    prompt: str = "judge.thinking@1"
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=16)
    question_chars: Annotated[int, Field(ge=100)] = 2000
    """Of a longer prompt, or an earlier turn, the model sees the end."""

    version = 2
    may_drop = False
    key = "problem_id"
    reads = ("problem_id", "question", "thinking")
    writes = {"thinking": pl.String()}

    def shown(self, row: Row) -> Slots | None:
        if row["thinking"] != "":
            return None
        most = self.question_chars
        asked = conversation(row["question"], row.get("payload"), turn_chars=most, question_chars=most)
        return {"question": asked}

    def finding(self, row: Row, votes: Sequence[Vote]) -> Finding:
        if not votes:
            return Finding((row["thinking"],))
        word = _WORD.fullmatch(split(votes[0].reply).answer or "")
        return Finding((word[1].lower() if word else Thinking.ON.value,))
