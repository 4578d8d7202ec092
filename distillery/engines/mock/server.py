"""An OpenAI-compatible server that plays a model: its thoughts, latencies, queue and faults.

For dry runs, tests and benchmarks of clients, which measure themselves against it: a reply costs it a fifth
of a
millisecond. What it says is in `replies`.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from time import monotonic, time
from typing import Any

from aiohttp import web

from distillery.engines.mock.bodies import (
    BadBodyError,
    TooLongError,
    completion_body,
    error_body,
    read_body,
    stream_events,
)
from distillery.engines.mock.replies import (
    LASTING,
    Ask,
    MockFault,
    MockOptions,
    compose,
    draw_fault,
    draw_latency_s,
)
from distillery.errors import ConfigError

_BACKLOG = 4096
_KEEPALIVE_S = 3600.0  # a client may leave a connection idle while it waits for others
_GOODBYE_S = 0.05  # what is still in flight when the server stops is cut off after so long
_JSON = {"Content-Type": "application/json"}
_SSE = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
_METRICS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
_DOOR = frozenset({MockFault.RATE_LIMIT, MockFault.SERVER_ERROR})  # answered at once, without a slot


async def serve(service: Service, *, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
    """Serves until `stop` is set. `ready` gets the URL, which ends in /v1. Raises ConfigError where the port
    cannot be had."""
    options = service.options
    # a client that hangs up ends its request, as in vLLM; otherwise the slot of a hanging one would be lost
    server = web.Server(
        service.answer, handler_cancellation=True, access_log=None, keepalive_timeout=_KEEPALIVE_S
    )
    runner = web.ServerRunner(server, shutdown_timeout=_GOODBYE_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, options.host, options.port, backlog=_BACKLOG).start()
        except OSError as error:
            raise ConfigError(
                f"mock server: {options.host}:{options.port} cannot be had ({error.strerror or error}); "
                "port 0 takes a free one"
            ) from error
        host = f"[{options.host}]" if ":" in options.host else options.host
        ready(f"http://{host}:{runner.addresses[0][1]}/v1")
        await stop.wait()
    finally:
        await runner.cleanup()


class _Slots:
    """Room for `capacity` requests at once (0: for all); the rest wait in the order in which they came."""

    def __init__(self, capacity: int) -> None:
        self._semaphore = asyncio.Semaphore(capacity) if capacity else None
        self.running = 0
        self.waiting = 0

    async def __aenter__(self) -> None:
        if self._semaphore:
            self.waiting += 1
            try:
                await self._semaphore.acquire()
            finally:
                self.waiting -= 1
        self.running += 1

    async def __aexit__(self, *exc: object) -> None:
        self.running -= 1
        if self._semaphore:
            self._semaphore.release()


class _InFlight:
    """How many requests have come and are not answered, with their mean over time.

    The mean is over the time from the first arrival to the latest change, so that it can be asked for any
    time later.
    """

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self._area = 0.0  # request seconds
        self._first_s = self._latest_s = 0.0

    def change(self, by: int) -> None:
        at = monotonic()
        if not self._first_s:
            self._first_s = self._latest_s = at
        self._area += self.now * (at - self._latest_s)
        self._latest_s = at
        self.now += by
        self.most = max(self.most, self.now)

    def mean(self) -> float:
        span = self._latest_s - self._first_s
        return self._area / span if span else 0.0


class Service:
    """Answers requests, and counts what it did."""

    def __init__(self, options: MockOptions) -> None:
        self.options = options
        self._created = int(time())
        self._slots = _Slots(options.capacity)
        self._in_flight = _InFlight()
        self._requests = 0
        self._served = 0
        self._errors: Counter[str] = Counter()
        self._attempts: Counter[bytes] = Counter()  # of requests that a fault was drawn for
        self._keys: Counter[str] = Counter()
        self._routes: dict[tuple[str, str], Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = {
            ("POST", "/v1/chat/completions"): self._chat,
            ("GET", "/v1/models"): self._models,
            ("GET", "/health"): self._health,
            ("GET", "/metrics"): self._metrics,
            ("GET", "/mock/stats"): self._stats,
        }

    def stats(self) -> dict[str, Any]:
        """Counts since the start.

        `requests` came to /v1/chat/completions; `served` of them got a completion, be it cut, refused or
        empty. `errors` has each fault played, and `bad_request`, `context_length`, and `aborted` for clients
        that hung up.
        """
        found: dict[str, Any] = {
            "requests": self._requests,
            "served": self._served,
            "in_flight": self._in_flight.now,
            "most_in_flight": self._in_flight.most,
            "mean_in_flight": round(self._in_flight.mean(), 3),
            "running": self._slots.running,
            "waiting": self._slots.waiting,
            "errors": dict(self._errors),
        }
        return found | {"keys": dict(self._keys)} if self.options.keep_keys else found

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return _error(404, f"no such page: {request.method} {request.path}", kind="NotFoundError")
        return await route(request)

    async def _models(self, request: web.BaseRequest) -> web.StreamResponse:
        model = {
            "id": self.options.model,
            "object": "model",
            "created": self._created,
            "owned_by": "distillery",
            "max_model_len": self.options.max_model_len,
        }
        return _json({"object": "list", "data": [model]})

    async def _health(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.Response()

    async def _stats(self, request: web.BaseRequest) -> web.StreamResponse:
        return _json(self.stats())

    async def _metrics(self, request: web.BaseRequest) -> web.StreamResponse:
        """Under vLLM's names (vllm/v1/metrics/loggers.py); the cache had the name with gpu_ before its V1."""
        slots, capacity = self._slots, self.options.capacity
        usage = slots.running / capacity if capacity else 0.0
        gauges = {
            "num_requests_running": (slots.running, "Number of requests in model execution batches."),
            "num_requests_waiting": (slots.waiting, "Number of requests waiting to be processed."),
            "gpu_cache_usage_perc": (usage, "GPU KV-cache usage. 1 means 100 percent usage."),
            "kv_cache_usage_perc": (usage, "KV-cache usage. 1 means 100 percent usage."),
        }
        label = json.dumps(self.options.model)
        text = "".join(
            f"# HELP vllm:{name} {help_}\n# TYPE vllm:{name} gauge\n"
            f'vllm:{name}{{engine="0",model_name={label}}} {float(value)}\n'
            for name, (value, help_) in gauges.items()
        )
        return web.Response(body=text.encode(), headers=_METRICS)

    async def _chat(self, request: web.BaseRequest) -> web.StreamResponse:
        self._requests += 1
        self._in_flight.change(+1)
        try:
            return await self._reply(request)
        except asyncio.CancelledError:
            self._errors["aborted"] += 1
            raise
        finally:
            self._in_flight.change(-1)

    async def _reply(self, request: web.BaseRequest) -> web.StreamResponse:
        options = self.options
        try:
            ask = read_body(
                await request.content.read(), seed=options.seed, max_model_len=options.max_model_len
            )
        except BadBodyError as error:
            self._errors["context_length" if isinstance(error, TooLongError) else "bad_request"] += 1
            return _error(400, str(error), kind="BadRequestError", param=error.param)
        if options.keep_keys:
            self._keys[ask.key.hex()] += 1
        fault = self._fault(ask)
        if fault:
            self._errors[fault] += 1
        if fault in _DOOR:
            return self._turned_away(fault)
        async with self._slots:
            if fault is MockFault.HANG:
                await asyncio.get_running_loop().create_future()
            return await (self._stream if ask.stream else self._plain)(request, ask, fault)

    def _fault(self, ask: Ask) -> MockFault | None:
        """The first `first_errors` attempts fail, then the first attempt that the drawn fault can spoil."""
        options, fault = self.options, draw_fault(ask, self.options)
        if not options.first_errors and (fault is None or fault in LASTING or options.sticky_errors):
            return fault
        before = self._attempts[ask.key]
        self._attempts[ask.key] += 1
        if before < options.first_errors:
            return MockFault.SERVER_ERROR
        return fault if before == options.first_errors or fault in LASTING or options.sticky_errors else None

    def _turned_away(self, fault: MockFault | None) -> web.Response:
        if fault is MockFault.RATE_LIMIT:
            headers = {"Retry-After": str(self.options.retry_after_s)}
            return _error(429, "Rate limit reached.", kind="RateLimitError", headers=headers)
        return _error(500, "Internal server error", kind="InternalServerError")

    async def _plain(self, request: web.BaseRequest, ask: Ask, fault: MockFault | None) -> web.StreamResponse:
        reply = compose(ask, self.options, fault=fault)
        body = completion_body(ask, reply, self.options, created=self._created)
        if latency_s := draw_latency_s(ask, self.options):
            await asyncio.sleep(latency_s)
        if fault is MockFault.MALFORMED:
            return web.Response(body=body[: len(body) // 2], headers=_JSON)
        if fault is MockFault.DISCONNECT:
            response = web.StreamResponse(headers={**_JSON, "Content-Length": str(len(body))})
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
            return _hang_up(request, response)
        self._served += 1
        return web.Response(body=body, headers=_JSON)

    async def _stream(
        self, request: web.BaseRequest, ask: Ask, fault: MockFault | None
    ) -> web.StreamResponse:
        """The latency is spread over the events; without one, they come in one piece."""
        reply = compose(ask, self.options, fault=fault)
        events = stream_events(ask, reply, self.options, created=self._created)
        pause_s = draw_latency_s(ask, self.options) / len(events)
        middle = len(events) // 2
        if fault is MockFault.MALFORMED:
            events[middle] = events[middle][: len(events[middle]) // 2] + b"\n\n"
        if fault is MockFault.DISCONNECT:
            del events[middle:]
        response = web.StreamResponse(headers=_SSE)
        await response.prepare(request)
        for event in events if pause_s else [b"".join(events)]:
            if pause_s:
                await asyncio.sleep(pause_s)
            await response.write(event)
        if fault is MockFault.DISCONNECT:
            return _hang_up(request, response)
        self._served += fault is not MockFault.MALFORMED
        return response


def _hang_up(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    response.force_close()
    if request.transport:
        request.transport.close()  # what is written still goes out
    return response


def _json(value: Any) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), headers=_JSON)


def _error(
    status: int, message: str, *, kind: str, param: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    body = error_body(message, kind=kind, status=status, param=param)
    return web.Response(body=body, status=status, headers={**_JSON, **(headers or {})})
