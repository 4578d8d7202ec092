"""Votes of a judge about one shard: several on each matter, a question that two matters share asked once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from distillery.engines.base import Failure, Messages, Reply, Request, Sampling, request_key
from distillery.errors import ConfigError
from distillery.hashing import Json, derive_seed, digest
from distillery.stages.base import Context, Output


@dataclass(frozen=True, slots=True)
class Vote:
    said: str  # the judge's words, or why there are none
    whole: bool  # false: the request failed or the reply was cut off; nothing can be read from it
    tokens: int  # that the judge wrote

    @classmethod
    def of(cls, reply: Reply) -> Vote:
        if isinstance(reply, Failure):
            return cls(f"{reply.kind}: {reply.message}", whole=False, tokens=reply.completion_tokens)
        return cls(reply.text, whole=reply.finish == "stop", tokens=reply.completion_tokens)


Rule = Callable[[Mapping[str, Sequence[Vote]]], Output]


def vote_request(
    identity: Json, messages: Messages, sampling: Sampling, *, run_seed: int, vote: int, schema: str = ""
) -> Request:
    seed = derive_seed(run_seed, digest([list(turn) for turn in messages]), vote)
    key = request_key(identity, messages, sampling, seed, vote, schema=schema)
    return Request(key, messages, sampling, seed, schema=schema)


def check_votes(where: str, votes: int, sampling: Sampling, *, orders: int = 1) -> None:
    """At temperature 0 a second vote on the same text is the first one again."""
    if votes > orders and sampling.temperature == 0:
        raise ConfigError(
            f"{where}: votes is {votes} at temperature 0, which is "
            f"{'one vote' if orders == 1 else f'{orders} votes'}; raise sampling.temperature"
        )


class Ballots:
    """An interview. `ballots`: the requests about each matter; `rule` makes the output of all votes, by matter."""

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
        output.metrics.update(prompt_tokens=float(self._tokens[0]), completion_tokens=float(self._tokens[1]))
        return output

    def close(self) -> None: ...
