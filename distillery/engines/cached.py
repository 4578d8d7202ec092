"""An engine that never asks twice: what the request store holds is not asked for again.

Only completions are stored. A failure is owed again by the next run, even `context_length`: the server's
limit is not part of an engine's identity and may be larger next time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from distillery.engines.base import Completion, Engine, Feed, Intake, Reply, Request, Tell
from distillery.engines.reply_faults import group_fault, reply_fault
from distillery.engines.request_store import RequestStore, Shelf
from distillery.errors import DistilleryError, broken_promise
from distillery.hashing import Json

_LOOKED_UP_AT_ONCE = 512
ReplyT = TypeVar("ReplyT", bound=Reply)


class Cached(Engine):
    """Replies from the store and from the engine, each stored before it is handed on.

    The feed is read a few hundred requests ahead of the engine; a model that owes nothing is never loaded.
    What the engine gives is looked at first: one reply for each request, such as can be stored. `name` and
    `kind` are those of the pipeline, for errors.
    """

    def __init__(
        self, engine: Engine, store: RequestStore, *, known_as: Json = None, name: str = "", kind: str = ""
    ) -> None:
        self._engine = engine
        self._store = store
        self._known_as = known_as  # a plan names the model of a stage by the stage's fingerprint
        self._called = f"engine {name or self.identity} ({kind or type(engine).__name__})"
        self._kind = kind
        self._open = Counter[str]()  # keys of requests that the engine has taken and not answered
        self._found: deque[Completion] = deque()

    @property
    def identity(self) -> Json:
        return self._engine.identity if self._known_as is None else self._known_as

    @property
    def independent(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._engine.independent

    def batches(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        shelf = self._store.shelf(self.identity)
        owed = self._owed(requests, shelf)
        self._engine.keep_with(lambda replies: shelf.put_many(_completions(self._whole(replies))))
        try:
            for request in owed:
                if request is not None:
                    for replies in self._checked(chain([request], owed)):
                        completions = _completions(replies)
                        if completions and not self._engine.keeps_at_once:
                            shelf.put_many(completions)
                        self._answered(replies)
                        yield [*self._take_found(), *replies]
                    self._check_all_answered()
                yield self._take_found()
            yield self._take_found()
        finally:
            shelf.close()

    def tell_with(self, tell: Tell) -> None:
        self._engine.tell_with(tell)

    def drain(self) -> None:
        super().drain()
        self._engine.drain()

    def close(self) -> None:
        self._engine.close()

    def _owed(self, requests: Feed, shelf: Shelf) -> Iterator[Request | None]:
        """What the store lacks. None also where it had something: the caller hears of that before more is
        read."""
        intake = Intake(requests)
        while not intake.ended and not self.draining:
            block: list[Request] = []
            for request in intake.take(lambda: not self.independent or len(block) < _LOOKED_UP_AT_ONCE):  # noqa: B023
                block.append(request)  # noqa: PERF402
            stored = shelf.get_many([request.key for request in block]) if block else {}
            self._found.extend(stored.values())
            for request in block:
                if request.key not in stored and not self.draining:
                    self._open[request.key] += 1
                    yield request
            if intake.paused or self._found:
                yield None

    def _checked(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        groups: Any = self._engine.batches(requests)
        if not hasattr(groups, "__iter__"):
            raise self._broke(f"batches gives {groups!r:.80}; it would yield lists of replies")
        for replies in groups:
            yield self._whole(replies)

    def _whole(self, replies: Sequence[ReplyT]) -> Sequence[ReplyT]:
        """`replies`, if all of them can be stored and were asked for."""
        if fault := group_fault(replies) or next(filter(None, map(reply_fault, replies)), None):
            raise self._broke(fault)
        for key, times in Counter(reply.key for reply in replies).items():
            if times > self._open[key]:
                raise self._broke(f"a reply to {key!r}, which it was not asked or has answered already")
        return replies

    def _answered(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            self._open[reply.key] -= 1
            if not self._open[reply.key]:
                del self._open[reply.key]

    def _check_all_answered(self) -> None:
        if self._open and not self.draining:
            raise self._broke(
                f"ended with {self._open.total()} requests unanswered; each gets exactly one reply"
            )

    def _broke(self, said: str) -> DistilleryError:
        return broken_promise(self._kind, f"{self._called}: {said}")

    def _take_found(self) -> list[Completion]:
        found = list(self._found)
        self._found.clear()
        return found


def _completions(replies: Sequence[Reply]) -> list[Completion]:
    return [reply for reply in replies if isinstance(reply, Completion)]
