"""judge.answers: a generative judge with the reference beside the rules, for what rules cannot read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import polars as pl
from pydantic import Field

from distillery.engines.base import Completion, Failure, Reply, Request, Sampling, request_key
from distillery.errors import ConfigError
from distillery.hashing import derive_seed, digest
from distillery.prompts import Prompt
from distillery.records import JUDGEMENT, Columns, Outcome
from distillery.stages.base import Context, Interview, Output
from distillery.stages.interviews import ask_alone
from distillery.verify.judgement import Judgement, defuse, read_judgement


class Policy(StrEnum):
    RULE_OR_JUDGE = "rule_or_judge"  # the judge sees what the rules did not accept
    RULE_AND_JUDGE = "rule_and_judge"  # the judge sees what the rules accepted
    JUDGE_ONLY = "judge_only"  # the judge sees all; no rule is read


@dataclass(frozen=True)
class JudgeAnswers:
    """Asks a judge about answers and decides, with the rules' verdict, what is accepted. Drops nothing.

    The judge sees the answer, never the thought. Not asked: a trace without an answer or a problem without a
    reference. Unclear is not accepted: an unreadable reply, a tie of votes, a request that failed.
    """

    engine: str
    prompt: str = "judge.correctness@1"
    policy: Policy = Policy.RULE_OR_JUDGE
    votes: Annotated[int, Field(ge=1)] = 1
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)
    answer_chars: Annotated[int, Field(ge=100)] = 8000  # of a longer answer the judge sees the end

    version: ClassVar[int] = 1
    key: ClassVar[str] = "trace_id"
    writes: ClassVar[Columns] = JUDGEMENT

    def __post_init__(self) -> None:
        if self.votes > 1 and self.sampling.temperature == 0:
            raise ConfigError(
                f"judge.answers: votes is {self.votes} at temperature 0, which is one vote; raise sampling.temperature"
            )

    @property
    def reads(self) -> tuple[str, ...]:
        rules = () if self.policy is Policy.JUDGE_ONLY else ("outcome",)
        return ("trace_id", "question", "gold", "answer", *rules)

    def uses(self) -> dict[str, tuple[str, ...]]:
        return {"engine": (self.engine,), "prompt": (self.prompt,)}

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        return _Trial(self, table, ctx)

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        return ask_alone(self.interview(table, ctx), ctx.engine(self.engine))

    def rule(self, table: pl.DataFrame, rulings: list[tuple[str, str, str]]) -> Output:
        """`rulings`: (trace_id, verdict, the judge's words) of those that were asked about."""
        schema = {"trace_id": pl.String(), "judge_verdict": pl.String(), "judge_text": pl.String()}
        judged = pl.DataFrame(rulings, schema=schema, orient="row")
        kept = table.join(judged, on="trace_id", how="left", maintain_order="left")
        kept = kept.with_columns(self._accepted_by().alias("accepted_by"))
        kept = kept.with_columns((pl.col("accepted_by") != "").alias("accepted"))
        counts = Counter(f"judged_{verdict}" for _, verdict, _ in rulings)
        metrics = {"asked": len(rulings), "accepted": kept["accepted"].sum(), **counts}
        columns = [*table.columns, *JUDGEMENT]
        return Output(
            kept.select(columns), Output.all_kept(kept).dropped, {k: float(v) for k, v in metrics.items()}
        )

    def is_asked(self) -> pl.Expr:
        whole = _is_text("answer") & _is_text("gold")
        match self.policy:
            case Policy.RULE_OR_JUDGE:
                return whole & ~_rule_accepts()
            case Policy.RULE_AND_JUDGE:
                return whole & _rule_accepts()
            case Policy.JUDGE_ONLY:
                return whole

    def _accepted_by(self) -> pl.Expr:
        judge = (pl.col("judge_verdict") == Judgement.CORRECT).fill_null(value=False)
        match self.policy:
            case Policy.RULE_OR_JUDGE:
                when = pl.when(_rule_accepts()).then(pl.lit("rule")).when(judge).then(pl.lit("judge"))
            case Policy.RULE_AND_JUDGE:
                when = pl.when(_rule_accepts() & judge).then(pl.lit("both"))
            case Policy.JUDGE_ONLY:
                when = pl.when(judge).then(pl.lit("judge"))
        return when.otherwise(pl.lit(""))

    def ballot(self, row: dict[str, Any], identity: Any, prompt: Prompt, run_seed: int) -> list[Request]:
        messages = prompt.render(
            question=row["question"],
            reference=row["gold"],
            answer=defuse(row["answer"], most_chars=self.answer_chars),
        )
        about = digest([list(turn) for turn in messages])
        ballot: list[Request] = []
        for vote in range(self.votes):
            seed = derive_seed(run_seed, about, vote)
            key = request_key(identity, messages, self.sampling, seed, vote)
            ballot.append(Request(key, messages, self.sampling, seed))
        return ballot


class _Trial:
    """One shard's questions to the judge; equal answers to a question share their requests."""

    def __init__(self, stage: JudgeAnswers, table: pl.DataFrame, ctx: Context) -> None:
        self._stage, self._table, self._ctx = stage, table, ctx
        identity, prompt = ctx.engine(stage.engine).identity, ctx.prompt(stage.prompt)
        self._ready: dict[str, Request] = {}
        self._ballots: dict[str, list[str]] = {}
        self._votes: dict[str, tuple[Judgement, str]] = {}
        for row in table.filter(stage.is_asked()).iter_rows(named=True):
            ballot = stage.ballot(row, identity, prompt, ctx.seed)
            self._ready.update({request.key: request for request in ballot})
            self._ballots[row["trace_id"]] = [request.key for request in ballot]
        self._owed = len(self._ready)
        self._tokens = (0, 0)  # of the prompts, of the replies

    def due(self) -> Request | None:
        return self._ready.pop(next(iter(self._ready))) if self._ready else None

    def hear(self, reply: Reply) -> None:
        self._votes[reply.key] = _vote(reply)
        read, said = reply.prompt_tokens, reply.completion_tokens
        self._tokens = self._tokens[0] + read, self._tokens[1] + said
        self._ctx.progress(rows=1, tokens=said, prompt_tokens=read)

    @property
    def finished(self) -> bool:
        return len(self._votes) == self._owed

    def output(self) -> Output:
        rulings = [
            (trace, *_count([self._votes[key] for key in keys])) for trace, keys in self._ballots.items()
        ]
        output = self._stage.rule(self._table, rulings)
        output.metrics.update(prompt_tokens=float(self._tokens[0]), completion_tokens=float(self._tokens[1]))
        return output

    def close(self) -> None: ...


def _is_text(column: str) -> pl.Expr:
    return (pl.col(column).str.strip_chars() != "").fill_null(value=False)


def _rule_accepts() -> pl.Expr:
    return (pl.col("outcome") == Outcome.CORRECT).fill_null(value=False)


def _vote(reply: Completion | Failure) -> tuple[Judgement, str]:
    if isinstance(reply, Failure):
        return Judgement.UNCLEAR, f"{reply.kind}: {reply.message}"
    cut = reply.finish != "stop"
    return (Judgement.UNCLEAR if cut else read_judgement(reply.text)), reply.text


def _count(votes: list[tuple[Judgement, str]]) -> tuple[str, str]:
    """What more than half of all votes say."""
    verdict, most = Counter(verdict for verdict, _ in votes).most_common(1)[0]
    text = "\n\n".join(text for _, text in votes)
    return (verdict if 2 * most > len(votes) else Judgement.UNCLEAR), text
