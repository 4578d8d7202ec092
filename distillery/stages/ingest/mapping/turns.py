"""A conversation as a problem: its last question, the answer to it, and what was said before.

Two turns of the user in a row are one. What has no place in a problem is refused: tools, a system prompt
between turns, an assistant that speaks first or twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from distillery.records import Turns
from distillery.row_files import Drop
from distillery.stages.ingest.mapping.texts import Turn, UnfitError, blank, shown, turn
from distillery.stages.ingest.mapping.thought_tags import parts

_TRANSCRIPT = re.compile(r"(?:\A\s*|\s*\n\n)(Human|User|Assistant):[ \t]*")  # HH-RLHF
Response = Callable[[str, str | None], str]
"""Text and thought of an answer in the one normal form."""


class Conversation(NamedTuple):
    question: str
    text: str | None  # None: the user has the last word
    history: Turns
    """Pairs; the assistant's are without their thoughts, which chat clients never show to a model again."""
    system: str


def conversation(value: Any, response: Response, *, with_system: bool = True) -> Conversation:
    turns = [_read(number, one) for number, one in enumerate(_listed(value), start=1)]
    begins = next((n for n, one in enumerate(turns) if one.role != "system"), len(turns))
    system = "\n\n".join(said for one in turns[:begins] if not blank(said := one.text or ""))
    talk = turns[begins:]
    if not with_system:
        system, talk = "", [one for one in talk if one.role != "system"]
    merged = _merged(talk)
    answer = merged.pop() if merged and merged[-1].role == "assistant" else None
    if not merged:
        raise UnfitError("the conversation has no question", Drop.NO_QUESTION)
    *before, last = merged
    if blank(last.text or ""):
        raise UnfitError("the last question of the conversation is empty", Drop.NO_QUESTION)
    history = tuple((one.role, _without_thought(one, response)) for one in before)
    return Conversation(last.text or "", answer and _text(answer, response), history, system)


def _read(number: int, value: Any) -> Turn:
    try:
        return turn(value)
    except UnfitError as why:
        raise UnfitError(f"turn {number} {why}", why.reason) from None


def _listed(value: Any) -> Sequence[Any]:
    """Also of JSON text, of a transcript, and of one list for each key."""
    if isinstance(value, str) and (said := _TRANSCRIPT.split(value)[1:]) and _TRANSCRIPT.match(value):
        return [{"from": who, "value": what} for who, what in zip(said[::2], said[1::2], strict=True)]
    if isinstance(value, str) and not blank(value):
        try:
            value = json.loads(value)
        except ValueError:
            raise UnfitError(f"is the text {shown(value)}, not a list of turns") from None
    if value is None or value in ("", [], {}) or (isinstance(value, str) and blank(value)):
        raise UnfitError("there is no conversation", Drop.NO_QUESTION)
    if isinstance(value, Mapping):
        keys, columns = [*value], [*cast("Mapping[str, Any]", value).values()]
        if all(isinstance(column, list) for column in columns) and len({len(c) for c in columns}) == 1:
            return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    if not isinstance(value, (list, tuple)):
        raise UnfitError(f"is {shown(value)}, not a list of turns")
    return cast("Sequence[Any]", value)


def _merged(talk: Sequence[Turn]) -> list[Turn]:
    """User and assistant by turns, the user first; an empty answer at the end is none."""
    merged: list[Turn] = []
    for one in talk:
        if one.role in ("system", "tool"):
            raise UnfitError(f"a turn of the {one.role} stands in the conversation, where a problem has none")
        if merged and merged[-1].role == one.role == "user":
            said = (merged.pop().text or "", one.text or "")
            one = Turn("user", "\n\n".join(text for text in said if not blank(text)), None)
        elif merged and merged[-1].role == one.role:
            raise UnfitError("the assistant speaks twice in a row")
        elif not merged and one.role == "assistant":
            raise UnfitError("the assistant speaks first")
        merged.append(one)
    if merged and merged[-1].role == "assistant" and blank(merged[-1].text or "") and not merged[-1].thought:
        merged.pop()
    return merged


def _text(answer: Turn, response: Response) -> str:
    return response(answer.text or "", answer.thought)


def _without_thought(one: Turn, response: Response) -> str:
    said = one.text if one.role == "user" else parts(_text(one, response)).answer
    if said is None or blank(said):
        raise UnfitError(f"an earlier turn of the {one.role} says nothing")
    return said.strip()
