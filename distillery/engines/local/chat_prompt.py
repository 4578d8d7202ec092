"""A request as one text for a model in this process: its chat template, and the turn it may go on from."""

from __future__ import annotations

from typing import Any

from distillery.engines.base import Request
from distillery.reasoning import OPEN


def chat_prompt(tokenizer: Any, request: Request, *, template: str | None = None) -> tuple[str, bool]:
    """The text to continue, and whether the template itself opened the thought."""
    turns = [{"role": role, "content": content} for role, content in request.messages]
    own = {"chat_template": template} if template else {}
    text: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **own)
    prefilled = text.rstrip().endswith(OPEN)
    begun = request.begun
    if prefilled and begun.lstrip().startswith(OPEN):
        begun = begun.lstrip().removeprefix(OPEN).lstrip("\n")
    return text + begun, prefilled
