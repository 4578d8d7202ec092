"""One request over HTTP: what is sent to an OpenAI-compatible server, and what came of it."""

from __future__ import annotations

import json
import os
import resource
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from distillery.engines.base import FailureKind, Request
from distillery.engines.openai.bodies import beginning, events, parsed, whole
from distillery.engines.openai.concurrency import Load
from distillery.engines.openai.endpoints import Endpoint
from distillery.engines.openai.replies import Fault, Said, add_piece, read_error, whole_reply
from distillery.errors import EngineError
from distillery.installed.struck import struck

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from distillery.engines.openai.options import OpenAIOptions

_PROBE_S = 15.0  # how long an endpoint may take to say that it is there
_LOOK_S = 2.0  # or what its load is
_CONNECT_S = 30.0
_BODY_BYTES, _TOKEN_BYTES = 1 << 21, 256  # of the longest reply that is read: so many, and for each token
_ERROR_BYTES = 1 << 16
_PAGE_BYTES = 1 << 22  # of /metrics
_LONG_TOKENS = 2048  # an answer that may be longer is streamed when loops are to be cut


class Client:
    """A pool of connections without a limit of its own, as long as the `async with` lasts."""

    _session: ClientSession

    def __init__(self, engine: OpenAIOptions) -> None:
        self._engine = engine
        self._key = os.environ.get(engine.api_key_env, "")

    async def __aenter__(self) -> Self:
        import aiohttp
        from yarl import URL

        engine = self._engine
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=engine.timeout_s, sock_connect=_CONNECT_S),
            auto_decompress=False,  # without a bound
            headers={
                "Content-Type": "application/json",
                "Accept-Encoding": "gzip",
                "Authorization": f"Bearer {self._key or 'none'}",
            },
        )
        # aiohttp's own trust_env looks into the environment, and into ~/.netrc, for every single request
        self._proxies = {url: _proxy_for(url) for url in engine.urls}
        self._chat = {url: URL(f"{url.rstrip('/')}/chat/completions") for url in engine.urls}
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()

    def struck(self, text: str) -> str:
        return struck(text, (self._engine.api_key_env,))

    async def ask(self, endpoint: Endpoint, request: Request) -> Said | Fault:
        """`max_tokens` is the most a reply may have: where the model's context leaves less, that is asked
        for.

        A server that did not count the prompt sets the limit itself: what it refused is more than there is
        room for.
        """
        said = await self._attempt(endpoint, request, self._body(request))
        if not isinstance(said, Fault) or not said.limit:
            return said
        left = said.limit - said.prompt
        if said.prompt and not 0 < left < request.sampling.max_tokens:
            return said
        again = await self._attempt(
            endpoint, request, self._body(request, max_tokens=left if said.prompt else None)
        )
        if isinstance(again, Said):
            again.room = max(0, said.limit - (said.prompt or again.tokens[0] or 0))
        return again

    async def _attempt(self, endpoint: Endpoint, request: Request, sent: bytes) -> Said | Fault:
        """Whatever a server sends, and whatever a library makes of it, is a fault of this one attempt."""
        try:
            said = await self._post(endpoint, request, sent)
        except Exception as error:  # noqa: BLE001  what else is in flight is heard and stored
            said = Fault(
                FailureKind.MALFORMED, f"unreadable reply: {type(error).__name__}: {error}", again=True
            )
        if isinstance(said, Fault):
            return replace(said, message=self.struck(said.message))
        if self._key:
            said.content, said.thought = self._unkeyed(said.content), self._unkeyed(said.thought)
        return said

    def _unkeyed(self, text: str) -> str:
        return self.struck(text) if self._key in text else text

    async def _post(self, endpoint: Endpoint, request: Request, sent: bytes) -> Said | Fault:
        import aiohttp

        most = _BODY_BYTES + _TOKEN_BYTES * request.sampling.max_tokens
        url, proxy = self._chat[endpoint.url], self._proxies[endpoint.url]
        try:
            async with self._session.post(
                url, data=sent, proxy=proxy, allow_redirects=False
            ) as reply:  # a prompt stays where it was sent
                if 300 <= reply.status < 400:
                    return Fault(FailureKind.MALFORMED, _redirected(reply), again=True)
                if reply.status != 200:
                    body = await beginning(reply, most=_ERROR_BYTES)
                    return read_error(reply.status, reply.headers, body, schema=bool(request.schema))
                if reply.content_type.lower() == "text/event-stream":
                    return await _listen(reply, cut_loops=request.sampling.cut_loops, most=most)
                return whole_reply(parsed(await whole(reply, most=most)))
        except (ValueError, zlib.error) as error:  # a body that is no JSON
            return Fault(FailureKind.MALFORMED, f"unreadable reply: {error}", again=True)
        except aiohttp.ConnectionTimeoutError as error:
            return Fault(FailureKind.TRANSPORT, f"ConnectionTimeoutError: {error}", again=True, gone=True)
        except TimeoutError:
            return Fault(FailureKind.TRANSPORT, f"no reply within {self._engine.timeout_s:g} s", again=True)
        except (aiohttp.ClientError, OSError) as error:
            return Fault(FailureKind.TRANSPORT, f"{type(error).__name__}: {error}", again=True, gone=True)

    async def probe(self, endpoint: Endpoint) -> str:
        """Any answer to `GET /models` will do, some servers have no such page; else what went wrong."""
        import aiohttp

        timeout, proxy = aiohttp.ClientTimeout(total=_PROBE_S), self._proxies[endpoint.url]
        try:
            async with self._session.get(
                f"{endpoint.url.rstrip('/')}/models", timeout=timeout, proxy=proxy, allow_redirects=False
            ) as reply:
                if reply.status in (401, 403):
                    raise self.unusable(endpoint, f"does not accept the key ({reply.status})")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return self.struck(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        return ""

    async def load(self, endpoint: Endpoint) -> Load | None:
        import aiohttp

        url, proxy = endpoint.url.rstrip("/").removesuffix("/v1") + "/metrics", self._proxies[endpoint.url]
        timeout = aiohttp.ClientTimeout(total=_LOOK_S)
        try:
            async with self._session.get(url, timeout=timeout, proxy=proxy, allow_redirects=False) as reply:
                return Load.read(await beginning(reply, most=_PAGE_BYTES)) if reply.status == 200 else None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None

    def unusable(self, endpoint: Endpoint, what: str) -> EngineError:
        engine = self._engine
        return EngineError(
            f"endpoint {endpoint.url} (model {engine.model!r}): {self.struck(what)}; start the server, or "
            f"mend base_url, model, or the key in the environment variable {engine.api_key_env}"
        )

    def _body(self, request: Request, **instead: int | None) -> bytes:
        """`instead` of what was sampled with; what is None there is left out."""
        sampling = request.sampling
        messages = [{"role": role, "content": content} for role, content in request.messages]
        body: dict[str, Any] = {
            "model": self._engine.model,
            "messages": messages,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": request.seed,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if request.schema:
            schema = {"name": "reply", "strict": True, "schema": json.loads(request.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if request.begun:  # vLLM's and SGLang's way to go on from a partial turn
            messages.append({"role": "assistant", "content": request.begun})
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        stream = self._engine.stream
        if stream == "auto":
            stream = sampling.cut_loops and sampling.max_tokens > _LONG_TOKENS
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        body = {name: value for name, value in (body | instead).items() if value is not None}
        return json.dumps(body | dict(self._engine.extra_body)).encode()


def allow_many_connections() -> None:
    """A connection is a file, and the usual soft limit of 1024 is less than a client or a server may open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _proxy_for(url: str) -> str | None:
    """From http_proxy, https_proxy and no_proxy; never for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


async def _listen(reply: ClientResponse, *, cut_loops: bool, most: int) -> Said | Fault:
    """Server-sent events; leaves, and thereby stops the server, as soon as the text loops."""
    said = Said()
    async for data in events(reply, most=most):
        if data == b"[DONE]":
            return said
        try:
            piece = parsed(data)
            if "error" in piece:
                return read_error(500, {}, json.dumps(piece, default=str))
            looping = add_piece(said, piece, cut_loops=cut_loops)
        except (ValueError, TypeError, AttributeError) as error:
            return Fault(FailureKind.MALFORMED, f"unreadable event {data[:80]!r}: {error}", again=True)
        if looping or len(said.content) + len(said.thought) > most:
            reply.close()
            return said
    if said.finish is None:
        return Fault(FailureKind.TRANSPORT, "the stream ended before its answer did", again=True)
    return said


def _redirected(reply: ClientResponse) -> str:
    to = reply.headers.get("Location", "nowhere")
    return f"status {reply.status}: sent on to {to:.200}; put the address that answers into base_url"
