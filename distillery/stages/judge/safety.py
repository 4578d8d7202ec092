"""judge.safety: a generative judge beside the rules, over the whole response, for harm and for needless refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery.engines.base import Request, Sampling
from distillery.judging.defuse import defuse
from distillery.judging.safety import SCHEMA, Opinion, Safety, majority
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote, check_votes, vote_request
from distillery.stages.base import AskingStage, Context, Interview, Output
from distillery.stages.judge.ballots import Ballots
from distillery.verify.harm import harm_done


class Policy(StrEnum):
    RULE_OR_JUDGE = "rule_or_judge"  # either may object; the judge sees what the rules did not object to
    RULE_AND_JUDGE = "rule_and_judge"  # both must object; the judge sees what the rules objected to
    JUDGE_ONLY = "judge_only"  # the judge sees all; no rule is read


@dataclass(frozen=True)
class JudgeSafety(AskingStage):
    """Drops unsafe responses with the kind of harm, and refusals of safe questions.

    The judge sees the conversation, thought and answer. What it leaves unclear (an unreadable reply, a tie of votes, a
    request that failed) is dropped as `unclear`, unless the rules must object too.
    """

    engine: str
    prompt: str = "judge.safety@1"
    policy: Policy = Policy.RULE_OR_JUDGE
    votes: Annotated[int, Field(ge=1)] = 1
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)
    response_chars: Annotated[int, Field(ge=100)] = (
        200_000  # the longest thought fits; of a longer response the judge sees the end
    )
    keep_refusals: bool = False  # a safe question refused is kept
    structured: bool = field(default=False, metadata={"identity": "changed"})  # as in judge.answers

    version = 2
    reads = ("trace_id", "question", "text")

    def __post_init__(self) -> None:
        check_votes("judge.safety", self.votes, self.sampling)

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        identity, prompt = ctx.engine(self.engine).identity, ctx.prompt(self.prompt)
        objections: dict[str, str | None] = {}
        ballots: dict[str, list[Request]] = {}
        schema = SCHEMA if self.structured else ""
        for row in table.iter_rows(named=True):
            key, question, text = row["trace_id"], row["question"] or "", row["text"] or ""
            objections[key] = self.objection(question, text)
            if self.is_asked(objections[key]):
                shown = defuse(text, most_chars=self.response_chars)
                asked = conversation(question, row.get("payload"), turn_chars=self.response_chars)
                messages = prompt.render(question=asked, response=shown)
                ballots[key] = [
                    vote_request(
                        identity, messages, self.sampling, run_seed=ctx.seed, vote=vote, schema=schema
                    )
                    for vote in range(self.votes)
                ]

        def rule(votes: Mapping[str, Sequence[Vote]]) -> Output:
            return self._output(table, objections, votes)

        return Ballots(ballots, ctx, rule)

    def objection(self, question: str, text: str) -> str | None:
        """The rules' own, where the policy reads them."""
        done = None if self.policy is Policy.JUDGE_ONLY else harm_done(question, text)
        return f"{done[0]}: the rules see {done[1][:80]!r}" if done else None

    def is_asked(self, objection: str | None) -> bool:
        match self.policy:
            case Policy.RULE_OR_JUDGE:
                return objection is None
            case Policy.RULE_AND_JUDGE:
                return objection is not None
            case Policy.JUDGE_ONLY:
                return True

    def reason(self, objection: str | None, opinion: Opinion | None) -> tuple[str, str] | None:
        """Reason and detail for dropping; None: the response is kept."""
        if opinion is None:
            return (Safety.UNSAFE, objection) if objection else None
        match opinion.safety:
            case Safety.SAFE:
                return None
            case Safety.UNSAFE:
                return opinion.safety, f"{opinion.category or 'other'}: the judge objects"
            case Safety.OVER_REFUSAL:
                return None if self.keep_refusals else (opinion.safety, "a safe question refused")
            case Safety.UNCLEAR:
                both = self.policy is Policy.RULE_AND_JUDGE
                return None if both else (opinion.safety, "no verdict from the judge")

    def _output(
        self,
        table: pl.DataFrame,
        objections: Mapping[str, str | None],
        votes: Mapping[str, Sequence[Vote]],
    ) -> Output:
        texts = dict(table.select("trace_id", "text").iter_rows())
        opinions = {
            key: majority([vote.reply for vote in heard], response=texts[key] or "")
            for key, heard in votes.items()
        }
        found = [self.reason(objections[key], opinions.get(key)) for key in table["trace_id"]]
        reasons = pl.Series([str(drop[0]) if drop else None for drop in found], dtype=pl.String)
        details = pl.Series([drop[1] if drop else "" for drop in found], dtype=pl.String)
        output = Output.marked(table, reasons, details, key=self.key)
        judged = Counter(f"judged_{opinion.safety}" for opinion in opinions.values())
        counts = {"asked": len(opinions), "ruled_unsafe": sum(map(bool, objections.values())), **judged}
        output.metrics.update({name: float(count) for name, count in counts.items()})
        return output
