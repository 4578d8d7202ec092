"""judge.pairs: which of two answers to a question is better, and by how much."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Annotated, Any, NamedTuple

import polars as pl
from pydantic import Field

from distillery.hashing import derive_seed
from distillery.judging.pairing import ring
from distillery.judging.preference import SCHEMA, read_preference, shown
from distillery.judging.votes import Vote
from distillery.stages.base import Context, Interview, Output
from distillery.stages.judge.base import ComparingJudge, Finding, Slots


class _Pair(NamedTuple):
    question: str
    traces: tuple[str, str]
    answers: tuple[str, str]
    start: int  # drawn

    def swapped(self, vote: int) -> bool:
        """Whether the second one is shown first: every other vote."""
        return (self.start + vote) % 2 == 1


@dataclass(frozen=True, kw_only=True)
class JudgePairs(ComparingJudge):
    """Compares answers to the same question two by two, half of the votes with A and B exchanged. Drops
    nothing.

    Adds `preference`, from -2 (much worse than those that it was compared with) to 2 (much better): the mean
    over its pairs of the mean over their votes. It is null where there was no pair, or where more than half
    of the votes of each pair were unclear: unreadable, cut off, failed. `pair_votes` is a JSON list of all
    votes: `against` (the other's trace_id), `first` (whether it was shown as A), `score` (from its own side;
    null: unclear), `said`.

    The judge sees the conversation and the answers, never thoughts, and no reference. Traces meet those of
    the same problem in the same shard, where generate.traces puts them; of equal answers one is compared.
    With `pairs: 1` and two traces a problem it makes preference data; DeepSeek-R1's reward model was trained
    on pairs of 4 votes that differ by more than 1. An even number of `votes` shows both orders equally often.

        - id: compared
          use: judge.pairs
          with: {engine: judge, votes: 4}
    """

    prompt: str = "judge.pairs@1"
    pairs: Annotated[int, Field(ge=1)] = 1
    """Of each problem, at most; with as many as it has traces, each one is in two."""

    version = 2
    reads = ("problem_id", "trace_id", "question", "answer")
    writes = {
        "preference": pl.Float64(),
        "pair_votes": pl.String(),
        "pair_tokens": pl.Int32(),  # that the judge wrote about all its pairs
    }
    schema = SCHEMA

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview:
        pairs = {json.dumps(pair.traces): pair for pair in self._pairs(table, ctx.seed)}
        asked = ((name, self._shown(pair)) for name, pair in pairs.items())
        return self.ask(asked, ctx, lambda votes: self._rule(table, pairs, votes))

    def _pairs(self, table: pl.DataFrame, seed: int) -> Iterator[_Pair]:
        for _, (question, answers) in self.rivals(table, seed, "pairs"):
            for one, other in ring(list(answers), most=self.pairs):
                start = derive_seed(seed, "order", one, other)
                yield _Pair(question, (one, other), (answers[one], answers[other]), start)

    def _shown(self, pair: _Pair) -> list[Slots]:
        first, second = (shown(answer, most_chars=self.answer_chars) for answer in pair.answers)
        orders = {False: (first, second), True: (second, first)}
        ballot = (orders[pair.swapped(vote)] for vote in range(self.votes))
        return [{"question": pair.question, "answer_a": a, "answer_b": b} for a, b in ballot]

    def _rule(
        self, table: pl.DataFrame, pairs: Mapping[str, _Pair], votes: Mapping[str, Sequence[Vote]]
    ) -> Output:
        means: defaultdict[str, list[float]] = defaultdict(list)
        seen: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        tokens = Counter[str]()
        unclear = 0
        for name, pair in pairs.items():
            entries = self._read(pair, votes[name])
            scores = [entry["score"] for entry in entries if entry["score"] is not None]
            clear = 2 * len(scores) >= len(entries)
            unclear += not clear
            for trace, other, sign in ((*pair.traces, 1), (*pair.traces[::-1], -1)):
                means[trace] += [sign * mean(scores)] if clear else []
                seen[trace] += [_seen(entry, other, sign) for entry in entries]
                tokens[trace] += sum(vote.tokens for vote in votes[name])
        preferences = {trace: mean(means[trace]) if means[trace] else None for trace in seen}
        written = {trace: json.dumps(entries, ensure_ascii=False) for trace, entries in seen.items()}
        found = {trace: Finding((preferences[trace], written[trace], tokens[trace])) for trace in seen}
        return self.compared(table, found, unclear=unclear)

    def _read(self, pair: _Pair, votes: Sequence[Vote]) -> list[dict[str, Any]]:
        """Each vote from the side of the pair's first one."""
        answers = [self.seen(answer) for answer in pair.answers]
        entries: list[dict[str, Any]] = []
        for number, vote in enumerate(votes):
            score, swapped = read_preference(vote.reply, answers=answers), pair.swapped(number)
            score = -score if score and swapped else score
            entries.append({"first": not swapped, "score": score, "said": vote.said})
        return entries


def _seen(entry: Mapping[str, Any], other: str, sign: int) -> dict[str, Any]:
    score = None if entry["score"] is None else sign * entry["score"]
    first = entry["first"] if sign > 0 else not entry["first"]
    return {"against": other, "first": first, "score": score, "said": entry["said"]}
