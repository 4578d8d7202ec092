"""What judges have in common: their options, the votes that they ask for, and what becomes of the rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NamedTuple

import polars as pl
from pydantic import Field

from distillery.engines.base import Request, Sampling
from distillery.hashing import derive_seed
from distillery.judging.defuse import readable
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote, ballot, check_votes
from distillery.stages.base import AskingStage, Context, Interview, Output
from distillery.stages.judge.ballots import Ballots, Rule

Row = Mapping[str, Any]
Slots = dict[str, str]
"""What a prompt is filled with."""


class Finding(NamedTuple):
    """What becomes of a row."""

    added: Sequence[Any] = ()  # its values of the columns that the stage writes; none: nulls
    reason: str | None = None  # to drop it
    detail: str = ""
    counts: Mapping[str, float] = {}  # to the metrics


@dataclass(frozen=True, kw_only=True)
class JudgeStage(AskingStage):
    engine: str
    """Its name under `engines`, or a mapping: `{use: NAME, model: {from: STAGE}}`."""
    prompt: str
    """Name and version of the prompt; one of your own needs the same slots."""
    sampling: Sampling
    """How replies are drawn."""

    also_reads = ("payload",)

    def form(self, slots: Slots) -> str:
        """The JSON schema that a server is to hold the reply to; "": none."""
        return ""

    def ask(self, asked: Iterable[tuple[str, Sequence[Slots]]], ctx: Context, rule: Rule) -> Interview:
        """`asked`: by matter, what is shown for each vote."""
        identity, prompt = ctx.engine(self.engine).identity, ctx.prompt(self.prompt)
        ballots: dict[str, list[Request]] = {}
        for matter, shown in asked:
            messages, form = [prompt.render(**slots) for slots in shown], self.form(shown[0])
            ballots[matter] = ballot(identity, messages, self.sampling, run_seed=ctx.seed, schema=form)
        return Ballots(ballots, ctx, rule)

    def output(self, table: pl.DataFrame, findings: Iterable[Finding]) -> Output:
        """From what was found of each row."""
        found = list(findings)
        columns = [
            pl.Series(name, [row.added[place] if row.added else None for row in found], dtype=dtype)
            for place, (name, dtype) in enumerate(self.writes.items())
        ]
        reasons = pl.Series([row.reason for row in found], dtype=pl.String)
        details = pl.Series([row.detail for row in found], dtype=pl.String)
        output = Output.marked(table.with_columns(columns), reasons, details, key=self.key)
        for row in found:
            for name, count in row.counts.items():
                output.metrics[name] = output.metrics.get(name, 0.0) + count
        return output


class RowJudge(JudgeStage):
    """Asks about each row by itself."""

    @abstractmethod
    def shown(self, row: Row) -> Slots | None:
        """None: nothing is asked about it."""

    @abstractmethod
    def finding(self, row: Row, votes: Sequence[Vote]) -> Finding:
        """Without votes where nothing was asked."""

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        rows = ((row[self.key], self.shown(row)) for row in table.iter_rows(named=True))
        asked = ((key, [slots] * self.votes) for key, slots in rows if slots is not None)
        return self.ask(asked, ctx, lambda votes: self._rule(table, votes))

    def _rule(self, table: pl.DataFrame, votes: Mapping[str, Sequence[Vote]]) -> Output:
        rows = table.iter_rows(named=True)
        return self.output(table, (self.finding(row, votes.get(row[self.key], ())) for row in rows))


@dataclass(frozen=True, kw_only=True)
class VotingJudge(JudgeStage):
    votes: Annotated[int, Field(ge=1)] = 1
    """Replies to each matter that it is asked about; more than one need a temperature above 0."""
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)
    structured: bool = field(default=False, metadata={"identity": "changed"})
    """Asks the server to hold replies to a JSON schema: unreadable are then only those that run into
    `max_tokens`. Servers hold a reply from its first token on: a judge that thinks needs one with a reasoning
    parser."""

    schema: ClassVar[str]
    orders: ClassVar[int] = 1  # in which a matter can be shown

    def __post_init__(self) -> None:
        place = type(self).__module__.removeprefix("distillery.stages.")
        check_votes(place, self.votes, self.sampling, orders=self.orders)

    def form(self, slots: Slots) -> str:
        return self.schema if self.structured else ""


@dataclass(frozen=True, kw_only=True)
class AnswerJudge(VotingJudge):
    """Sees the conversation and answers, never a thought."""

    answer_chars: Annotated[int, Field(ge=100)] = 8000
    """Of a longer answer, or an earlier turn, the judge sees the end."""

    def question(self, row: Row) -> str:
        return conversation(row["question"], row.get("payload"), turn_chars=self.answer_chars)

    def seen(self, answer: str) -> str:
        """What a reply may only have repeated."""
        return readable(answer)[-self.answer_chars :]


class Rivals(NamedTuple):
    """A problem's answers, in an order that was drawn."""

    question: str
    answers: dict[str, str]  # by trace_id


@dataclass(frozen=True, kw_only=True)
class ComparingJudge(AnswerJudge):
    """Compares the answers to a question, of equal ones one. Drops nothing."""

    votes: Annotated[int, Field(ge=1)] = 4
    sampling: Sampling = Sampling(temperature=0.7, top_p=0.95, max_tokens=4096)
    orders = 2
    may_drop = False

    def rivals(self, table: pl.DataFrame, seed: int, purpose: str) -> Iterator[tuple[str, Rivals]]:
        draws = [derive_seed(seed, purpose, trace) for trace in table["trace_id"]]
        rows = table.with_columns(pl.Series("draw", draws, dtype=pl.Int64)).sort("draw", "trace_id")
        rows = rows.filter((pl.col("answer").str.strip_chars() != "").fill_null(value=False))
        rows = rows.unique(["problem_id", "answer"], keep="first", maintain_order=True)
        for (problem,), group in rows.group_by("problem_id", maintain_order=True):
            answers = dict(group.select("trace_id", "answer").iter_rows())
            yield str(problem), Rivals(self.question(group.row(0, named=True)), answers)

    def compared(self, table: pl.DataFrame, found: Mapping[str, Finding], *, unclear: int) -> Output:
        """`found`: by trace_id, those that were shown."""
        output = self.output(table, (found.get(trace, Finding()) for trace in table["trace_id"]))
        output.metrics["unclear"] = float(unclear)
        return output
