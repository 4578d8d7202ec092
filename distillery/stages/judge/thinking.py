"""judge.thinking: a model says which prompts deserve a thought, where no rule knew."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery.engines.base import Request, Sampling
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote, vote_request
from distillery.reasoning import split
from distillery.records import Thinking
from distillery.stages.base import AskingStage, Context, Interview, Output
from distillery.stages.judge.ballots import Ballots

_WORD = re.compile(r"\W*(on|off)\W*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class JudgeThinking(AskingStage):
    """Asks about rows whose `thinking` is empty; a reply that is neither "on" nor "off" counts as on."""

    engine: str
    prompt: str = "judge.thinking@1"
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=16)
    question_chars: Annotated[int, Field(ge=100)] = 2000  # of a longer prompt the model sees the end

    version = 2
    may_drop = False
    key = "problem_id"
    reads = ("problem_id", "question", "thinking")
    writes = {"thinking": pl.String()}

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        prompt, identity = ctx.prompt(self.prompt), ctx.engine(self.engine).identity
        chars = self.question_chars
        ballots: dict[str, list[Request]] = {}
        for row in table.filter(pl.col("thinking") == "").iter_rows(named=True):
            asked = conversation(row["question"], row.get("payload"), turn_chars=chars, question_chars=chars)
            messages = prompt.render(question=asked)
            ballots[row["problem_id"]] = [
                vote_request(identity, messages, self.sampling, run_seed=ctx.seed, vote=0)
            ]

        def rule(votes: Mapping[str, Sequence[Vote]]) -> Output:
            said = {key: _label(vote) for key, (vote,) in votes.items()}
            labels = pl.col("problem_id").replace_strict(
                said, default=pl.col("thinking"), return_dtype=pl.String
            )
            output = Output.all_kept(table.with_columns(labels.alias("thinking")))
            output.metrics["asked"] = float(len(votes))
            return output

        return Ballots(ballots, ctx, rule)


def _label(vote: Vote) -> str:
    word = _WORD.fullmatch(split(vote.said).answer or "") if vote.whole else None
    return word[1].lower() if word else Thinking.ON.value
