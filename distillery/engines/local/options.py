"""Which model runs, in this process or behind a server of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from distillery.engines.base import Engine
from distillery.engines.local.model_files import model_name, read_template
from distillery.hashing import Json, digest


@dataclass(frozen=True)
class LocalModel(Engine):
    """The same model answers under the same keys, whatever runs it."""

    model: str
    """A folder, a hub id, or `{from: STAGE}`."""
    revision: str = ""
    """A commit, tag or branch of the hub's model; "": the newest."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the weights; `auto`: as the model says."""
    chat_template: Path | None = None
    """A file that replaces the tokenizer's template; null: the tokenizer's own."""

    @property
    def identity(self) -> Json:
        return self._identity

    @cached_property
    def _identity(self) -> dict[str, Json]:
        identity: dict[str, Json] = {"model": model_name(self.model, self.revision)}
        if self.dtype != "auto":
            identity["dtype"] = self.dtype
        if self.chat_template:
            identity["chat_template"] = digest(read_template(self.chat_template))
        return identity


@dataclass(frozen=True)
class VllmModel(LocalModel):
    """The same model answers under the same keys, wherever vLLM runs."""

    quantization: str = ""
    """As vLLM names it: fp8, awq, ...; "": as the model says."""
    max_model_len: Annotated[int, Field(ge=1)] | None = field(default=None, metadata={"identity": False})
    """Tokens that prompt and answer may have together; null: as the model says."""

    @property
    def identity(self) -> Json:
        return self._identity | ({"quantization": self.quantization} if self.quantization else {})
