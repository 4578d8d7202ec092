"""What is said of an endpoint in a pipeline, and which of it names the completions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from distillery.engines.base import Engine
from distillery.errors import ConfigError
from distillery.hashing import Json, digest


@dataclass(frozen=True)
class OpenAIOptions(Engine):
    """The options of `OpenAIServer`, known to its client and its event loop."""

    model: str
    """As the server names it."""
    base_url: str | tuple[str, ...] = field(default="http://127.0.0.1:8000/v1", metadata={"identity": False})
    """Of the endpoint, or a list of several that serve the same model."""
    revision: str = ""
    """What the server loaded, for the record and the request keys; "": not known."""
    api_key_env: str = field(default="OPENAI_API_KEY", metadata={"identity": False})
    """The environment variable that holds the key."""
    concurrency: Annotated[int, Field(ge=1)] | Literal["auto"] = field(
        default=64, metadata={"identity": False}
    )
    """Requests in flight; `auto`: as many as the servers do best with."""
    timeout_s: Annotated[float, Field(gt=0)] = field(default=3600.0, metadata={"identity": False})
    """Seconds that a request may take."""
    max_retries: Annotated[int, Field(ge=0)] = field(default=6, metadata={"identity": False})
    """Times that a request is asked again after a fault that may pass."""
    patience_s: Annotated[float, Field(ge=0)] = field(default=120.0, metadata={"identity": False})
    """Seconds for which no endpoint at all may answer."""
    stream: Literal["auto"] | bool = field(default="auto", metadata={"identity": False})
    """Read replies as they are made; `auto`: where loops are cut."""
    must_think: bool = field(default=False, metadata={"identity": False})
    """A reply without a thought is a failure."""
    extra_body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Goes into each request as it is, as `{reasoning_effort: high}`."""
    prefilled: bool = False
    """The server's template opens the thought and its reply does not repeat the tag."""

    def __post_init__(self) -> None:
        for url in self.urls:
            user, at, host = urlsplit(url).netloc.rpartition("@")
            if at:
                raise ConfigError(
                    f"openai.base_url: {user[:1]}...@{host}: has a user or a password in it; put the key into"
                    f" the environment variable {self.api_key_env}"
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
