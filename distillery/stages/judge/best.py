"""judge.best: which of several answers to a question is the best one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import polars as pl
from pydantic import Field

from distillery.judging.pairing import rotated
from distillery.judging.preference import choice_schema, read_choice, shown
from distillery.judging.votes import Vote
from distillery.stages.base import Context, Interview, Output, computed
from distillery.stages.judge.base import ComparingJudge, Finding, Rivals, Slots


class _Choice(NamedTuple):
    order: list[str]  # in which the judge saw the traces
    best: str | None  # None: unclear
    said: str

    def of(self, trace: str) -> dict[str, Any]:
        chosen = None if self.best is None else self.best == trace
        entry = {"place": self.order.index(trace) + 1, "of": len(self.order), "chosen": chosen}
        return entry | ({} if chosen is False else {"said": self.said})


@dataclass(frozen=True, kw_only=True)
class JudgeBest(ComparingJudge):
    """Shows the answers to a question, numbered, in another order for each vote, and asks for the best. Drops
    nothing.

    Adds `chosen` (whether it got the most votes; null where it was not shown, or nobody has the most),
    `chosen_votes`, and `best_votes`, a JSON list of the votes: `place` (its number there), `of` (answers
    shown), `chosen` (null: the reply was unreadable, cut off, or failed), `said` (where it was chosen). An
    answer without a rival is chosen without a vote. `{use: select.traces, with: {prefer: chosen}}` keeps the
    best.

    The judge sees the conversation and the answers, never thoughts, and no reference. Traces meet those of
    the same problem in the same shard, where generate.traces puts them; of equal answers one is shown.

        - id: best
          use: judge.best
          with: {engine: judge, answers: 4}
    """

    prompt: str = "judge.best@1"
    answers: Annotated[int, Field(ge=2, le=32)] = 8
    """Of a problem that are shown at most; of more, some are drawn."""
    accepted_only: bool = False
    """Shows only rows whose `accepted` is true."""
    answer_chars: Annotated[int, Field(ge=100)] = 4000

    version = 2
    writes = {
        "chosen": pl.Boolean(),
        "chosen_votes": pl.Int32(),
        "best_votes": pl.String(),
        "best_tokens": pl.Int32(),  # that the judge wrote about the problem
    }

    @computed
    def reads(self) -> tuple[str, ...]:
        needs = ("problem_id", "trace_id", "question", "answer")
        return (*needs, "accepted") if self.accepted_only else needs

    def form(self, slots: Slots) -> str:
        return choice_schema(int(slots["count"])) if self.structured else ""

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        rows = table.filter(pl.col("accepted").fill_null(value=False)) if self.accepted_only else table
        fields = {
            problem: Rivals(question, dict([*answers.items()][: self.answers]))
            for problem, (question, answers) in self.rivals(rows, ctx.seed, "best")
        }
        asked = ((name, self._shown(rivals)) for name, rivals in fields.items() if len(rivals.answers) > 1)
        return self.ask(asked, ctx, lambda votes: self._rule(table, fields, votes))

    def _orders(self, rivals: Rivals) -> list[list[str]]:
        return [rotated(list(rivals.answers), vote=vote, votes=self.votes) for vote in range(self.votes)]

    def _shown(self, rivals: Rivals) -> list[Slots]:
        texts = {trace: shown(text, most_chars=self.answer_chars) for trace, text in rivals.answers.items()}
        ballot: list[Slots] = []
        for order in self._orders(rivals):
            listed = [f"## Answer {number}\n{texts[trace]}" for number, trace in enumerate(order, 1)]
            answers, count = "\n\n".join(listed), str(len(order))
            ballot.append({"question": rivals.question, "count": count, "answers": answers})
        return ballot

    def _rule(
        self, table: pl.DataFrame, fields: Mapping[str, Rivals], votes: Mapping[str, Sequence[Vote]]
    ) -> Output:
        found: dict[str, Finding] = {}
        unclear = 0
        for problem, rivals in fields.items():
            if problem not in votes:
                found |= {trace: Finding((True, 0, None, 0)) for trace in rivals.answers}
                continue
            read = self._read(rivals, votes[problem])
            counts = Counter(choice.best for choice in read if choice.best is not None)
            most = max(counts.values(), default=0)
            tie = [*counts.values()].count(most) != 1
            unclear += tie
            tokens = sum(vote.tokens for vote in votes[problem])
            for trace in rivals.answers:
                entries = json.dumps([choice.of(trace) for choice in read], ensure_ascii=False)
                chosen = None if tie else counts[trace] == most
                found[trace] = Finding((chosen, counts[trace], entries, tokens))
        return self.compared(table, found, unclear=unclear)

    def _read(self, rivals: Rivals, votes: Sequence[Vote]) -> list[_Choice]:
        answers = [self.seen(answer) for answer in rivals.answers.values()]
        read: list[_Choice] = []
        for order, vote in zip(self._orders(rivals), votes, strict=True):
            best = read_choice(vote.reply, count=len(order), answers=answers)
            read.append(_Choice(order, order[best - 1] if best else None, vote.said))
        return read
