"""Any OpenAI-compatible endpoint, through the openai package.

One event loop in a thread of its own keeps `concurrency` requests in flight; a request that waits to be tried
again holds no slot. Replies come in groups of what has arrived (`InBatches`).
"""

from __future__ import annotations

import asyncio
import heapq
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field

from distillery.engines.base import Completion, Failure, Request
from distillery.engines.server_replies import Fault, read_completion, read_error
from distillery.errors import EngineError
from distillery.hashing import Json, derive_seed, digest

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 60.0
_PROBE_S = 15.0  # how long an endpoint may take to say that it is there


@dataclass(frozen=True)
class OpenAIServer:
    """vLLM, SGLang, DeepSeek, OpenAI: whatever speaks `POST /chat/completions`.

    The key is read from the environment variable `api_key_env` and never from a file:

        engines:
          teacher:
            kind: openai
            model: deepseek-reasoner
            base_url: https://api.deepseek.com
            api_key_env: DEEPSEEK_API_KEY
            concurrency: 64
    """

    model: str
    base_url: str = field(default="http://127.0.0.1:8000/v1", metadata={"identity": False})
    revision: str = ""  # what the server loaded, for the record and the request keys
    api_key_env: str = field(default="OPENAI_API_KEY", metadata={"identity": False})
    concurrency: Annotated[int, Field(ge=1)] = field(default=64, metadata={"identity": False})
    timeout_s: Annotated[float, Field(gt=0)] = field(default=3600.0, metadata={"identity": False})
    max_retries: Annotated[int, Field(ge=0)] = field(default=6, metadata={"identity": False})
    extra_body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    prefilled: bool = False  # the server's template opens the thought and its reply does not repeat the tag

    @property
    def identity(self) -> Json:
        identity: dict[str, Json] = {
            "model": f"{self.model}@{self.revision}" if self.revision else self.model
        }
        if self.extra_body:
            identity["extra_body"] = digest(dict(self.extra_body))
        return identity

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Failure]:
        for group in self.batches(requests):
            yield from group

    def batches(self, requests: Sequence[Request]) -> Iterator[Sequence[Completion | Failure]]:
        arrived: _Arrivals = SimpleQueue()
        loop = asyncio.new_event_loop()
        service = loop.create_task(_Service(self, arrived).serve(requests))
        thread = threading.Thread(target=_run, args=(loop, service, arrived), name=f"openai {self.model}")
        thread.start()
        try:
            end = None
            while end is None:
                group, end = _next_group(arrived)
                if group:
                    yield group
            if end.error:
                raise end.error
        finally:
            loop.call_soon_threadsafe(service.cancel)
            thread.join()
            loop.close()

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


_Arrivals = SimpleQueue[Completion | Failure | _End]


def _run(loop: asyncio.AbstractEventLoop, service: asyncio.Task[None], arrived: _Arrivals) -> None:
    error: BaseException | None = None
    try:
        loop.run_until_complete(service)
    except asyncio.CancelledError:
        pass
    except BaseException as raised:  # noqa: BLE001  whatever it is, the caller's thread raises it
        error = raised
    arrived.put(_End(error))


def _next_group(arrived: _Arrivals) -> tuple[list[Completion | Failure], _End | None]:
    """Waits for one reply and takes what else is there."""
    group: list[Completion | Failure] = []
    item = arrived.get()
    while not isinstance(item, _End):
        group.append(item)
        try:
            item = arrived.get_nowait()
        except Empty:
            return group, None
    return group, item


@dataclass(order=True, slots=True)
class _Attempt:
    due: float  # by the loop's clock
    request: Request = field(compare=False)
    failed: int = field(default=0, compare=False)  # attempts before this one


class _Service:
    """Keeps the endpoint busy with one call's requests."""

    def __init__(self, engine: OpenAIServer, arrived: _Arrivals) -> None:
        self._engine = engine
        self._arrived = arrived
        self._waiting: list[_Attempt] = []  # a heap: failed attempts, until they are due again
        self._running: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._broken: BaseException | None = None
        self._place = urlsplit(engine.base_url).netloc.rpartition("@")[2]

    async def serve(self, requests: Sequence[Request]) -> None:
        fresh = iter(requests)
        async with self._client() as client:
            try:
                await self._probe(client)
                while self._start_all(client, fresh) and not self._broken:
                    await self._wait()
                if self._broken:
                    raise self._broken
            finally:
                for task in self._running:
                    task.cancel()
                await asyncio.gather(*self._running, return_exceptions=True)

    def _start_all(self, client: AsyncOpenAI, fresh: Iterator[Request]) -> bool:
        """Fills the free slots, with what is due again before what is new; says whether anything is left."""
        now = monotonic()
        while len(self._running) < self._engine.concurrency:
            if self._waiting and self._waiting[0].due <= now:
                attempt = heapq.heappop(self._waiting)
            elif request := next(fresh, None):
                attempt = _Attempt(now, request)
            else:
                break
            task = asyncio.get_running_loop().create_task(self._try(client, attempt))
            self._running.add(task)
            task.add_done_callback(self._ended)
        return bool(self._running or self._waiting)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._broken = error
        self._changed.set()

    async def _wait(self) -> None:
        """Until a slot becomes free, or the next attempt is due and has a free slot."""
        room = len(self._running) < self._engine.concurrency
        limit = max(0.0, self._waiting[0].due - monotonic()) if self._waiting and room else None
        try:
            await asyncio.wait_for(self._changed.wait(), limit)
        except TimeoutError:
            return
        self._changed.clear()

    async def _try(self, client: AsyncOpenAI, attempt: _Attempt) -> None:
        import openai

        request, began = attempt.request, monotonic()
        try:
            raw = await client.chat.completions.create(**self._body(request))
        except openai.OpenAIError as error:
            await self._fail(client, attempt, read_error(error))
            return
        except ValueError as error:  # a body that is no JSON
            await self._fail(client, attempt, Fault("malformed", f"unreadable reply: {error}", again=True))
            return
        reply = read_completion(request, raw, prefilled=self._engine.prefilled)
        if isinstance(reply, Completion):
            reply.meta.update(seconds=round(monotonic() - began, 3), endpoint=self._place)
        self._arrived.put(reply)

    async def _fail(self, client: AsyncOpenAI, attempt: _Attempt, fault: Fault) -> None:
        if fault.out_of_use:
            raise self._unusable(f"{fault.out_of_use} ({fault.message})")
        if fault.again and attempt.failed < self._engine.max_retries:
            pause = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt.failed)
            jitter = Random(derive_seed(attempt.request.key, attempt.failed)).uniform(0.5, 1.0)
            wait_s = max(pause * jitter, (fault.wait_s or 0.0) * (1 + jitter / 10))
            again = _Attempt(monotonic() + wait_s, attempt.request, attempt.failed + 1)
            heapq.heappush(self._waiting, again)
            return
        if fault.kind == "transport":
            await self._probe(client)  # an endpoint that is gone is no fault of this request
        self._arrived.put(Failure(attempt.request.key, fault.kind, fault.message))

    async def _probe(self, client: AsyncOpenAI) -> None:
        """Any answer to `GET /models` will do; some servers have no such page."""
        import openai

        try:
            await client.models.list(timeout=_PROBE_S)
        except openai.APIConnectionError as error:
            raise self._unusable(f"gives no answer ({error.__cause__ or error})") from error
        except openai.APIStatusError as error:
            if error.status_code in (401, 403):
                raise self._unusable(f"does not accept the key ({error.status_code})") from error
        except (openai.OpenAIError, ValueError):
            return

    def _unusable(self, what: str) -> EngineError:
        engine = self._engine
        return EngineError(
            f"endpoint {engine.base_url} (model {engine.model!r}): {what}; start the server, or mend base_url, model, "
            f"or the key in the environment variable {engine.api_key_env}"
        )

    def _body(self, request: Request) -> dict[str, Any]:
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self._engine.model,
            "messages": [{"role": role, "content": content} for role, content in request.messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": request.seed,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if self._engine.extra_body:
            body["extra_body"] = dict(self._engine.extra_body)
        return body

    def _client(self) -> AsyncOpenAI:
        import openai

        engine = self._engine
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=None, max_keepalive_connections=None)
        return openai.AsyncOpenAI(
            api_key=os.environ.get(engine.api_key_env) or "none",  # a local server wants none
            base_url=engine.base_url,
            max_retries=0,  # ours hold no slot while they wait
            timeout=openai.Timeout(engine.timeout_s, connect=min(30.0, engine.timeout_s)),
            http_client=openai.DefaultAsyncHttpxClient(limits=limits),
        )
