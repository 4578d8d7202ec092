"""judge.pairs: which of two answers to a question is better, and by how much."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Annotated, Any, NamedTuple

import polars as pl
from pydantic import Field

from distillery.engines.base import Request, Sampling
from distillery.hashing import Json, derive_seed
from distillery.judging.defuse import readable
from distillery.judging.pairing import ring
from distillery.judging.preference import SCHEMA, read_preference, shown
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote, check_votes, vote_request
from distillery.prompts import Prompt
from distillery.stages.base import AskingStage, Context, Interview, Output
from distillery.stages.judge.ballots import Ballots


class _Pair(NamedTuple):
    problem: str
    question: str
    traces: tuple[str, str]
    answers: tuple[str, str]

    @property
    def name(self) -> str:
        return json.dumps(self.traces)

    def swapped(self, vote: int, run_seed: int) -> bool:
        """Whether the second one is shown first: every other vote, from a start that is drawn."""
        return (derive_seed(run_seed, "order", *self.traces) + vote) % 2 == 1


@dataclass(frozen=True, kw_only=True)
class JudgePairs(AskingStage):
    """Compares answers to the same question two by two, half of the votes with A and B exchanged. Drops nothing.

    Adds `preference`, from -2 (much worse than those that it was compared with) to 2 (much better): the mean over
    its pairs of the mean over their votes. It is null where there was no pair, or where more than half of the votes
    of each pair were unclear: unreadable, cut off, failed. `pair_votes` is a JSON list of all votes: `against` (the
    other's trace_id), `first` (whether it was shown as A), `score` (from its own side; null: unclear), `said`.

    The judge sees the conversation and the answers, never thoughts, and no reference. Traces meet those of the same
    problem in the same shard, where generate.traces puts them; of equal answers one is compared. With `pairs: 1` and two
    traces a problem it makes preference data; DeepSeek-R1's reward model was trained on pairs of 4 votes that differ by
    more than 1.
    """

    engine: str
    prompt: str = "judge.pairs@1"
    votes: Annotated[int, Field(ge=1)] = 4  # on each pair; even, so that no order is seen more often
    pairs: Annotated[int, Field(ge=1)] = (
        1  # of each problem, at most; as many as it has traces: each one in two
    )
    sampling: Sampling = Sampling(temperature=0.7, top_p=0.95, max_tokens=4096)
    answer_chars: Annotated[int, Field(ge=100)] = 8000  # of a longer answer the judge sees the end
    structured: bool = field(default=False, metadata={"identity": "changed"})  # as in judge.answers

    version = 2
    may_drop = False
    reads = ("problem_id", "trace_id", "question", "answer")
    writes = {
        "preference": pl.Float64(),
        "pair_votes": pl.String(),
        "pair_tokens": pl.Int32(),  # that the judge wrote about all its pairs
    }

    def __post_init__(self) -> None:
        check_votes("judge.pairs", self.votes, self.sampling, orders=2)

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        identity, prompt = ctx.engine(self.engine).identity, ctx.prompt(self.prompt)
        pairs = {pair.name: pair for pair in self._pairs(table, ctx.seed)}
        ballots = {name: self._ballot(pair, identity, prompt, ctx.seed) for name, pair in pairs.items()}
        return Ballots(ballots, ctx, lambda votes: self._rule(table, pairs, votes, ctx.seed))

    def _pairs(self, table: pl.DataFrame, run_seed: int) -> Iterator[_Pair]:
        draws = [derive_seed(run_seed, "pairs", trace) for trace in table["trace_id"]]
        rows = table.with_columns(pl.Series("draw", draws, dtype=pl.Int64)).sort("draw", "trace_id")
        rows = rows.filter((pl.col("answer").str.strip_chars() != "").fill_null(value=False))
        rows = rows.unique(["problem_id", "answer"], keep="first", maintain_order=True)
        for (problem,), group in rows.group_by("problem_id", maintain_order=True):
            payload = group["payload"][0] if "payload" in group.columns else None
            asked = conversation(group["question"][0], payload, turn_chars=self.answer_chars)
            traces = list(group.select("trace_id", "answer").iter_rows())
            for (one, its), (other, others) in ring(traces, most=self.pairs):
                yield _Pair(str(problem), asked, (one, other), (its, others))

    def _ballot(self, pair: _Pair, identity: Json, prompt: Prompt, run_seed: int) -> list[Request]:
        first, second = (shown(answer, most_chars=self.answer_chars) for answer in pair.answers)
        schema = SCHEMA if self.structured else ""
        ballot: list[Request] = []
        for vote in range(self.votes):
            a, b = (second, first) if pair.swapped(vote, run_seed) else (first, second)
            messages = prompt.render(question=pair.question, answer_a=a, answer_b=b)
            ballot.append(
                vote_request(identity, messages, self.sampling, run_seed=run_seed, vote=vote, schema=schema)
            )
        return ballot

    def _rule(
        self,
        table: pl.DataFrame,
        pairs: Mapping[str, _Pair],
        votes: Mapping[str, Sequence[Vote]],
        run_seed: int,
    ) -> Output:
        found: dict[str, list[dict[str, Any]]] = {}  # by trace: its votes
        means: dict[str, list[float]] = {}
        tokens: dict[str, int] = {}
        for name, cast in votes.items():
            pair = pairs[name]
            entries = self._read(pair, cast, run_seed)
            scores = [entry["score"] for entry in entries if entry["score"] is not None]
            for trace, other, sign in ((*pair.traces, 1), (*pair.traces[::-1], -1)):
                found.setdefault(trace, []).extend(_seen(entry, other, sign) for entry in entries)
                tokens[trace] = tokens.get(trace, 0) + sum(vote.tokens for vote in cast)
                if 2 * len(scores) >= len(entries):
                    means.setdefault(trace, []).append(sign * mean(scores))
        rows = [
            (
                trace,
                mean(means[trace]) if trace in means else None,
                json.dumps(entries, ensure_ascii=False),
                tokens[trace],
            )
            for trace, entries in found.items()
        ]
        judged = pl.DataFrame(rows, schema={"trace_id": pl.String(), **self.writes}, orient="row")
        kept = table.drop(list(self.writes), strict=False)
        kept = kept.join(judged, on="trace_id", how="left", maintain_order="left")
        decided = sum(map(len, means.values())) / 2
        metrics = {"asked": float(len(pairs)), "unclear": len(pairs) - decided}
        return Output(kept, Output.all_kept(kept).dropped, metrics)

    def _read(self, pair: _Pair, cast: Sequence[Vote], run_seed: int) -> list[dict[str, Any]]:
        """Each vote from the side of the pair's first one."""
        answers = [readable(answer)[-self.answer_chars :] for answer in pair.answers]
        entries: list[dict[str, Any]] = []
        for number, vote in enumerate(cast):
            swapped = pair.swapped(number, run_seed)
            score = read_preference(vote.said, answers=answers) if vote.whole else None
            if score is not None and swapped:
                score = -score
            entries.append({"first": not swapped, "score": score, "said": vote.said})
        return entries


def _seen(entry: Mapping[str, Any], other: str, sign: int) -> dict[str, Any]:
    score = None if entry["score"] is None else sign * entry["score"]
    first = entry["first"] if sign > 0 else not entry["first"]
    return {"against": other, "first": first, "score": score, "said": entry["said"]}
