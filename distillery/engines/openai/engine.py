"""Any OpenAI-compatible endpoint, or several that serve the same model.

One event loop in a thread of its own (`distillery.engines.openai.event_loop`) keeps the wanted number of requests in flight;
this side feeds it a little ahead and hands on what has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from distillery.engines.base import Engine, Feed, Intake, Reply
from distillery.engines.openai.event_loop import Service
from distillery.errors import ConfigError
from distillery.hashing import Json, digest

_GLANCE_S, _WAIT_S = 0.05, 1.0  # for a reply: while the feed has nothing, and while it has


@dataclass(frozen=True)
class OpenAIServer(Engine):
    """vLLM, SGLang, DeepSeek, OpenAI: whatever speaks `POST /chat/completions`.

    The key is read from the environment variable `api_key_env` and never from a file:

        engines:
          teacher:
            kind: openai
            model: deepseek-reasoner
            base_url: https://api.deepseek.com
            api_key_env: DEEPSEEK_API_KEY
            concurrency: 64

    `base_url` may be a list: requests go where the fewest are outstanding, and an endpoint that fails rests until it
    answers again. `concurrency: auto` finds the number of requests in flight that the servers do best with.
    """

    keeps_at_once: ClassVar[bool] = True

    model: str
    base_url: str | tuple[str, ...] = field(default="http://127.0.0.1:8000/v1", metadata={"identity": False})
    revision: str = ""  # what the server loaded, for the record and the request keys
    api_key_env: str = field(default="OPENAI_API_KEY", metadata={"identity": False})
    concurrency: Annotated[int, Field(ge=1)] | Literal["auto"] = field(
        default=64, metadata={"identity": False}
    )
    timeout_s: Annotated[float, Field(gt=0)] = field(default=3600.0, metadata={"identity": False})
    max_retries: Annotated[int, Field(ge=0)] = field(default=6, metadata={"identity": False})
    patience_s: Annotated[float, Field(ge=0)] = field(
        default=120.0, metadata={"identity": False}
    )  # for which no endpoint at all may answer
    stream: Literal["auto"] | bool = field(default="auto", metadata={"identity": False})  # auto: to cut loops
    must_think: bool = field(
        default=False, metadata={"identity": False}
    )  # a reply without a thought is a failure
    extra_body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    prefilled: bool = False  # the server's template opens the thought and its reply does not repeat the tag

    def __post_init__(self) -> None:
        for url in self.urls:
            user, at, host = urlsplit(url).netloc.rpartition("@")
            if at:
                raise ConfigError(
                    f"openai.base_url: {user[:1]}...@{host}: has a user or a password in it; put the key into the"
                    f" environment variable {self.api_key_env}"
                )

    @property
    def identity(self) -> Json:
        identity: dict[str, Json] = {
            "model": f"{self.model}@{self.revision}" if self.revision else self.model
        }
        if self.extra_body:
            identity["extra_body"] = digest(dict(self.extra_body))
        return identity

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.base_url,) if isinstance(self.base_url, str) else self.base_url

    def batches(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        intake = Intake(requests)
        with Service(self) as service:
            vars(self)["_service"] = service
            while not intake.ended or service.outstanding:
                for request in intake.take(lambda: service.room):
                    service.submit(request)
                service.begin()
                patience = _WAIT_S if not intake.paused else _GLANCE_S if service.outstanding else 0.0
                yield service.arrived(patience)
                intake.ended |= service.draining

    def drain(self) -> None:
        super().drain()
        if service := vars(self).get("_service"):
            service.drain()
