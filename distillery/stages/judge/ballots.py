"""Votes of a judge about one shard: several on each matter, a question that two matters share asked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from distillery.engines.base import Reply, Request
from distillery.judging.votes import Vote
from distillery.stages.base import Context, Output

Rule = Callable[[Mapping[str, Sequence[Vote]]], Output]


class Ballots:
    """An interview. `ballots`: requests about each matter; `rule` makes the output of its votes."""

    def __init__(self, ballots: Mapping[str, Sequence[Request]], ctx: Context, rule: Rule) -> None:
        self._ctx, self._rule = ctx, rule
        self._keys = {matter: [request.key for request in asked] for matter, asked in ballots.items()}
        self._ready = {request.key: request for asked in ballots.values() for request in asked}
        self._owed = len(self._ready)
        self._heard: dict[str, Vote] = {}
        self._tokens = (0, 0)  # of the prompts, of the replies

    def due(self) -> Request | None:
        return self._ready.pop(next(iter(self._ready))) if self._ready else None

    def hear(self, reply: Reply) -> None:
        self._heard[reply.key] = Vote.of(reply)
        read, said = reply.prompt_tokens, reply.completion_tokens
        self._tokens = self._tokens[0] + read, self._tokens[1] + said
        self._ctx.progress(rows=1, tokens=said, prompt_tokens=read)

    @property
    def finished(self) -> bool:
        return len(self._heard) == self._owed

    def output(self) -> Output:
        votes = {matter: [self._heard[key] for key in keys] for matter, keys in self._keys.items()}
        output = self._rule(votes)
        asked, (read, said) = len(votes), self._tokens
        output.metrics.update(asked=float(asked), prompt_tokens=float(read), completion_tokens=float(said))
        return output

    def close(self) -> None: ...
