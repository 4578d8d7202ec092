"""vLLM in this process, through its step loop: each completion is handed on in the step that finishes it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any

from distillery.engines.base import Completion, Failure, FailureKind, Feed, Intake, Reply, Request
from distillery.engines.local.chat_prompt import chat_prompt
from distillery.engines.local.model_files import read_template
from distillery.engines.local.vllm_options import VllmModel
from distillery.engines.loops import LOOK_EVERY, loop_end
from distillery.engines.normal_form import normal_form
from distillery.errors import ConfigError, EngineError

_AHEAD = 64  # requests handed to vLLM beside those that it can run at once


@dataclass(frozen=True)
class VllmOffline(VllmModel):
    """vLLM in this process, on a machine of one's own. Each request has its own seed, so that no sample depends on its neighbours.

    `engine_args` go to vLLM as they are and say how it runs (tensor_parallel_size, gpu_memory_utilization,
    max_num_seqs, enforce_eager), never what the model is.

        engines:
          teacher:
            kind: vllm
            model: deepseek-ai/DeepSeek-R1-Distill-Qwen-32B
            engine_args: {tensor_parallel_size: 2}
    """

    engine_args: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"identity": False})
    """Arguments of vLLM that say how it runs, as tensor_parallel_size."""

    def batches(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        """What each step finished."""
        loaded = self._loaded
        intake, running = Intake(requests), dict[str, _Running]()
        try:
            while running or not intake.ended:
                asked = intake.take(lambda: len(running) < loaded.at_once + _AHEAD)
                refused = [failure for request in asked if (failure := loaded.add(request, running))]
                finished = loaded.step(running) if running else []
                if refused or finished or intake.paused:
                    yield [*refused, *finished]
                intake.ended |= self.draining
        finally:
            loaded.abort(running)

    def close(self) -> None:
        if loaded := vars(self).pop("_loaded", None):
            loaded.shut_down()

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


@dataclass(slots=True)
class _Running:
    request: Request
    prefilled: bool  # the template opened the thought
    since: float
    text: str = ""
    tokens: int = 0
    looked_at: int = 0  # characters, when a loop was last looked for

    def loops(self) -> bool:
        if not self.request.sampling.cut_loops or len(self.text) - self.looked_at < LOOK_EVERY:
            return False
        self.looked_at = len(self.text)
        return loop_end(self.text) is not None


class _Loaded:
    """vLLM's engine and tokenizer."""

    def __init__(self, llm: Any, template: str | None) -> None:
        self._engine = llm.llm_engine
        self._tokenizer = llm.get_tokenizer()
        self._template = template
        self._positions: int = llm.llm_engine.model_config.max_model_len
        self.at_once: int = llm.llm_engine.vllm_config.scheduler_config.max_num_seqs

    def add(self, request: Request, running: dict[str, _Running]) -> Failure | None:
        """Hands a request to vLLM, unless it is too long to run."""
        text, prefilled = chat_prompt(self._tokenizer, request, template=self._template)
        tokens = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(tokens) >= self._positions:
            message = f"the prompt has {len(tokens)} tokens, the model {self._positions} positions"
            return Failure(request.key, FailureKind.CONTEXT_LENGTH, message)
        self._engine.add_request(request.key, {"prompt_token_ids": tokens}, _sampling(request))
        running[request.key] = _Running(request, prefilled, monotonic())
        return None

    def step(self, running: dict[str, _Running]) -> list[Completion]:
        done: list[Completion] = []
        for output in self._engine.step():
            key, said = output.request_id, output.outputs[0]
            if key not in running:  # aborted in this very step
                continue
            ran = running[key]
            ran.text += said.text
            ran.tokens += len(said.token_ids)
            looping = not output.finished and ran.loops()
            if looping:
                self._engine.abort_request([key])
            if looping or output.finished:
                del running[key]
                done.append(_completion(output, ran, said.finish_reason))
        return done

    def abort(self, running: Mapping[str, _Running]) -> None:
        if running:
            self._engine.abort_request(list(running))

    def shut_down(self) -> None:
        self._engine.engine_core.shutdown()


def _sampling(request: Request) -> Any:
    from vllm import SamplingParams  # pyright: ignore[reportMissingImports]
    from vllm.sampling_params import RequestOutputKind  # pyright: ignore[reportMissingImports]

    options: dict[str, Any] = {}
    if request.schema:
        from vllm.sampling_params import StructuredOutputsParams  # pyright: ignore[reportMissingImports]

        options["structured_outputs"] = StructuredOutputsParams(json=request.schema)
    heard = request.sampling.cut_loops  # then each step's text is
    return SamplingParams(
        temperature=request.sampling.temperature,
        top_p=request.sampling.top_p,
        max_tokens=request.sampling.max_tokens,
        stop=list(request.sampling.stop) or None,
        seed=request.seed,
        skip_special_tokens=False,  # a tokenizer may hold <think> as one of them
        output_kind=RequestOutputKind.DELTA if heard else RequestOutputKind.FINAL_ONLY,
        **options,
    )


def _completion(output: Any, ran: _Running, reason: str | None) -> Completion:
    text, finish = ran.text, "length" if reason == "length" else "stop"
    if ran.request.sampling.cut_loops and (end := loop_end(text)) is not None:
        text, finish = text[:end], "loop"
    if not ran.request.begun:
        text = normal_form(text, prefilled=ran.prefilled, cut=finish != "stop")
    return Completion(
        key=output.request_id,
        text=text,
        finish=finish,
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=ran.tokens,
        meta={"seconds": round(monotonic() - ran.since, 3)} | ({"prefilled": True} if ran.prefilled else {}),
    )
