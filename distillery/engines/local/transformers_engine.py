"""A small model in this process, through transformers: batches sorted by length, one seed a batch.

For models that a vLLM server would be too much for. Replies come batch by batch, so that a killed run,
continued, forms the same batches and draws the same samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from distillery.engines.base import Completion, Feed, Reply, Request, Sampling, rounds
from distillery.engines.local.chat_prompt import Prompt, chat_prompt
from distillery.engines.local.growing_cache import roomy_cache
from distillery.engines.local.model_files import read_template
from distillery.engines.local.options import LocalModel
from distillery.errors import EngineError
from distillery.hashing import derive_seed, digest

if TYPE_CHECKING:
    import torch

_EMPTY = -1  # no token drawn
_SHRINK = 0.75  # fraction of rows still going below which a smaller batch is worth copying the cache


@dataclass(frozen=True)
class TransformersLocal(LocalModel):
    """Any causal language model with a chat template, in this process.

    engines:
      teacher: {kind: transformers, model: HuggingFaceTB/SmolLM2-135M-Instruct, batch_size: 64}
    """

    independent: ClassVar[bool] = False

    batch_size: Annotated[int, Field(ge=1)] = field(default=256, metadata={"identity": False})
    """Requests that are answered together."""
    device: str = field(default="cpu", metadata={"identity": False})
    """As torch names it: cpu, cuda, cuda:1."""
    threads: Annotated[int, Field(ge=1)] | None = field(default=None, metadata={"identity": False})
    """Of the arithmetic; null: as torch decides."""

    def batches(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        for asked in rounds(requests):
            yield from self._round(asked) if asked else ((),)

    def _round(self, requests: Sequence[Request]) -> Iterator[Sequence[Reply]]:
        if any(request.schema for request in requests):
            raise EngineError(
                "engine kind transformers: cannot hold replies to a JSON schema; set structured: false, or "
                "use the kind vllm, vllm_server or openai"
            )
        loaded = self._loaded
        prompts = [chat_prompt(loaded.tokenizer, request) for request in requests]
        room = loaded.positions
        # those that cannot be served form no batch: they are owed again and would shift the others
        if too_long := [prompt for prompt in prompts if len(prompt.tokens) >= room]:
            yield [prompt.too_long(room) for prompt in too_long]
        prompts = [prompt for prompt in prompts if len(prompt.tokens) < room]
        prompts.sort(key=lambda p: (digest(p.request.sampling.json()), -len(p.tokens), p.request.key))
        for sampling, group in groupby(prompts, key=lambda prompt: prompt.request.sampling):
            same = list(group)
            for start in range(0, len(same), self.batch_size):
                if self.draining:
                    return
                yield loaded.complete(same[start : start + self.batch_size], sampling)

    def close(self) -> None:
        vars(self).pop("_loaded", None)

    @cached_property
    def _loaded(self) -> _Loaded:
        try:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise EngineError(
                f"engine kind transformers: {error}; install it with pip install 'distillery[train]'"
            ) from error
        if self.threads:
            torch.set_num_threads(self.threads)
        place: dict[str, Any] = {"revision": self.revision} if self.revision else {}
        try:
            tokenizer = AutoTokenizer.from_pretrained(self.model, **place)
            model = AutoModelForCausalLM.from_pretrained(self.model, dtype=self.dtype, **place)
        except (OSError, ValueError) as error:
            raise EngineError(f"model {self.model!r} cannot be loaded: {error}") from error
        if self.chat_template:
            tokenizer.chat_template = read_template(self.chat_template)
        if not tokenizer.chat_template:
            raise EngineError(f"model {self.model!r} has no chat template; give one with chat_template: FILE")
        return _Loaded(model, tokenizer, self.device)


class _Loaded:
    """Weights and tokenizer, and the loop over tokens."""

    def __init__(self, model: Any, tokenizer: Any, device: str) -> None:
        self._model = model.to(device).eval()
        self.tokenizer = tokenizer
        stops = model.generation_config.eos_token_id
        if stops is None:
            stops = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else []
        self._stops = sorted([stops] if isinstance(stops, int) else stops)
        self._pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        self.positions: int = getattr(model.config, "max_position_embeddings", None) or 1 << 30

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Completion]:
        import torch

        began = monotonic()
        with torch.inference_mode():
            drawn = self._draw(prompts, sampling)
        meta = {"batch": len(prompts), "batch_s": round(monotonic() - began, 3)}
        return [self._reply(prompt, tokens, meta) for prompt, tokens in zip(prompts, drawn, strict=True)]

    def _draw(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[list[int]]:
        """The tokens after each prompt, a stop token included. Rows that are done leave the batch."""
        import torch

        device = self._model.device
        random = torch.Generator(device).manual_seed(derive_seed(*(prompt.request.key for prompt in prompts)))
        longest = max(len(prompt.tokens) for prompt in prompts)
        budget = min(sampling.max_tokens, self.positions - longest)
        gaps = [longest - len(prompt.tokens) for prompt in prompts]
        padded = [[self._pad] * gap + prompt.tokens for gap, prompt in zip(gaps, prompts, strict=True)]
        tokens = torch.tensor(padded, device=device)
        mask = (torch.arange(longest, device=device) >= torch.tensor(gaps, device=device)[:, None]).long()
        position = (mask.cumsum(-1) - 1).clamp(min=0)
        stops = torch.tensor(self._stops, device=device, dtype=torch.long)
        sheet = torch.full((len(prompts), budget), _EMPTY, dtype=torch.long, device=device)
        rows = torch.arange(len(prompts), device=device)  # the prompt that each row of the batch belongs to
        going = torch.ones(len(prompts), dtype=torch.bool, device=device)
        cache = roomy_cache(self._model.config)
        for step in range(budget):
            seen = self._model(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=position,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            drawn = _pick(seen.logits[:, -1].float(), sampling, random)
            sheet[rows, step] = torch.where(going, drawn, _EMPTY)
            going &= ~torch.isin(drawn, stops)
            if sampling.stop:
                going &= self._unstopped(sheet[rows, : step + 1], sampling)
            if (left := int(going.sum())) == 0:
                break
            position = position[:, -1:] + 1
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
            if left <= _SHRINK * len(rows):
                kept = going.nonzero().squeeze(-1)
                cache.batch_select_indices(kept)
                rows, drawn, mask, position, going = (x[kept] for x in (rows, drawn, mask, position, going))
            tokens = drawn[:, None]
        return [[token for token in line if token != _EMPTY] for line in sheet.tolist()]

    def _unstopped(self, sheet: torch.Tensor, sampling: Sampling) -> torch.Tensor:
        tail = max(map(len, sampling.stop)) + 8  # tokens: no string has more of them than characters
        texts = [self._text([t for t in line if t != _EMPTY]) for line in sheet[:, -tail:].tolist()]
        free = [not any(stop in text for stop in sampling.stop) for text in texts]
        return sheet.new_tensor(free).bool()

    def _text(self, tokens: Sequence[int]) -> str:
        # special tokens stay: a tokenizer may hold <think> as one of them
        return self.tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)

    def _reply(self, prompt: Prompt, tokens: list[int], meta: dict[str, Any]) -> Completion:
        stopped = bool(tokens) and tokens[-1] in self._stops
        text = self._text(tokens[:-1] if stopped else tokens)
        for stop in prompt.request.sampling.stop:
            if stop in text:
                text, stopped = text.partition(stop)[0], True
        return prompt.completion(text, "stop" if stopped else "length", tokens=len(tokens), meta=meta)


def _pick(logits: torch.Tensor, sampling: Sampling, random: torch.Generator) -> torch.Tensor:
    """One token a row."""
    import torch

    if sampling.temperature == 0:
        return logits.argmax(-1)
    chances = torch.softmax(logits / sampling.temperature, dim=-1)
    order = None
    if sampling.top_p < 1:
        chances, order = chances.sort(descending=True, dim=-1)
        chances[chances.cumsum(-1) - chances > sampling.top_p] = 0  # the token that crosses the border stays
    heights = chances.cumsum(-1)
    # torch.multinomial draws a random number a token of the vocabulary, this one a row
    where = torch.rand(len(logits), 1, generator=random, device=logits.device) * heights[:, -1:]
    drawn = torch.searchsorted(heights, where, right=True).clamp(max=logits.shape[-1] - 1)
    return (drawn if order is None else order.gather(-1, drawn)).squeeze(-1)
