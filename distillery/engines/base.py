"""The seam between the factory and every model runtime."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from distillery.hashing import Json, digest

Messages = tuple[tuple[str, str], ...]  # (role, content), hashable on purpose


@dataclass(frozen=True, slots=True)
class Sampling:
    """R1's published defaults: T 0.6, top-p 0.95 (README of DeepSeek-R1).

    `cut_loops` ends a text that only repeats itself (`distillery.engines.loops`); its finish is then "loop".
    """

    temperature: Annotated[float, Field(ge=0)] = 0.6
    """0: always the likeliest token."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Share of the probability that is drawn from."""
    max_tokens: Annotated[int, Field(ge=1)] = 8192
    """Tokens that a completion may have."""
    stop: tuple[str, ...] = ()
    """Texts that end a completion."""
    cut_loops: bool = field(default=False, metadata={"identity": "changed"})
    """End a text that only repeats itself; its finish is then `loop`."""

    def json(self) -> dict[str, Json]:
        said: dict[str, Json] = {"temperature": self.temperature, "top_p": self.top_p}
        said |= {"max_tokens": self.max_tokens, "stop": list(self.stop)}
        return said | ({"cut_loops": True} if self.cut_loops else {})


@dataclass(frozen=True, slots=True)
class Request:
    key: str  # from `request_key`; comes back on the reply
    messages: Messages
    sampling: Sampling
    seed: int
    begun: str = ""  # text of the assistant's turn to go on from; the reply is what comes after it
    schema: str = ""  # a JSON schema, as JSON, that the reply is held to; an EngineError where it cannot be


def request_key(
    identity: Json,
    messages: Messages,
    sampling: Sampling,
    seed: int,
    sample: int,
    *,
    begun: str = "",
    schema: str = "",
) -> str:
    """The name of one completion, from all and only what can change it; never the endpoint or a secret."""
    parts: list[Json] = [identity, [list(turn) for turn in messages], sampling.json(), seed, sample]
    if begun:
        parts.append(begun)
    if schema:
        parts.append({"schema": schema})
    return digest(parts, length=32)


@dataclass(frozen=True, slots=True)
class Completion:
    key: str
    text: str  # normal form: a separate reasoning field is already joined as <think>...</think>
    finish: str  # "stop" | "length" | "loop"
    prompt_tokens: int
    completion_tokens: int
    # seconds, endpoint, prefilled; `reckoned`: why its tokens are so from its characters; never part of a key
    meta: dict[str, Any] = field(default_factory=dict)


class FailureKind(StrEnum):
    """Why a request has no completion. Refused, too long, calling a tool or without a thought, it would fail
    again in the same way."""

    TRANSPORT = "transport"
    """Connection, time-out, status 5xx."""
    RATE_LIMIT = "rate_limit"
    """The server asked for fewer requests to the end."""
    MALFORMED = "malformed"
    """A reply that cannot be read, or a request that the server cannot read."""
    CONTEXT_LENGTH = "context_length"
    """Prompt and answer do not fit the model."""
    REFUSED = "refused"
    """By a content filter."""
    EMPTY = "empty"
    """A reply without a text."""
    UNFINISHED = "unfinished"
    """A reply that the server does not say it has finished."""
    TOOL_CALL = "tool_call"
    """A call of a tool in the place of an answer."""
    NO_REASONING = "no_reasoning"
    """A model that must think gave no thought."""


@dataclass(frozen=True, slots=True)
class Failure:
    key: str
    kind: FailureKind
    message: str
    prompt_tokens: int = 0  # paid for, though nothing came of it
    completion_tokens: int = 0


Reply = Completion | Failure
Feed = Iterable[Request | None]  # None: nothing to ask right now; ask for the next one a little later
Keep = Callable[[Sequence[Completion]], None]
Tell = Callable[[str], None]
MOST_TOKENS = 2**31 - 1  # of one prompt or completion; more is no count


class Engine(ABC):
    """Answers requests, in any order, exactly one reply for each key.

    A request that cannot be answered is a `Failure`; an engine that cannot be used raises `EngineError`.
    """

    independent: ClassVar[bool] = True
    """Whether a reply depends on its own request alone. If not, requests come in rounds: the next one is
    asked for when this one is answered, so that a killed run, continued, forms the same rounds."""

    keeps_at_once: ClassVar[bool] = False
    """Whether it calls `keep` itself, the moment a completion is there, and only then asks for the next
    one."""

    keep: Keep | None = None

    @property
    @abstractmethod
    def identity(self) -> Json:
        """All and only what can change a completion, known before anything is loaded.

        An object whose "model" names model and revision. The runtime is no part of it: a model answers under
        the same keys in process and behind a server.
        """

    @abstractmethod
    def batches(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        """Replies in the groups in which they arrived; each group is stored in one transaction.

        Requests are taken as they can be served, never all at once. When the feed gives None and nothing has
        arrived, the group is empty: the caller's turn. The feed is only ever asked in the caller's own
        thread.
        """

    def keep_with(self, keep: Keep) -> None:
        """Where completions are to be stored, if the engine does it itself; called before `batches`."""
        object.__setattr__(self, "keep", keep)  # engines are frozen dataclasses

    tell: Tell | None = None

    def tell_with(self, tell: Tell) -> None:
        """Where to say what a person should look at: a long wait, a server that does not count."""
        object.__setattr__(self, "tell", tell)

    draining = False

    def drain(self) -> None:
        """Only what is begun or queued is finished; `batches` then ends, with requests unanswered."""
        object.__setattr__(self, "draining", True)

    def close(self) -> None:  # noqa: B027
        """Gives memory and processes back."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Intake:
    """A feed, read as far as there is room."""

    def __init__(self, feed: Feed) -> None:
        self._feed = iter(feed)
        self.paused = False  # the feed had nothing to ask when it was last read
        self.ended = False

    def take(self, room: Callable[[], bool]) -> Iterator[Request]:
        """Requests until there is no room or the feed pauses or ends; one is dealt with before the next is
        read."""
        self.paused = False
        while not (self.paused or self.ended) and room():
            try:
                request = next(self._feed)
            except StopIteration:
                self.ended = True
            else:
                self.paused = request is None
                if request:
                    yield request


def rounds(requests: Feed) -> Iterator[list[Request]]:
    """What the feed gives without a pause, for engines that are not `independent`; empty where it pauses."""
    found: list[Request] = []
    for request in requests:
        if request is not None:
            found.append(request)
            continue
        yield found
        found = []
    if found:
        yield found
