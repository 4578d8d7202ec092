"""Where completions come from. `open_engine` is the only code that knows every kind."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from distillery.config import build
from distillery.engines.base import (
    Completion,
    Engine,
    Failure,
    FailureKind,
    Messages,
    Reply,
    Request,
    Sampling,
    request_key,
)
from distillery.errors import ConfigError

KINDS = {
    "openai": "distillery.engines.openai.engine:OpenAIServer",
    "scripted": "distillery.engines.scripted:Scripted",
    "transformers": "distillery.engines.local.transformers_engine:TransformersLocal",
    "vllm": "distillery.engines.local.vllm_engine:VllmOffline",
    "vllm_server": "distillery.engines.vllm_server.engine:VllmServer",
}

__all__ = [
    "KINDS",
    "Completion",
    "Engine",
    "Failure",
    "FailureKind",
    "Messages",
    "Reply",
    "Request",
    "Sampling",
    "engine_class",
    "open_engine",
    "request_key",
]


def engine_class(kind: str, *, where: str = "engine") -> type[Any]:
    if kind not in KINDS:
        raise ConfigError(f"{where}: unknown engine kind {kind!r}; known kinds: {', '.join(sorted(KINDS))}")
    module, name = KINDS[kind].split(":")
    return getattr(import_module(module), name)


def open_engine(kind: str, options: Mapping[str, Any], *, where: str = "engine") -> Engine:
    """An engine, nothing loaded yet; `options` are the fields of its class, checked like a stage's."""
    return build(engine_class(kind, where=where), options, where=where)
