"""The seam between the factory and every model runtime."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, runtime_checkable

from distillery.hashing import Json, digest

Messages = tuple[tuple[str, str], ...]  # (role, content), hashable on purpose


@dataclass(frozen=True, slots=True)
class Sampling:
    """R1's published defaults: T 0.6, top-p 0.95 (README of DeepSeek-R1)."""

    temperature: float = 0.6
    top_p: float = 0.95
    max_tokens: int = 8192
    stop: tuple[str, ...] = ()

    def json(self) -> dict[str, Json]:
        return {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "stop": list(self.stop),
        }


@dataclass(frozen=True, slots=True)
class Request:
    key: str  # from `request_key`; comes back on the reply
    messages: Messages
    sampling: Sampling
    seed: int


def request_key(identity: Json, messages: Messages, sampling: Sampling, seed: int, sample: int) -> str:
    """The name of one completion, from all and only what can change it; never the endpoint or a secret."""
    return digest([identity, [list(turn) for turn in messages], sampling.json(), seed, sample], length=32)


@dataclass(frozen=True, slots=True)
class Completion:
    key: str
    text: str  # normal form: a separate reasoning field is already joined as <think>...</think>
    finish: str  # "stop" | "length"
    prompt_tokens: int
    completion_tokens: int
    meta: dict[str, Any] = field(default_factory=dict)  # seconds, endpoint, prefilled; never part of a key


@dataclass(frozen=True, slots=True)
class Failure:
    key: str
    kind: str  # "context_length" | "refused" | "transport" | "rate_limit" | "empty" | "malformed"
    message: str


class Engine(Protocol):
    """Answers requests, in any order, exactly one reply for each key.

    A request that cannot be answered is a `Failure`; an engine that cannot be used raises `EngineError`.
    `identity` holds all and only what can change a completion, and is known before anything is loaded. It is an
    object whose "model" names model and revision. The runtime is no part of it: a model answers under the same
    keys in process and behind a server.
    """

    @property
    def identity(self) -> Json: ...
    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Failure]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


@runtime_checkable
class InBatches(Protocol):
    """An engine whose replies come in groups; each is stored in one transaction.

    An offline engine needs it to be repeatable: what is left of a killed run forms the batches, and so draws the
    samples, that the whole run would have. For a server it saves transactions.
    """

    def batches(self, requests: Sequence[Request]) -> Iterator[Sequence[Completion | Failure]]: ...
