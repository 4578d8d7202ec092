"""judge.answers: a generative judge with the reference beside the rules, for what rules cannot read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from distillery.judging.correctness import SCHEMA, Judgement, majority
from distillery.judging.defuse import defuse
from distillery.judging.votes import Vote
from distillery.records import JUDGEMENT, Outcome
from distillery.stages.base import Output, computed
from distillery.stages.judge.base import AnswerJudge, Finding, Row, RowJudge, Slots


class Policy(StrEnum):
    RULE_OR_JUDGE = "rule_or_judge"
    """The judge sees what the rules did not accept."""
    RULE_AND_JUDGE = "rule_and_judge"
    """The judge sees what the rules accepted."""
    JUDGE_ONLY = "judge_only"
    """The judge sees all; no rule is read."""
    SECOND_OPINION = "second_opinion"
    """The judge sees what an earlier judge left unclear or the rules deny."""


@dataclass(frozen=True, kw_only=True)
class JudgeAnswers(AnswerJudge, RowJudge):
    """Asks a judge about answers and decides, with the rules' verdict, what is accepted. Drops nothing.

    The judge sees the conversation and the answer, never the thought. Not asked: a trace without an answer or
    a problem without a reference. Unclear is not accepted: an unreadable reply, a tie of votes, a request
    that failed.

    A second, better judge for what the first one leaves in doubt is a second stage, with the policy
    `second_opinion`:

        - id: judged
          use: judge.answers
          with: {engine: small}
        - id: judged_twice
          use: judge.answers
          with: {engine: large, policy: second_opinion}

    It is asked where the first judge said correct and the rules did not, or the reverse, and where the first
    was unclear; there it alone decides: `judge_verdict` is its own, `judge_text` holds the words of both.
    What it is not asked about stays as it was.
    """

    prompt: str = "judge.correctness@1"
    policy: Policy = Policy.RULE_OR_JUDGE
    """Whom to believe, and so what the judge sees."""

    version = 3
    may_drop = False
    writes = JUDGEMENT
    schema = SCHEMA

    @computed
    def reads(self) -> tuple[str, ...]:
        needs = ("trace_id", "question", "gold", "answer")
        more = {Policy.JUDGE_ONLY: (), Policy.SECOND_OPINION: ("outcome", *JUDGEMENT)}
        return (*needs, *more.get(self.policy, ("outcome",)))

    def shown(self, row: Row) -> Slots | None:
        if not (_is_text(row["answer"]) and _is_text(row["gold"]) and self._is_doubtful(row)):
            return None
        answer = defuse(row["answer"], most_chars=self.answer_chars)
        return {"question": self.question(row), "reference": row["gold"], "answer": answer}

    def finding(self, row: Row, votes: Sequence[Vote]) -> Finding:
        second = self.policy is Policy.SECOND_OPINION
        if not votes:
            by = self._accepted_by(row, Judgement.UNCLEAR)
            return Finding([row[name] for name in JUDGEMENT] if second else (None, None, None, by != "", by))
        verdict = majority([vote.reply for vote in votes], answer=self.seen(row["answer"]))
        text, tokens = "\n\n".join(vote.said for vote in votes), sum(vote.tokens for vote in votes)
        if second:
            first = f"first judge: {row['judge_verdict']}\n{row['judge_text'] or ''}"
            text, tokens = f"{first}\n\nsecond judge: {verdict}\n{text}", tokens + (row["judge_tokens"] or 0)
        by = self._accepted_by(row, verdict)
        return Finding((verdict, text, tokens, by != "", by), counts={f"judged_{verdict}": 1.0})

    def output(self, table: pl.DataFrame, findings: Iterable[Finding]) -> Output:
        output = super().output(table, findings)
        accepted = output.kept["accepted"]
        output.metrics["accepted"] = float(accepted.sum())
        if self.policy is Policy.SECOND_OPINION:
            output.metrics["overruled"] = float((accepted != table["accepted"]).sum())
        return output

    def _is_doubtful(self, row: Row) -> bool:
        if self.policy is Policy.SECOND_OPINION:
            first = row["judge_verdict"]
            disputed = (first == Judgement.CORRECT) != self._rule_accepts(row)
            return first is not None and (disputed or first == Judgement.UNCLEAR)
        wanted = self.policy is Policy.RULE_AND_JUDGE
        return self.policy is Policy.JUDGE_ONLY or self._rule_accepts(row) == wanted

    def _accepted_by(self, row: Row, verdict: Judgement) -> str:
        rule = self._rule_accepts(row)
        if rule and self.policy is Policy.RULE_OR_JUDGE:
            return "rule"
        if verdict is not Judgement.CORRECT or (self.policy is Policy.RULE_AND_JUDGE and not rule):
            return ""
        return "both" if rule else "judge"

    def _rule_accepts(self, row: Row) -> bool:
        return self.policy is not Policy.JUDGE_ONLY and row["outcome"] == Outcome.CORRECT


def _is_text(value: str | None) -> bool:
    return bool(value and value.strip())
