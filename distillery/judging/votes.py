"""A vote: one request to a judge about one matter, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from distillery.engines.base import Failure, Messages, Reply, Request, Sampling, request_key
from distillery.errors import ConfigError
from distillery.hashing import Json, derive_seed, digest


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

    @property
    def reply(self) -> str:
        """What can be read; "" where nothing can."""
        return self.said if self.whole else ""


def ballot(
    identity: Json, shown: Iterable[Messages], sampling: Sampling, *, run_seed: int, schema: str = ""
) -> list[Request]:
    """A request for each vote, of what the judge is shown for it."""
    requests: list[Request] = []
    for vote, messages in enumerate(shown):
        seed = derive_seed(run_seed, digest([list(turn) for turn in messages]), vote)
        key = request_key(identity, messages, sampling, seed, vote, schema=schema)
        requests.append(Request(key, messages, sampling, seed, schema=schema))
    return requests


def check_votes(where: str, votes: int, sampling: Sampling, *, orders: int = 1) -> None:
    """At temperature 0 a second vote on the same text is the first one again."""
    if votes > orders and sampling.temperature == 0:
        real = "one vote" if orders == 1 else f"{orders} votes"
        said = f"votes is {votes} at temperature 0, which is {real}; raise sampling.temperature"
        raise ConfigError(f"{where}: {said}")
