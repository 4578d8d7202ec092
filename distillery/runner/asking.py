"""Carries requests from stages to engines and replies back, over all shards of a step at once.

The engine is kept busy from one shard to the next: a straggler holds up its own shard's file and nothing
else. A shard is written as soon as its last reply is weighed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from distillery.engines import Completion, Engine, Reply, Request
from distillery.errors import StoppedError

if TYPE_CHECKING:
    from distillery.stages.base import AskingStage, Context, Interview, Output

STALL_S = 300.0  # without any reply, after which a person should hear of it
_TURN_S = 10.0  # of an engine that reads on and on, after which a person should hear of it
_READS = 100  # of a feed that has nothing, in a row: an engine gives its turn after the first
_OPEN_AT_MOST = 64  # shards whose replies are held in memory
_PAUSE_S = 0.01  # between two looks at what is being weighed


@dataclass(slots=True)
class _Shard:
    number: int
    table: pl.DataFrame
    interview: Interview
    asked: list[str] = field(default_factory=list)  # keys of its requests


@dataclass(slots=True)
class _Waiting:
    """One request in flight; a question that two shards ask is asked once."""

    request: Request
    since: float
    shards: list[_Shard]


class Conversation:
    """A step's shards with its engine. `read` gives a shard's rows, `write` takes its output and requests'
    keys."""

    def __init__(
        self,
        stage: AskingStage,
        ctx: Context,
        engine: Engine,
        *,
        read: Callable[[int], pl.DataFrame],
        write: Callable[[int, pl.DataFrame, Output, Sequence[str]], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._stage, self._ctx, self._engine = stage, ctx, engine
        self._read, self._write, self._stopping = read, write, stopping
        self._open: dict[int, _Shard] = {}
        self._waiting: dict[str, _Waiting] = {}  # by key, oldest first
        self._most_open = _OPEN_AT_MOST if engine.independent else 1
        self._heard_at = time.monotonic()
        self._drained = False
        self._reads = 0  # in a row, of a feed that had nothing
        self._turn_at = time.monotonic()  # when the engine last gave its turn
        self._reckoned = False  # it was said that tokens are

    def hold(self, shards: Iterator[int]) -> None:
        """To the end, or until told to stop: then what is in flight is heard and stored, and, unless that was
        all there was, `StoppedError` raised."""
        self._engine.tell_with(self._ctx.alarm)
        try:
            for replies in self._engine.batches(self._feed(shards)):
                self._reads, self._turn_at = 0, time.monotonic()
                for reply in replies:
                    self._hear(reply)
                self._look(idle=not replies)
                self._write_finished()
            self._write_finished()
            if self._drained and (self._open or next(shards, None) is not None):
                raise StoppedError(f"{len(self._open)} shards are under way; their completions are stored")
        finally:
            for shard in self._open.values():
                shard.interview.close()

    def _feed(self, shards: Iterator[int]) -> Iterator[Request | None]:
        more = True
        while more or self._open:
            request = self._next_due()
            if request is None and more and len(self._open) < self._most_open:
                number = next(shards, None)
                more = number is not None
                if number is not None:
                    table = self._read(number)
                    self._open[number] = _Shard(number, table, self._stage.interview(table, self._ctx))
                continue
            self._write_finished()
            if request is None:
                self._wait_for_turn()
            yield request

    def _wait_for_turn(self) -> None:
        """Of an engine that reads on where there is nothing, as `list(requests)` would without an end."""
        self._reads += 1
        if self._reads > _READS:
            time.sleep(_PAUSE_S)
            self._drain_if_told()
            now = time.monotonic()
            if now - self._turn_at > _TURN_S:
                self._turn_at = now + STALL_S  # to be said again only then
                said = f"its engine read on {self._reads} times where there was nothing to ask"
                right = "`batches` would `yield []` where the feed gives None, and not read all of it at once"
                self._ctx.alarm(f"{said}, and gives no turn; {right}")

    def _next_due(self) -> Request | None:
        """From the oldest shard that has one; a question that is in flight is joined, not asked again."""
        for shard in self._open.values():
            while request := shard.interview.due():
                shard.asked.append(request.key)
                same = self._waiting.get(request.key)
                if same is None:
                    self._waiting[request.key] = _Waiting(request, time.monotonic(), [shard])
                    return request
                same.shards.append(shard)
        return None

    def _hear(self, reply: Reply) -> None:
        self._heard_at = time.monotonic()
        if not self._reckoned and isinstance(reply, Completion) and (why := reply.meta.get("reckoned")):
            self._reckoned = True
            self._ctx.alarm(f"tokens are reckoned from the characters of some replies: {why}")
        for shard in self._waiting.pop(reply.key).shards:
            shard.interview.hear(reply)

    def _look(self, *, idle: bool) -> None:
        """Passes on the wish to stop, says when nothing comes any more, and lets checkers work."""
        self._drain_if_told()
        if idle and self._waiting:
            self._watch()
        elif idle:
            time.sleep(_PAUSE_S)

    def _drain_if_told(self) -> None:
        if self._stopping() and not self._drained:
            self._drained = True
            self._engine.drain()

    def _watch(self) -> None:
        now, oldest = time.monotonic(), next(iter(self._waiting.values()))
        if now - max(self._heard_at, oldest.since) > STALL_S:
            question = " ".join(oldest.request.messages[-1][1].split())[:80]
            first = f"the oldest for {now - oldest.since:.0f} s: {question!r}"
            waits = f"{len(self._waiting)} requests are open, {first}"
            self._ctx.alarm(f"no completion for {now - self._heard_at:.0f} s; {waits}")
            self._heard_at = now

    def _write_finished(self) -> None:
        for number in [n for n, shard in self._open.items() if shard.interview.finished]:
            shard = self._open.pop(number)
            output = shard.interview.output()
            shard.interview.close()
            self._write(number, shard.table, output, shard.asked)
