"""judge.answers: a generative judge with the reference beside the rules, for what rules cannot read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from distillery.engines.base import Request, Sampling
from distillery.hashing import Json
from distillery.judging.correctness import SCHEMA, Judgement, read_judgement
from distillery.judging.defuse import defuse, readable
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote, check_votes, vote_request
from distillery.prompts import Prompt
from distillery.records import JUDGEMENT, Columns, Outcome
from distillery.stages.base import AskingStage, Context, Interview, Output, computed
from distillery.stages.judge.ballots import Ballots

_OURS = tuple(JUDGEMENT)


class Policy(StrEnum):
    RULE_OR_JUDGE = "rule_or_judge"  # the judge sees what the rules did not accept
    RULE_AND_JUDGE = "rule_and_judge"  # the judge sees what the rules accepted
    JUDGE_ONLY = "judge_only"  # the judge sees all; no rule is read
    SECOND_OPINION = (
        "second_opinion"  # sees what an earlier judge and the rules disagree on, or it left unclear
    )


@dataclass(frozen=True)
class JudgeAnswers(AskingStage):
    """Asks a judge about answers and decides, with the rules' verdict, what is accepted. Drops nothing.

    The judge sees the conversation and the answer, never the thought. Not asked: a trace without an answer or a problem without a
    reference. Unclear is not accepted: an unreadable reply, a tie of votes, a request that failed.

    `structured` asks the server to hold the reply to a JSON schema: the only unreadable ones are then those that run into
    `max_tokens`, as small judges do that repeat themselves. Servers hold it from its first token on: a judge that
    thinks needs a server with a reasoning parser.

    A second, better judge for what the first one leaves in doubt is a second stage, with the policy `second_opinion`:

        - id: judged
          use: judge.answers
          with: {engine: small}
        - id: judged_twice
          use: judge.answers
          with: {engine: large, policy: second_opinion}

    It is asked where the first judge said correct and the rules did not, or the reverse, and where the first was
    unclear; there it alone decides: `judge_verdict` is its own, `judge_text` holds the words of both. What it is not
    asked about stays as it was.
    """

    engine: str
    prompt: str = "judge.correctness@1"
    policy: Policy = Policy.RULE_OR_JUDGE
    votes: Annotated[int, Field(ge=1)] = 1
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)
    answer_chars: Annotated[int, Field(ge=100)] = 8000  # of a longer answer the judge sees the end
    structured: bool = field(default=False, metadata={"identity": "changed"})

    version = 3
    may_drop = False
    writes = JUDGEMENT

    def __post_init__(self) -> None:
        check_votes("judge.answers", self.votes, self.sampling)

    @computed
    def reads(self) -> tuple[str, ...]:
        needs = ("trace_id", "question", "gold", "answer")
        match self.policy:
            case Policy.JUDGE_ONLY:
                return needs
            case Policy.SECOND_OPINION:
                return (*needs, "outcome", *_OURS)
            case _:
                return (*needs, "outcome")

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        identity, prompt = ctx.engine(self.engine).identity, ctx.prompt(self.prompt)
        asked = table.filter(self.is_asked()).iter_rows(named=True)
        ballots = {row["trace_id"]: self._ballot(row, identity, prompt, ctx.seed) for row in asked}
        return Ballots(ballots, ctx, lambda votes: self._rule(table, votes))

    def is_asked(self) -> pl.Expr:
        whole = _is_text("answer") & _is_text("gold")
        match self.policy:
            case Policy.RULE_OR_JUDGE:
                return whole & ~_rule_accepts()
            case Policy.RULE_AND_JUDGE:
                return whole & _rule_accepts()
            case Policy.JUDGE_ONLY:
                return whole
            case Policy.SECOND_OPINION:
                verdict = pl.col("judge_verdict")
                doubted = (verdict == Judgement.UNCLEAR) | (_judge_accepts() != _rule_accepts())
                return whole & verdict.is_not_null() & doubted

    def _ballot(self, row: dict[str, Any], identity: Json, prompt: Prompt, run_seed: int) -> list[Request]:
        shown = defuse(row["answer"], most_chars=self.answer_chars)
        asked = conversation(row["question"], row.get("payload"), turn_chars=self.answer_chars)
        messages = prompt.render(question=asked, reference=row["gold"], answer=shown)
        schema = SCHEMA if self.structured else ""
        return [
            vote_request(identity, messages, self.sampling, run_seed=run_seed, vote=vote, schema=schema)
            for vote in range(self.votes)
        ]

    def _rule(self, table: pl.DataFrame, votes: Mapping[str, Sequence[Vote]]) -> Output:
        answers = dict(table.select("trace_id", "answer").iter_rows())
        rulings = [
            (trace, *_count(cast, readable(answers[trace])[-self.answer_chars :]))
            for trace, cast in votes.items()
        ]
        schema: Columns = {"trace_id": pl.String(), **{name: JUDGEMENT[name] for name in _OURS[:3]}}
        judged = pl.DataFrame(rulings, schema=schema, orient="row")
        second = self.policy is Policy.SECOND_OPINION
        kept = _overruled(table, judged) if second else self._decided(table, judged)
        counts = Counter(f"judged_{verdict}" for _, verdict, *_ in rulings)
        metrics = {"asked": len(rulings), "accepted": kept["accepted"].sum(), **counts}
        if second:
            metrics["overruled"] = (kept["accepted"] != table["accepted"]).sum()
        return Output(kept, Output.all_kept(kept).dropped, {k: float(v) for k, v in metrics.items()})

    def _decided(self, table: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
        kept = table.drop(_OURS, strict=False).join(judged, on="trace_id", how="left", maintain_order="left")
        match self.policy:
            case Policy.RULE_AND_JUDGE:
                when = pl.when(_rule_accepts() & _judge_accepts()).then(pl.lit("both"))
            case Policy.JUDGE_ONLY:
                when = pl.when(_judge_accepts()).then(pl.lit("judge"))
            case _:
                when = (
                    pl.when(_rule_accepts()).then(pl.lit("rule")).when(_judge_accepts()).then(pl.lit("judge"))
                )
        return _with_accepted(kept, when.otherwise(pl.lit("")))


def _overruled(table: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """With a second judge's rulings in the place of the first one's, where it was asked."""
    first, asked = pl.col("judge_verdict_first"), pl.col("judge_verdict").is_not_null()
    kept = table.rename({name: f"{name}_first" for name in _OURS})
    kept = kept.join(judged, on="trace_id", how="left", maintain_order="left")
    before, after = pl.col("judge_text_first").fill_null(""), pl.col("judge_text")
    both = pl.format(
        "first judge: {}\n{}\n\nsecond judge: {}\n{}", first, before, pl.col("judge_verdict"), after
    )
    by = pl.when(_rule_accepts()).then(pl.lit("both")).otherwise(pl.lit("judge"))
    by = pl.when(~asked).then(pl.col("accepted_by_first")).when(_judge_accepts()).then(by)
    kept = kept.with_columns(
        by.otherwise(pl.lit("")).alias("accepted_by"),
        pl.coalesce("judge_verdict", first).alias("judge_verdict"),
        pl.when(asked).then(both).otherwise(pl.col("judge_text_first")).alias("judge_text"),
        pl.sum_horizontal("judge_tokens_first", "judge_tokens").cast(pl.Int32).alias("judge_tokens"),
    )
    kept = kept.with_columns(
        pl.when(pl.col("judge_verdict").is_not_null()).then(pl.col("judge_tokens")).alias("judge_tokens")
    )
    return _with_accepted(kept, pl.col("accepted_by")).select(table.columns)


def _with_accepted(table: pl.DataFrame, by: pl.Expr) -> pl.DataFrame:
    table = table.with_columns(by.alias("accepted_by"))
    table = table.with_columns((pl.col("accepted_by") != "").alias("accepted"))
    return table.select(*[name for name in table.columns if name not in JUDGEMENT], *JUDGEMENT)


def _is_text(column: str) -> pl.Expr:
    return (pl.col(column).str.strip_chars() != "").fill_null(value=False)


def _rule_accepts() -> pl.Expr:
    return (pl.col("outcome") == Outcome.CORRECT).fill_null(value=False)


def _judge_accepts() -> pl.Expr:
    return (pl.col("judge_verdict") == Judgement.CORRECT).fill_null(value=False)


def _count(votes: Sequence[Vote], answer: str) -> tuple[str, str, int]:
    """What more than half of all votes say, their words, and their tokens."""
    read = [read_judgement(vote.said, answer=answer) if vote.whole else Judgement.UNCLEAR for vote in votes]
    verdict, most = Counter(read).most_common(1)[0]
    text = "\n\n".join(vote.said for vote in votes)
    decided = verdict if 2 * most > len(votes) else Judgement.UNCLEAR
    return decided, text, sum(vote.tokens for vote in votes)
