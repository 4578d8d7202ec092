"""An engine that never asks twice: what the request store holds is not asked for again.

Only completions are stored. A failure is owed again by the next run, even `context_length`: the server's
limit is not part of an engine's identity and may be larger next time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

from distillery.engines.base import Completion, Engine, Feed, Intake, Reply, Request
from distillery.engines.request_store import RequestStore, Shelf
from distillery.errors import ContractError
from distillery.hashing import Json

_LOOKED_UP_AT_ONCE = 512


class Cached(Engine):
    """Replies from the store and from the engine, each stored before it is handed on.

    The feed is read a few hundred requests ahead of the engine; a model that owes nothing is never loaded.
    """

    def __init__(self, engine: Engine, store: RequestStore, *, known_as: Json = None) -> None:
        self._engine = engine
        self._store = store
        self._known_as = known_as  # a plan names the model of a stage by the stage's fingerprint
        self._open = 0  # requests that the engine has taken and not answered
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
        self._engine.keep_with(shelf.put_many)
        try:
            for request in owed:
                if request is not None:
                    for replies in self._engine.batches(chain([request], owed)):
                        completions = [reply for reply in replies if isinstance(reply, Completion)]
                        if completions and not self._engine.keeps_at_once:
                            shelf.put_many(completions)
                        self._open -= len(replies)
                        yield [*self._take_found(), *replies]
                    self._check_all_answered()
                yield self._take_found()
            yield self._take_found()
        finally:
            shelf.close()

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
                    self._open += 1
                    yield request
            if intake.paused or self._found:
                yield None

    def _check_all_answered(self) -> None:
        if self._open and not self.draining:
            raise ContractError(
                f"engine {self.identity}: ended with {self._open} requests unanswered;"
                " each gets exactly one reply"
            )

    def _take_found(self) -> list[Completion]:
        found = list(self._found)
        self._found.clear()
        return found
