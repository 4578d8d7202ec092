"""The event loop behind `OpenAIServer`: keeps a number of requests in flight, without barriers.

A slot that becomes free is filled at once, first with what is due again, then with what is new. A request
that waits to be tried again holds no slot. A fault of an endpoint is not a fault of the request: it goes
elsewhere, or waits until an endpoint answers again.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections import deque
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Self

from distillery.backoff import Backoff
from distillery.engines.base import Completion, Failure, FailureKind, Reply, Request
from distillery.engines.openai.concurrency import Climb, Load
from distillery.engines.openai.endpoints import Endpoint, Fleet
from distillery.engines.openai.http_client import Client, allow_many_connections
from distillery.engines.openai.replies import Fault, Said, read_reply
from distillery.errors import EngineError
from distillery.hashing import derive_seed

if TYPE_CHECKING:
    from distillery.engines.openai.options import OpenAIOptions

_BACKOFF = Backoff(0.5, 60.0)
_WINDOW_S = 2.0  # between two looks of `concurrency: auto`
_SILENT_PROBES = 3  # in a row without an answer, after which what is in flight there goes elsewhere
_LONG_S = 30.0  # of a wait that a person should hear of
_EMPTY_AGAIN = 2  # times that an empty reply, which was paid for, is asked for again
_OTHERS_FAULTS = 50  # attempts lost to endpoints that were down, after which the request is suspect after all
_AHEAD = 64  # requests ready to start beside as many as are in flight


@dataclass(order=True, slots=True)
class _Attempt:
    due: float  # monotonic seconds
    request: Request = field(compare=False)
    failed: int = field(default=0, compare=False)  # attempts before this one that were the request's own
    tries: int = field(default=1, compare=False)
    paid: tuple[int, int] = field(default=(0, 0), compare=False)  # tokens of attempts that came to nothing


class Service:
    """One call's requests. Public methods belong to the caller's thread, the others to the loop's."""

    def __init__(self, engine: OpenAIOptions) -> None:
        self._engine = engine
        self._fleet = Fleet(engine.urls)
        self._climb = Climb() if engine.concurrency == "auto" else None
        self._unkept: list[Reply] = []  # heard in this turn of the loop
        self._fresh: deque[_Attempt] = deque()
        self._again: list[_Attempt] = []  # a heap
        self._running: dict[asyncio.Task[None], tuple[Endpoint, _Attempt]] = {}
        self.said: SimpleQueue[str] = SimpleQueue()  # what a person should hear
        self._replies: SimpleQueue[Reply | int] = SimpleQueue()  # a number: so many were given up
        self._error: BaseException | None = None
        self._last_words: BaseException | None = None  # the error to come, once what is in flight is heard
        self._heard, self._tokens, self._since = 0, 0, monotonic()  # replies of this window
        self._alone_since: float | None = None  # since when no endpoint answers
        self._timer: asyncio.TimerHandle | None = None
        self.outstanding = 0  # submitted, and not yet handed on by `arrived`
        self.draining = False

    # -- the caller's side

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        name = f"requests to {self._engine.model}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    @property
    def target(self) -> int:
        wanted = self._engine.concurrency
        return self._climb.target if self._climb else int(wanted)

    @property
    def room(self) -> bool:
        return not self.draining and self.outstanding < 2 * self.target + _AHEAD

    def submit(self, request: Request) -> None:
        self._fresh.append(_Attempt(0.0, request))
        self.outstanding += 1

    def begin(self) -> None:
        """Wakes the loop to what was submitted."""
        if self._fresh and not self._error:
            self._loop.call_soon_threadsafe(self._fill)

    def arrived(self, patience_s: float) -> list[Reply]:
        """What has arrived, after at most `patience_s`; raises what made the endpoints unusable."""
        group: list[Reply] = []
        try:
            reply = self._replies.get(timeout=patience_s) if patience_s else self._replies.get_nowait()
            while True:
                if isinstance(reply, int):
                    self.outstanding -= reply
                else:
                    group.append(reply)
                reply = self._replies.get_nowait()
        except Empty:
            pass
        self.outstanding -= len(group)
        if self._error and not group:
            raise self._error
        return group

    def drain(self) -> None:
        """Requests that have not begun are given up; those in flight come to their end, once each."""
        self.draining = True
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._give_up)

    # -- the loop's side

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001  whatever it is, the caller's thread raises it
            self._break(error)

    async def _serve(self) -> None:
        allow_many_connections()
        async with Client(self._engine) as self._client:
            try:
                await self._greet()
                looks = [self._keep_well()] + ([self._keep_climbing()] if self._climb else [])
                watching = [asyncio.create_task(look) for look in looks]
                for task in watching:
                    task.add_done_callback(self._ended)
                self._greeted = True
                self._fill()
                await self._over.wait()
                for task in (*watching, *self._running):
                    task.cancel()
                await asyncio.gather(*watching, *self._running, return_exceptions=True)
            finally:
                if self._timer:
                    self._timer.cancel()

    _greeted = False
    _client: Client

    def _break(self, error: BaseException) -> None:
        self._error = self._error or error
        self._replies.put(0)

    def _give_up(self) -> None:
        dropped = len(self._fresh) + len(self._again)
        self._fresh.clear()
        self._again.clear()
        self._replies.put(dropped)

    def _fill(self) -> None:
        """Fills the free slots, with what is due again before what is new."""
        if self._last_words and not (self._running or self._unkept):
            self._break(self._last_words)
        if not self._greeted or self._error or self._last_words or self._over.is_set():
            return
        now = monotonic()
        while len(self._running) + len(self._unkept) < self.target and self._is_due(now):
            endpoint = self._fleet.choose(now)
            if endpoint is None:
                break
            again = self._again and self._again[0].due <= now
            attempt = heapq.heappop(self._again) if again else self._fresh.popleft()
            task = self._loop.create_task(self._try(endpoint, attempt))
            self._running[task] = (endpoint, attempt)
            task.add_done_callback(self._ended)
        self._set_timer(now)

    def _is_due(self, now: float) -> bool:
        return bool(self._fresh) or bool(self._again and self._again[0].due <= now)

    def _set_timer(self, now: float) -> None:
        """For the moment when a waiting request or a resting endpoint is due, if a slot is free."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if len(self._running) >= self.target or not (self._again or self._fresh):
            return
        waits = [self._again[0].due - now] if self._again else []
        rest = self._fleet.next_change(now)
        waits += [rest] if rest is not None else []
        if wait := min((w for w in waits if w > 0), default=None):
            self._timer = self._loop.call_later(wait, self._fill)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and (error := task.exception()):
            if isinstance(error, EngineError):
                self._last_words = self._last_words or error
            else:
                self._break(error)
        if not self._unkept:  # else `_keep` does it
            self._fill()

    async def _try(self, endpoint: Endpoint, attempt: _Attempt) -> None:
        request, began = attempt.request, monotonic()
        endpoint.begins(began)
        try:
            said = await self._client.ask(endpoint, request)
        finally:
            endpoint.running -= 1
        endpoint.heard(monotonic())
        reply = said if isinstance(said, Fault) else self._read(request, said)
        if not isinstance(said, Fault):
            endpoint.works()
            self._alone_since = None
            self._heard += 1
            self._tokens += said.tokens[1] or 0
        if isinstance(reply, Fault):
            self._fail(endpoint, attempt, reply)
            return
        if isinstance(reply, Completion):
            reply.meta.update(seconds=round(monotonic() - began, 3), endpoint=endpoint.place)
        self._deliver(reply)

    def _read(self, request: Request, said: Said) -> Reply | Fault:
        try:
            return read_reply(
                request, said, prefilled=self._engine.prefilled, must_think=self._engine.must_think
            )
        except Exception as error:  # noqa: BLE001  a text that nothing can be made of is that request's failure
            return Fault(FailureKind.MALFORMED, f"unreadable reply: {type(error).__name__}: {error}")

    def _fail(self, endpoint: Endpoint, attempt: _Attempt, fault: Fault) -> None:
        now = monotonic()
        if fault.out_of_use:
            raise self._client.unusable(endpoint, f"{fault.out_of_use} ({fault.message})")
        if fault.kind is FailureKind.TRANSPORT:
            endpoint.fails(now, fault.message, gone=fault.gone)
            if self._fleet.all_down and self._alone_since is None:
                self._alone_since = now
        if fault.kind is FailureKind.RATE_LIMIT:
            endpoint.limits(now, min(fault.wait_s or 0.0, _BACKOFF.longest_s))
            if self._climb:
                self._climb.refused(now)
        failed = attempt.failed + (not (fault.gone and endpoint.tripped))  # it is the endpoint that is down
        retries = self._engine.max_retries
        most = min(retries, _EMPTY_AGAIN) if fault.kind is FailureKind.EMPTY else retries
        left = failed <= most and attempt.tries < retries + _OTHERS_FAULTS
        paid = (attempt.paid[0] + fault.paid[0], attempt.paid[1] + fault.paid[1])
        if fault.again and left and not self.draining:
            jitter = Random(derive_seed(attempt.request.key, failed)).uniform(0.5, 1.0)
            wait_s = max(_BACKOFF.wait_s(max(1, failed)) * jitter, (fault.wait_s or 0.0) * (1 + jitter / 10))
            self._say_long_wait(endpoint, now, fault.wait_s or 0.0)
            again = _Attempt(now + wait_s, attempt.request, failed, attempt.tries + 1, paid)
            heapq.heappush(self._again, again)
            return
        self._deliver(Failure(attempt.request.key, fault.kind, fault.message, *paid))

    def _say_long_wait(self, endpoint: Endpoint, now: float, wait_s: float) -> None:
        """Of many requests that wait for one endpoint, once."""
        if wait_s >= _LONG_S and now >= endpoint.told_until:
            endpoint.told_until = now + wait_s
            self.said.put(f"{endpoint.place} asks to be left alone for {wait_s:.0f} s (Retry-After)")

    def _deliver(self, reply: Reply) -> None:
        """Its slot is not free before it is stored, so that a kill never costs more than what is in
        flight."""
        if not self._unkept:
            self._loop.call_soon(self._keep)  # one transaction for all that this turn of the loop brings
        self._unkept.append(reply)

    def _keep(self) -> None:
        replies, self._unkept = self._unkept, []
        completions = [reply for reply in replies if isinstance(reply, Completion)]
        if self._engine.keep and completions:
            try:
                self._engine.keep(completions)
            except Exception as error:  # noqa: BLE001  what is neither kept nor handed on would be waited for for ever
                self._break(error)
                return
        for reply in replies:
            self._replies.put(reply)
        self._fill()

    # -- endpoints

    async def _greet(self) -> None:
        """Every endpoint is asked whether it is there; work begins when one is."""
        found = await asyncio.gather(*(self._client.probe(endpoint) for endpoint in self._fleet.endpoints))
        now = monotonic()
        for endpoint, fault in zip(self._fleet.endpoints, found, strict=True):
            if fault:
                endpoint.rests(now, fault)
        if self._fleet.all_down:
            worst = self._fleet.endpoints[0]
            raise self._client.unusable(worst, f"gives no answer ({worst.last_fault})")

    async def _keep_well(self) -> None:
        """Probes endpoints whose rest is over; gives up when none has answered for `patience_s`."""
        while True:
            await asyncio.sleep(0.25)
            now = monotonic()
            for endpoint in self._fleet.to_probe(now):
                if fault := await self._client.probe(endpoint):
                    endpoint.rests(monotonic(), fault)
                else:
                    endpoint.faults, endpoint.tripped = 0, False
                    self._fill()
            for endpoint in self._fleet.silent(now):
                await self._ask_whether_there(endpoint)
            if self._fleet.all_down:
                self._alone_since = self._alone_since or now
                if now - self._alone_since > self._engine.patience_s:
                    endpoint = self._fleet.endpoints[0]
                    words = f"gives no answer for {now - self._alone_since:.0f} s ({endpoint.last_fault})"
                    self._break(self._client.unusable(endpoint, words))
                    return
            else:
                self._alone_since = None

    async def _ask_whether_there(self, endpoint: Endpoint) -> None:
        """One that answers has long replies to make; what one that does not was given goes elsewhere."""
        fault, now = await self._client.probe(endpoint), monotonic()
        if not fault:
            endpoint.heard(now)
            return
        endpoint.heard_at, endpoint.unheard = now, endpoint.unheard + 1
        if endpoint.unheard == 1:
            self.said.put(f"{endpoint.place} has been silent, and does not say that it is there ({fault})")
        if endpoint.unheard < _SILENT_PROBES:
            return
        endpoint.rests(now, f"silent; {fault}")
        for task, (place, attempt) in [*self._running.items()]:
            if place is endpoint and task.cancel():
                again = _Attempt(now, attempt.request, attempt.failed, attempt.tries + 1, attempt.paid)
                heapq.heappush(self._again, again)

    async def _keep_climbing(self) -> None:
        assert self._climb
        while True:
            await asyncio.sleep(_WINDOW_S)
            loads = [
                load for e in self._fleet.endpoints if not e.tripped and (load := await self._client.load(e))
            ]
            if loads:
                load = Load(
                    sum(one.running for one in loads),
                    sum(one.waiting for one in loads),
                    max(one.cache for one in loads),
                )
                self._climb.by_load(load, len(self._running))
            elif self._heard >= self._climb.target:  # fewer than are in flight say nothing of the rate
                now = monotonic()
                self._climb.by_rate(self._tokens / (now - self._since), len(self._running))
                self._heard, self._tokens, self._since = 0, 0, now
            self._fill()
