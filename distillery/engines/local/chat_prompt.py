"""A request as tokens for a model in this process, and what the model wrote as a completion."""

from __future__ import annotations

from typing import Any, NamedTuple

from distillery.engines.base import Completion, Failure, FailureKind, Request
from distillery.engines.loops import loop_end
from distillery.engines.normal_form import normal_form
from distillery.reasoning import OPEN


class Prompt(NamedTuple):
    request: Request
    tokens: list[int]
    prefilled: bool  # the template opened the thought

    def too_long(self, positions: int) -> Failure:
        message = f"the prompt has {len(self.tokens)} tokens, the model {positions} positions"
        return Failure(self.request.key, FailureKind.CONTEXT_LENGTH, message)

    def completion(self, text: str, finish: str, *, tokens: int, meta: dict[str, Any]) -> Completion:
        if self.request.sampling.cut_loops and (end := loop_end(text)) is not None:
            text, finish = text[:end], "loop"
        if not self.request.begun:
            text = normal_form(text, prefilled=self.prefilled, cut=finish != "stop")
        meta = meta | ({"prefilled": True} if self.prefilled else {})
        return Completion(self.request.key, text, finish, len(self.tokens), tokens, meta)


def chat_prompt(tokenizer: Any, request: Request, *, template: str | None = None) -> Prompt:
    """Through the chat template, and the turn that it may go on from."""
    turns = [{"role": role, "content": content} for role, content in request.messages]
    own = {"chat_template": template} if template else {}
    text: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **own)
    prefilled = text.rstrip().endswith(OPEN)
    begun = request.begun
    if prefilled and begun.lstrip().startswith(OPEN):
        begun = begun.lstrip().removeprefix(OPEN).lstrip("\n")
    return Prompt(request, tokenizer(text + begun, add_special_tokens=False)["input_ids"], prefilled)
