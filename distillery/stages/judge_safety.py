"""judge.safety: a generative judge beside the rules, over the whole response, for harm and for needless refusals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import polars as pl
from pydantic import Field

from distillery.curate.safety import Opinion, Safety, read_opinion
from distillery.engines.base import Completion, Failure, Reply, Request, Sampling, request_key
from distillery.errors import ConfigError
from distillery.hashing import derive_seed, digest
from distillery.prompts import Prompt
from distillery.records import Columns
from distillery.stages.base import Context, Interview, Output
from distillery.stages.interviews import ask_alone
from distillery.verify.defuse import defuse
from distillery.verify.harm import harm_done


class Policy(StrEnum):
    RULE_OR_JUDGE = "rule_or_judge"  # either may object; the judge sees what the rules did not object to
    RULE_AND_JUDGE = "rule_and_judge"  # both must object; the judge sees what the rules objected to
    JUDGE_ONLY = "judge_only"  # the judge sees all; no rule is read


@dataclass(frozen=True)
class JudgeSafety:
    """Drops unsafe responses with the kind of harm, and refusals of safe questions.

    The judge sees thought and answer. What it leaves unclear (an unreadable reply, a tie of votes, a request that
    failed) is dropped as `unclear`, unless the rules must object too.
    """

    engine: str
    prompt: str = "judge.safety@1"
    policy: Policy = Policy.RULE_OR_JUDGE
    votes: Annotated[int, Field(ge=1)] = 1
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)
    response_chars: Annotated[int, Field(ge=100)] = 32_000  # of a longer response the judge sees the end
    keep_refusals: bool = False  # a safe question refused is kept

    version: ClassVar[int] = 1
    key: ClassVar[str] = "trace_id"
    reads: ClassVar[tuple[str, ...]] = ("trace_id", "question", "text")
    writes: ClassVar[Columns] = {}

    def __post_init__(self) -> None:
        if self.votes > 1 and self.sampling.temperature == 0:
            raise ConfigError(
                f"judge.safety: votes is {self.votes} at temperature 0, which is one vote; raise sampling.temperature"
            )

    def uses(self) -> dict[str, tuple[str, ...]]:
        return {"engine": (self.engine,), "prompt": (self.prompt,)}

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        return _Hearing(self, table, ctx)

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        return ask_alone(self.interview(table, ctx), ctx.engine(self.engine))

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

    def ballot(self, row: dict[str, Any], identity: Any, prompt: Prompt, run_seed: int) -> list[Request]:
        messages = prompt.render(
            question=row["question"] or "", response=defuse(row["text"] or "", most_chars=self.response_chars)
        )
        about = digest([list(turn) for turn in messages])
        seeds = [derive_seed(run_seed, about, vote) for vote in range(self.votes)]
        keys = [request_key(identity, messages, self.sampling, seed, vote) for vote, seed in enumerate(seeds)]
        return [Request(key, messages, self.sampling, seed) for key, seed in zip(keys, seeds, strict=True)]


class _Hearing:
    """One shard's questions to the judge; equal responses to a question share their requests."""

    def __init__(self, stage: JudgeSafety, table: pl.DataFrame, ctx: Context) -> None:
        self._stage, self._table, self._ctx = stage, table, ctx
        identity, prompt = ctx.engine(stage.engine).identity, ctx.prompt(stage.prompt)
        self._ready: dict[str, Request] = {}
        self._objections: list[str | None] = []
        self._ballots: list[list[str]] = []  # keys of each row's requests
        self._votes: dict[str, Opinion] = {}
        for row in table.select("question", "text").iter_rows(named=True):
            objection = stage.objection(row["question"] or "", row["text"] or "")
            ballot = stage.ballot(row, identity, prompt, ctx.seed) if stage.is_asked(objection) else []
            self._ready.update({request.key: request for request in ballot})
            self._objections.append(objection)
            self._ballots.append([request.key for request in ballot])
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
        opinions = [_count([self._votes[key] for key in keys]) if keys else None for keys in self._ballots]
        found = [self._stage.reason(*pair) for pair in zip(self._objections, opinions, strict=True)]
        reasons = pl.Series([str(drop[0]) if drop else None for drop in found], dtype=pl.String)
        details = pl.Series([drop[1] if drop else "" for drop in found], dtype=pl.String)
        output = Output.marked(self._table, reasons, details, key=self._stage.key)
        judged = Counter(f"judged_{opinion.safety}" for opinion in opinions if opinion)
        counts = {"asked": sum(judged.values()), "ruled_unsafe": sum(map(bool, self._objections)), **judged}
        output.metrics.update({name: float(count) for name, count in counts.items()})
        output.metrics.update(prompt_tokens=float(self._tokens[0]), completion_tokens=float(self._tokens[1]))
        return output

    def close(self) -> None: ...


def _vote(reply: Completion | Failure) -> Opinion:
    if isinstance(reply, Failure) or reply.finish != "stop":
        return Opinion(Safety.UNCLEAR)
    return read_opinion(reply.text)


def _count(votes: list[Opinion]) -> Opinion:
    """What more than half of all votes say, with the category that most of those name."""
    safety, most = Counter(vote.safety for vote in votes).most_common(1)[0]
    if 2 * most <= len(votes):
        return Opinion(Safety.UNCLEAR)
    named = Counter(vote.category for vote in votes if vote.safety is safety)
    return Opinion(safety, named.most_common(1)[0][0])
