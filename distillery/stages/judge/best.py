"""judge.best: which of several answers to a question is the best one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

import polars as pl
from pydantic import Field

from distillery.engines.base import Request, Sampling
from distillery.hashing import Json, derive_seed
from distillery.judging.defuse import readable
from distillery.judging.pairing import rotated
from distillery.judging.preference import choice_schema, read_choice, shown
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote, check_votes, vote_request
from distillery.prompts import Prompt
from distillery.stages.base import AskingStage, Context, Interview, Output, computed
from distillery.stages.judge.ballots import Ballots


class _Rivals(NamedTuple):
    """A problem's answers, in an order that was drawn."""

    question: str
    answers: dict[str, str]  # by trace_id


@dataclass(frozen=True, kw_only=True)
class JudgeBest(AskingStage):
    """Shows the answers to a question, numbered, in another order for each vote, and asks for the best. Drops nothing.

    Adds `chosen` (whether it got the most votes; null where it was not shown, or nobody has the most),
    `chosen_votes`, and `best_votes`, a JSON list of the votes: `place` (its number there), `of` (answers shown),
    `chosen` (null: the reply was unreadable, cut off, or failed), `said` (where it was chosen). An answer without a rival
    is chosen without a vote. `{use: select.traces, with: {prefer: chosen}}` keeps the best.

    The judge sees the conversation and the answers, never thoughts, and no reference. Traces meet those of the same
    problem in the same shard, where generate.traces puts them; of equal answers one is shown.
    """

    engine: str
    prompt: str = "judge.best@1"
    votes: Annotated[int, Field(ge=1)] = 4
    answers: Annotated[int, Field(ge=2, le=32)] = (
        8  # of a problem that are shown at most; of more, some are drawn
    )
    accepted_only: bool = False  # show only rows whose `accepted` is true
    sampling: Sampling = Sampling(temperature=0.7, top_p=0.95, max_tokens=4096)
    answer_chars: Annotated[int, Field(ge=100)] = 4000  # of a longer answer the judge sees the end
    structured: bool = field(default=False, metadata={"identity": "changed"})  # as in judge.answers

    version = 2
    may_drop = False
    writes = {
        "chosen": pl.Boolean(),
        "chosen_votes": pl.Int32(),
        "best_votes": pl.String(),
        "best_tokens": pl.Int32(),  # that the judge wrote about the problem
    }

    def __post_init__(self) -> None:
        check_votes("judge.best", self.votes, self.sampling, orders=2)

    @computed
    def reads(self) -> tuple[str, ...]:
        needs = ("problem_id", "trace_id", "question", "answer")
        return (*needs, "accepted") if self.accepted_only else needs

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        identity, prompt = ctx.engine(self.engine).identity, ctx.prompt(self.prompt)
        fields = dict(self._fields(table, ctx.seed))
        ballots = {
            problem: self._ballot(rivals, identity, prompt, ctx.seed)
            for problem, rivals in fields.items()
            if len(rivals.answers) > 1
        }
        return Ballots(ballots, ctx, lambda votes: self._rule(table, fields, votes))

    def _fields(self, table: pl.DataFrame, run_seed: int) -> Iterator[tuple[str, _Rivals]]:
        draws = [derive_seed(run_seed, "best", trace) for trace in table["trace_id"]]
        rows = table.with_columns(pl.Series("draw", draws, dtype=pl.Int64)).sort("draw", "trace_id")
        rows = rows.filter((pl.col("answer").str.strip_chars() != "").fill_null(value=False))
        if self.accepted_only:
            rows = rows.filter(pl.col("accepted").fill_null(value=False))
        rows = rows.unique(["problem_id", "answer"], keep="first", maintain_order=True)
        for (problem,), group in rows.group_by("problem_id", maintain_order=True):
            some = group.head(self.answers).select("trace_id", "answer").iter_rows()
            payload = group["payload"][0] if "payload" in group.columns else None
            asked = conversation(group["question"][0], payload, turn_chars=self.answer_chars)
            yield str(problem), _Rivals(asked, dict(some))

    def _ballot(self, rivals: _Rivals, identity: Json, prompt: Prompt, run_seed: int) -> list[Request]:
        texts = {
            trace: shown(answer, most_chars=self.answer_chars) for trace, answer in rivals.answers.items()
        }
        schema = choice_schema(len(texts)) if self.structured else ""
        ballot: list[Request] = []
        for vote in range(self.votes):
            order = rotated(list(texts), vote=vote, votes=self.votes)
            listed = [f"## Answer {number}\n{texts[trace]}" for number, trace in enumerate(order, 1)]
            messages = prompt.render(
                question=rivals.question, count=str(len(order)), answers="\n\n".join(listed)
            )
            ballot.append(
                vote_request(identity, messages, self.sampling, run_seed=run_seed, vote=vote, schema=schema)
            )
        return ballot

    def _rule(
        self, table: pl.DataFrame, fields: Mapping[str, _Rivals], votes: Mapping[str, Sequence[Vote]]
    ) -> Output:
        rows: list[tuple[str, bool | None, int, str | None, int]] = []
        unclear = 0
        for problem, rivals in fields.items():
            if problem not in votes:
                rows += [(trace, True, 0, None, 0) for trace in rivals.answers]
                continue
            cast = votes[problem]
            read = self._read(rivals, cast)
            counts = Counter(best for _, best in read if best is not None)
            most = max(counts.values(), default=0)
            tie = [*counts.values()].count(most) != 1
            unclear += tie
            tokens = sum(vote.tokens for vote in cast)
            for trace in rivals.answers:
                entries = json.dumps(_entries(trace, read, cast), ensure_ascii=False)
                rows.append((trace, None if tie else counts[trace] == most, counts[trace], entries, tokens))
        judged = pl.DataFrame(rows, schema={"trace_id": pl.String(), **self.writes}, orient="row")
        kept = table.drop(list(self.writes), strict=False)
        kept = kept.join(judged, on="trace_id", how="left", maintain_order="left")
        metrics = {"asked": float(len(votes)), "unclear": float(unclear)}
        return Output(kept, Output.all_kept(kept).dropped, metrics)

    def _read(self, rivals: _Rivals, cast: Sequence[Vote]) -> list[tuple[list[str], str | None]]:
        """For each vote the order that the judge saw, and which trace it chose; None: unclear."""
        answers = [readable(answer)[-self.answer_chars :] for answer in rivals.answers.values()]
        read: list[tuple[list[str], str | None]] = []
        for number, vote in enumerate(cast):
            order = rotated(list(rivals.answers), vote=number, votes=self.votes)
            best = read_choice(vote.said, count=len(order), answers=answers) if vote.whole else None
            read.append((order, order[best - 1] if best else None))
        return read


def _entries(
    trace: str, read: Sequence[tuple[list[str], str | None]], cast: Sequence[Vote]
) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for (order, best), vote in zip(read, cast, strict=True):
        chosen = None if best is None else best == trace
        entry = {"place": order.index(trace) + 1, "of": len(order), "chosen": chosen}
        entries.append(entry | ({} if chosen is False else {"said": vote.said}))
    return entries
