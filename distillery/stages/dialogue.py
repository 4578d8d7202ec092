"""Earlier turns of a conversation, as a request and as an exported chat have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from distillery.reasoning import join, split
from distillery.records import Turns, earlier_turns

if TYPE_CHECKING:
    from distillery.engines.base import Messages

CHAT = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))


def continued(messages: Messages, payload: str | None) -> Messages:
    """The earlier turns stand after a system prompt and worked examples, before the last turn."""
    return (*messages[:-1], *_turns(payload), messages[-1])


def earlier(table: pl.DataFrame) -> pl.Series:
    """The earlier turns of each row, mostly none; every assistant's turn has its think block, an empty one."""
    payloads = table["payload"] if "payload" in table.columns else [None] * table.height
    chats = [[_message(role, text) for role, text in _turns(payload)] for payload in payloads]
    return pl.Series("_earlier", chats, dtype=CHAT)


def _turns(payload: str | None) -> Turns:
    """Thoughts of earlier turns are nobody's to see again: chat clients leave them out."""
    return tuple((role, split(text).answer or "") for role, text in earlier_turns(payload))


def _message(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": join("", text) if role == "assistant" else text}
