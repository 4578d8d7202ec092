"""Earlier turns of a conversation, as a request, a training row and an exported chat have them."""

from __future__ import annotations

import polars as pl

from distillery.reasoning import join, split
from distillery.records import Turns, earlier_turns

CHAT = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))


def continued(messages: Turns, payload: str | None) -> Turns:
    """The earlier turns stand after a system prompt and worked examples, before the last turn."""
    return (*messages[:-1], *_turns(payload), messages[-1])


def earlier_messages(payload: str | None) -> list[dict[str, str]]:
    """Every assistant's turn has its think block, an empty one."""
    return [
        {"role": role, "content": join("", text) if role == "assistant" else text}
        for role, text in _turns(payload)
    ]


def earlier(table: pl.DataFrame) -> pl.Series:
    """The earlier messages of each row, mostly none."""
    payloads = table["payload"] if "payload" in table.columns else [None] * table.height
    return pl.Series("_earlier", [earlier_messages(payload) for payload in payloads], dtype=CHAT)


def _turns(payload: str | None) -> Turns:
    """Thoughts of earlier turns are nobody's to see again: chat clients leave them out."""
    return tuple((role, split(text).answer or "") for role, text in earlier_turns(payload))
