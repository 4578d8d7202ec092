"""vLLM in this process, through its step loop: each completion is handed on in the step that finishes it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from distillery.engines.base import Completion, Failure, Request
from distillery.engines.model_files import model_name, read_template
from distillery.engines.normal_form import normal_form
from distillery.errors import ConfigError, EngineError
from distillery.hashing import Json, digest
from distillery.reasoning import OPEN

_AHEAD = 2048  # requests handed to vLLM that are not finished; what it does not run yet costs it memory only


@dataclass(frozen=True)
class VllmOffline:
    """For a machine of one's own. Each request has its own seed, so that no sample depends on its neighbours.

    `engine_args` go to vLLM as they are and say how it runs (tensor_parallel_size, gpu_memory_utilization,
    max_num_seqs, enforce_eager), never what the model is.
    """

    model: str
    revision: str = ""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    quantization: str = ""
    max_model_len: Annotated[int, Field(ge=1)] | None = field(default=None, metadata={"identity": False})
    chat_template: Path | None = None  # a file that replaces the tokenizer's template
    engine_args: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"identity": False})

    @cached_property
    def identity(self) -> Json:
        identity: dict[str, Json] = {"model": model_name(self.model, self.revision)}
        if self.dtype != "auto":
            identity["dtype"] = self.dtype
        if self.quantization:
            identity["quantization"] = self.quantization
        if self.chat_template:
            identity["chat_template"] = digest(read_template(self.chat_template))
        return identity

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Failure]:
        for group in self.batches(requests):
            yield from group

    def batches(self, requests: Sequence[Request]) -> Iterator[Sequence[Completion | Failure]]:
        """What each step finished."""
        loaded = self._loaded
        fresh, running = iter(requests), dict[str, _Running]()
        try:
            while True:
                refused = loaded.feed(fresh, running)
                if refused:
                    yield refused
                if not running:
                    return
                if finished := loaded.step(running):
                    yield finished
        finally:
            loaded.abort(running)

    def close(self) -> None:
        if loaded := self.__dict__.pop("_loaded", None):
            loaded.shut_down()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @cached_property
    def _loaded(self) -> _Loaded:
        # vLLM's own process would outlive a killed run and keep its memory
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        try:
            from vllm import LLM  # pyright: ignore[reportMissingImports]  an extra
            from vllm.platforms import current_platform  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise EngineError(
                f"engine kind vllm: {error}; install it with pip install 'distillery[vllm]'"
            ) from error

        options: dict[str, Any] = {"dtype": self.dtype, **self.engine_args}
        if current_platform.is_cpu():
            # a seeded request whose prompt is read in pieces breaks vLLM 0.30: "CPU Generator does not use offset"
            options.setdefault("enable_chunked_prefill", False)
        if self.max_model_len:
            options["max_model_len"] = self.max_model_len
        for name in ("revision", "quantization"):
            if value := getattr(self, name):
                options[name] = value
        try:
            llm = LLM(model=self.model, **options)
        except TypeError as error:
            raise ConfigError(f"engine_args: {error}; give arguments that vllm.LLM takes") from error
        except (OSError, ValueError, RuntimeError) as error:
            raise EngineError(f"model {self.model!r} cannot be loaded by vLLM: {error}") from error
        return _Loaded(llm, read_template(self.chat_template) if self.chat_template else None)


@dataclass(frozen=True, slots=True)
class _Running:
    prefilled: bool  # the template opened the thought
    since: float


class _Loaded:
    """vLLM's engine and tokenizer."""

    def __init__(self, llm: Any, template: str | None) -> None:
        self._engine = llm.llm_engine
        self._tokenizer = llm.get_tokenizer()
        self._template: dict[str, str] = {"chat_template": template} if template else {}
        self._positions: int = llm.llm_engine.model_config.max_model_len

    def feed(self, fresh: Iterator[Request], running: dict[str, _Running]) -> list[Failure]:
        """Hands requests on until `_AHEAD` are running; returns those that are too long to run."""
        refused: list[Failure] = []
        while len(running) < _AHEAD and (request := next(fresh, None)):
            turns = [{"role": role, "content": content} for role, content in request.messages]
            text = self._tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True, **self._template
            )
            tokens = self._tokenizer(text, add_special_tokens=False)["input_ids"]
            if len(tokens) >= self._positions:
                message = f"the prompt has {len(tokens)} tokens, the model {self._positions} positions"
                refused.append(Failure(request.key, "context_length", message))
                continue
            self._engine.add_request(request.key, {"prompt_token_ids": tokens}, _sampling(request))
            running[request.key] = _Running(text.rstrip().endswith(OPEN), monotonic())
        return refused

    def step(self, running: dict[str, _Running]) -> list[Completion]:
        done = [output for output in self._engine.step() if output.finished]
        return [_completion(output, running.pop(output.request_id)) for output in done]

    def abort(self, running: Mapping[str, _Running]) -> None:
        if running:
            self._engine.abort_request(list(running))

    def shut_down(self) -> None:
        self._engine.engine_core.shutdown()


def _sampling(request: Request) -> Any:
    from vllm import SamplingParams  # pyright: ignore[reportMissingImports]
    from vllm.sampling_params import RequestOutputKind  # pyright: ignore[reportMissingImports]

    return SamplingParams(
        temperature=request.sampling.temperature,
        top_p=request.sampling.top_p,
        max_tokens=request.sampling.max_tokens,
        stop=list(request.sampling.stop) or None,
        seed=request.seed,
        skip_special_tokens=False,  # a tokenizer may hold <think> as one of them
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def _completion(output: Any, ran: _Running) -> Completion:
    said = output.outputs[0]
    cut = said.finish_reason == "length"
    return Completion(
        key=output.request_id,
        text=normal_form(said.text, prefilled=ran.prefilled, cut=cut),
        finish="length" if cut else "stop",
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(said.token_ids),
        meta={"seconds": round(monotonic() - ran.since, 3)} | ({"prefilled": True} if ran.prefilled else {}),
    )
