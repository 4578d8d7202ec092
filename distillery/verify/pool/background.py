"""Verdicts while other work goes on: rows in, verdicts out, in batches on the checkers' own processes."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

from distillery.records import Problem, Verdict
from distillery.verify.pool.processes import judge

Token = TypeVar("Token", bound=Hashable)


class Beside(Generic[Token]):
    """One batch is judged at a time, in a thread; what comes in meanwhile is the next batch."""

    def __init__(
        self, *, deadline_s: float = 10.0, workers: int | None = None, own: Collection[str] = ()
    ) -> None:
        self._judge = partial(judge, deadline_s=deadline_s, workers=workers, own=own)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="verify beside")
        self._waiting: list[tuple[Token, Problem, str]] = []
        self._judged: tuple[list[Token], Future[list[Verdict]]] | None = None

    @property
    def busy(self) -> bool:
        return bool(self._waiting) or self._judged is not None

    def submit(self, token: Token, problem: Problem, text: str) -> None:
        self._waiting.append((token, problem, text))

    def take(self) -> list[tuple[Token, Verdict]]:
        """What is judged by now; starts the next batch. Raises what the checkers' pool raised."""
        done: list[tuple[Token, Verdict]] = []
        if self._judged is not None and self._judged[1].done():
            tokens, verdicts = self._judged
            self._judged = None
            done = list(zip(tokens, verdicts.result(), strict=True))
        if self._judged is None and self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [(problem, text) for _, problem, text in batch]
            self._judged = [token for token, _, _ in batch], self._thread.submit(self._judge, rows)
        return done

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)
