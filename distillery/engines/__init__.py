"""Where completions come from. `open_engine` alone knows every kind: one of KINDS, or `module:Name`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any

from distillery.config import build
from distillery.engines.base import Completion, Engine, Failure, FailureKind, Reply, Request, Sampling
from distillery.errors import ConfigError
from distillery.hashing import Json, is_json
from distillery.installed import dotted

_OFFERS = (
    "an engine is a frozen dataclass derived from Engine (distillery.engines), with `identity` and `batches`"
)
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
    "Reply",
    "Request",
    "Sampling",
    "engine_class",
    "engine_identity",
    "open_engine",
]


def engine_class(kind: str, *, where: str = "engine") -> type[Engine]:
    if ":" in kind:
        return _own(kind, where)
    if kind not in KINDS:
        raise ConfigError(f"{where}: unknown engine kind {kind!r}; known kinds: {', '.join(sorted(KINDS))}")
    module, name = KINDS[kind].split(":")
    return getattr(import_module(module), name)


def open_engine(kind: str, options: Mapping[str, Any], *, where: str = "engine") -> Engine:
    """An engine, nothing loaded yet; `options` are the fields of its class, checked like a stage's."""
    with dotted.border(kind, where=f"{where}.kind:"):
        return build(engine_class(kind, where=where), options, where=where)


def _own(kind: str, where: str) -> type[Engine]:
    found = dotted.load(kind, where=f"{where}.kind:", what=_OFFERS)
    if not (isinstance(found, type) and issubclass(found, Engine) and is_dataclass(found)):
        raise ConfigError(f"{where}.kind: {kind!r}: a {type(found).__name__} is no engine; {_OFFERS}")
    if lacks := sorted(found.__abstractmethods__):
        raise ConfigError(f"{where}.kind: {kind!r}: lacks {', '.join(lacks)}; {_OFFERS}")
    if not dotted.is_frozen(found):
        raise ConfigError(f"{where}.kind: {kind!r}: is not frozen: @dataclass(frozen=True); {_OFFERS}")
    return found


def engine_identity(kind: str, engine: Engine, *, where: str = "engine") -> Json:
    """What its completions are known by; of an engine in a user's own file, its source too."""
    if ":" not in kind:
        return engine.identity
    with dotted.border(kind, where=f"{where}.kind:"):
        said, again = engine.identity, engine.identity
    if not is_json(said) or said != again:
        twice = f" and then {again!r:.80}" if is_json(said) else ""
        right = "it would be a property that always gives the same JSON, such as {'model': 'echo'}"
        raise ConfigError(f"{where}.kind: {kind!r}: identity is {said!r:.80}{twice}; {right}")
    own = said if isinstance(said, Mapping) else {"engine": said}
    return {**own, "code": dotted.source_digest(kind)}
