"""An engine that never asks twice: what the request store holds is not asked for again.

Only completions are stored. A failure is owed again by the next run, even `context_length`: the server's limit
is not part of an engine's identity and may be larger next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

from distillery.engines.base import Completion, Engine, Failure, InBatches, Request
from distillery.engines.requests import RequestStore
from distillery.hashing import Json

_READ_AT_ONCE = 512  # stored completions held in memory at a time


class Cached:
    """Replies from the store come first, then the engine's, each stored before it is handed on."""

    def __init__(self, engine: Engine, store: RequestStore, *, known_as: Json = None) -> None:
        self._engine = engine
        self._store = store
        self._known_as = known_as  # a plan names the model of a stage by the stage's fingerprint

    @property
    def identity(self) -> Json:
        return self._engine.identity if self._known_as is None else self._known_as

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Failure]:
        shelf = self._store.shelf(self.identity)
        try:
            owed: list[Request] = []
            for start in range(0, len(requests), _READ_AT_ONCE):
                some = requests[start : start + _READ_AT_ONCE]
                stored = shelf.get_many([request.key for request in some])
                owed += [request for request in some if request.key not in stored]
                yield from stored.values()
            for replies in self._ask(owed):
                if completions := [reply for reply in replies if isinstance(reply, Completion)]:
                    shelf.put_many(completions)
                yield from replies
        finally:
            shelf.close()

    def close(self) -> None:
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _ask(self, owed: Sequence[Request]) -> Iterator[Sequence[Completion | Failure]]:
        """In the engine's own groups, which are stored whole or not at all."""
        if not owed:
            return iter(())  # a model that owes nothing is never loaded
        if isinstance(self._engine, InBatches):
            return self._engine.batches(owed)
        return ((reply,) for reply in self._engine.generate(owed))
