"""A conversation before its question, as a request, a training row and an exported chat have it."""

from __future__ import annotations

import polars as pl

from distillery.reasoning import join, split
from distillery.records import Turns, earlier_turns, system_prompt

CHAT = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))


def continued(messages: Turns, payload: str | None) -> Turns:
    """The earlier turns stand after worked examples, before the last turn; the conversation's system prompt
    stands first, below one that `messages` begin with."""
    *before, last = messages
    system = system_prompt(payload)
    if before and before[0][0] == "system":
        system = beneath(before.pop(0)[1], system)
    first = (("system", system),) if system else ()
    return (*first, *before, *_turns(payload), last)


def beneath(own: str, theirs: str) -> str:
    """Two system prompts as one."""
    return f"{own}\n\n{theirs}" if theirs else own


def earlier_messages(payload: str | None) -> list[dict[str, str]]:
    """The system prompt first; every assistant's turn has its think block, an empty one."""
    system = system_prompt(payload)
    first = [{"role": "system", "content": system}] if system else []
    return first + [
        {"role": role, "content": join("", text) if role == "assistant" else text}
        for role, text in _turns(payload)
    ]


def earlier(table: pl.DataFrame) -> pl.Series:
    """What `earlier_messages` of each row are, mostly none."""
    payloads = table["payload"] if "payload" in table.columns else [None] * table.height
    return pl.Series("_earlier", [earlier_messages(payload) for payload in payloads], dtype=CHAT)


def _turns(payload: str | None) -> Turns:
    """Thoughts of earlier turns are nobody's to see again: chat clients leave them out."""
    return tuple((role, split(text).answer or "") for role, text in earlier_turns(payload))
