"""Vectors of texts: from any server that speaks `POST /embeddings`, or from a model in this process."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from distillery.backoff import Backoff
from distillery.errors import EngineError

if TYPE_CHECKING:
    from aiohttp import ClientSession

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions), each row of length 1."""

_RUNTIME = {"identity": False}
_BACKOFF = Backoff(0.5, 30.0)
_AGAIN = frozenset([408, 409, 425, 429])
_LOCAL_TOKENS = 512  # of a text, in this process


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """An embedding model. With `base_url` it is asked for over HTTP (vLLM with --runner pooling,
    text-embeddings-inference, OpenAI), without it is loaded here through transformers, its last hidden states
    averaged or the last one taken.

        embedding: {model: BAAI/bge-m3, base_url: "http://127.0.0.1:8000/v1"}
    """

    model: str
    """As the server names it; in this process a folder or a hub id."""
    revision: str = ""
    """A commit, tag or branch of the hub's model; "": the newest."""
    base_url: str = field(default="", metadata=_RUNTIME)
    """The server's, as http://127.0.0.1:8000/v1; "": the model is loaded in this process."""
    api_key_env: str = field(default="OPENAI_API_KEY", metadata=_RUNTIME)
    """The environment variable that holds the server's key."""
    prefix: str = ""
    """Before each text, for models that want one, as "query: "."""
    pooling: Literal["mean", "last"] = "mean"
    """How a text's vector is made, in this process only; a server does its own."""
    batch_size: Annotated[int, Field(ge=1)] = field(default=64, metadata=_RUNTIME)
    """Texts of one request or batch."""
    concurrency: Annotated[int, Field(ge=1)] = field(default=8, metadata=_RUNTIME)
    """Requests in flight."""
    timeout_s: Annotated[float, Field(gt=0)] = field(default=300.0, metadata=_RUNTIME)
    """Seconds that a request may take."""
    max_retries: Annotated[int, Field(ge=0)] = field(default=6, metadata=_RUNTIME)
    """Times that a request is asked again when the server is busy."""

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """In the order of the texts. Raises EngineError if the model cannot be had or a text is refused."""
        asked = [self.prefix + text for text in texts]
        parts = [asked[at : at + self.batch_size] for at in range(0, len(asked), self.batch_size)]
        if not parts:
            return np.empty((0, 0), np.float32)
        found = asyncio.run(self._ask(parts)) if self.base_url else [self._embed(part) for part in parts]
        out = np.concatenate(found).astype(np.float32)
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.finfo(np.float32).tiny)

    async def _ask(self, parts: Sequence[Sequence[str]]) -> list[Vectors]:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=self.timeout_s)
        headers = {"Authorization": f"Bearer {os.environ.get(self.api_key_env) or 'none'}"}
        slots = asyncio.Semaphore(self.concurrency)
        async with aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True) as session:
            return await asyncio.gather(*(self._persist(session, slots, part) for part in parts))

    async def _persist(
        self, session: ClientSession, slots: asyncio.Semaphore, texts: Sequence[str]
    ) -> Vectors:
        async with slots:
            failed = 0
            while True:
                try:
                    return await self._post(session, texts)
                except _BusyError as error:
                    failed += 1
                    if failed > self.max_retries:
                        raise self._unusable(str(error)) from error
                    await asyncio.sleep(_BACKOFF.wait_s(failed))

    async def _post(self, session: ClientSession, texts: Sequence[str]) -> Vectors:
        import aiohttp

        url = f"{self.base_url.rstrip('/')}/embeddings"
        body = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        try:
            async with session.post(url, json=body) as reply:
                said = await reply.text()
                if reply.status in _AGAIN or reply.status >= 500:
                    raise _BusyError(f"status {reply.status}: {said[:300]}")
                if reply.status != 200:
                    raise self._unusable(f"status {reply.status}: {said[:300]}")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _BusyError(f"{type(error).__name__}: {error}") from error
        try:
            rows = sorted(json.loads(said)["data"], key=lambda row: row["index"])
            found = np.array([row["embedding"] for row in rows], np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise self._unusable(f"its reply has no data[].embedding ({error})") from error
        if found.ndim != 2 or len(found) != len(texts):
            raise self._unusable(f"{len(texts)} texts were asked for, the reply has the shape {found.shape}")
        return found

    def _unusable(self, why: str) -> EngineError:
        return EngineError(
            f"embedding: {self.base_url} (model {self.model!r}): {why}; start a server of embeddings there,"
            f" or leave base_url out to load the model here"
        )

    def _embed(self, texts: Sequence[str]) -> Vectors:
        tokenizer, model = _loaded(self.model, self.revision)
        import torch

        rows = tokenizer(
            list(texts), padding=True, truncation=True, max_length=_LOCAL_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = model(**rows).last_hidden_state.float()
        mask = rows["attention_mask"][..., None].float()
        if self.pooling == "last":  # the tokenizer pads on the right
            last = rows["attention_mask"].sum(1) - 1
            return hidden[torch.arange(len(last)), last].numpy()
        return ((hidden * mask).sum(1) / mask.sum(1)).numpy()


class _BusyError(Exception):
    """Worth another try."""


@lru_cache(maxsize=1)
def _loaded(name: str, revision: str) -> tuple[Any, Any]:
    try:
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise EngineError(
            f"embedding: {error}; install it with pip install 'distillery[train]',"
            " or give the base_url of a server"
        ) from error
    place: dict[str, Any] = {"revision": revision} if revision else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, padding_side="right", **place)
        model = AutoModel.from_pretrained(name, **place).eval()
    except (OSError, ValueError) as error:
        raise EngineError(f"embedding: model {name!r} cannot be loaded: {error}") from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, model
