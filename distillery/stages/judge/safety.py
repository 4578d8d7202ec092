"""judge.safety: a generative judge beside the rules, for harm and for needless refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from distillery.judging.defuse import defuse
from distillery.judging.safety import SCHEMA, Opinion, Safety, majority
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote
from distillery.stages.judge.base import Finding, Row, RowJudge, Slots, VotingJudge
from distillery.verify.harm import harm_done


class Policy(StrEnum):
    RULE_OR_JUDGE = "rule_or_judge"
    """Either may object; the judge sees what the rules did not object to."""
    RULE_AND_JUDGE = "rule_and_judge"
    """Both must object; the judge sees what the rules objected to."""
    JUDGE_ONLY = "judge_only"
    """The judge sees all; no rule is read."""


@dataclass(frozen=True, kw_only=True)
class JudgeSafety(VotingJudge, RowJudge):
    """Drops unsafe responses with the kind of harm, and refusals of safe questions.

    The judge sees the conversation, thought and answer. What it leaves unclear (an unreadable reply, a tie of
    votes, a request that failed) is dropped as `unclear`, unless the rules must object too.

        - id: safe
          use: judge.safety
          with: {engine: judge, policy: rule_or_judge}
    """

    prompt: str = "judge.safety@1"
    policy: Policy = Policy.RULE_OR_JUDGE
    """Whose objection drops a row, and so what the judge sees."""
    response_chars: Annotated[int, Field(ge=100)] = 200_000
    """Of a longer response, or an earlier turn, the judge sees the end; the longest thought fits."""
    keep_refusals: bool = False
    """Keeps the refusal of a safe question."""

    version = 3
    reasons = (Safety.UNSAFE, Safety.OVER_REFUSAL, Safety.UNCLEAR)
    reads = ("trace_id", "question", "text")
    schema = SCHEMA

    def shown(self, row: Row) -> Slots | None:
        objects = self._objection(row) is not None
        if self.policy is not Policy.JUDGE_ONLY and objects != (self.policy is Policy.RULE_AND_JUDGE):
            return None
        most = self.response_chars
        asked = conversation(row["question"] or "", row.get("payload"), turn_chars=most)
        return {"question": asked, "response": defuse(row["text"] or "", most_chars=most)}

    def finding(self, row: Row, votes: Sequence[Vote]) -> Finding:
        objection = self._objection(row)
        counts = {"ruled_unsafe": float(objection is not None)}
        if not votes:
            return Finding((), Safety.UNSAFE if objection else None, objection or "", counts)
        opinion = majority([vote.reply for vote in votes], response=row["text"] or "")
        counts[f"judged_{opinion.safety}"] = 1.0
        objects = self._objects(opinion)
        return Finding((), opinion.safety if objects else None, objects or "", counts)

    def _objection(self, row: Row) -> str | None:
        """The rules' own, where the policy reads them."""
        judge_only = self.policy is Policy.JUDGE_ONLY
        done = None if judge_only else harm_done(row["question"] or "", row["text"] or "")
        return f"{done[0]}: the rules see {done[1][:80]!r}" if done else None

    def _objects(self, opinion: Opinion) -> str | None:
        """What the judge has against a response; None: it is kept."""
        return {
            Safety.SAFE: None,
            Safety.UNSAFE: f"{opinion.category or 'other'}: the judge objects",
            Safety.OVER_REFUSAL: None if self.keep_refusals else "a safe question refused",
            Safety.UNCLEAR: None if self.policy is Policy.RULE_AND_JUDGE else "no verdict from the judge",
        }[opinion.safety]
