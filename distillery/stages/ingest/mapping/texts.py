"""What a value of anybody's row says as a text, or why it says none. JSON is never a text.

A text with half of a surrogate pair or a NUL in it is refused, not mended: no file can hold the one, programs
end at the other, and what is left without them may say something else (2, NUL, 3 is not 23).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from math import isfinite
from reprlib import Repr
from typing import Any, NamedTuple, cast

from distillery.row_files import Drop

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlevel = 3
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # categories of characters that nobody sees
_ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("tool", "function", "function_call", "observation", "ipython"), "tool"),
}
_WHO, _WHAT = ("role", "from"), ("content", "value", "text")
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
_PARTS = {"text": "text", "input_text": "text", "output_text": "text"}
_THOUGHT_PARTS = {"thinking": "thinking", "reasoning": "text"}


class UnfitError(ValueError):
    """Why a row cannot be one of ours; `reason` is the ledger's."""

    def __init__(self, detail: str, reason: Drop = Drop.MALFORMED) -> None:
        super().__init__(detail)
        self.reason = reason


class Said(NamedTuple):
    text: str | None
    thought: str | None = None
    role: str = ""  # whose message it is, where it is one


class Turn(NamedTuple):
    role: str
    text: str | None
    thought: str | None


def shown(value: Any) -> str:
    return _SHORT.repr(value)


def blank(text: str) -> bool:
    """Nothing that anybody could see."""
    return all(unicodedata.category(character) in _UNSEEN for character in text)


def whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnfitError(f"has half of a surrogate pair, which is no text: {shown(text)}") from None
    if "\0" in text:
        raise UnfitError(f"has a NUL: {shown(text)}")
    return text


def text(value: Any, *, truth: bool = False) -> str | None:
    """None: missing. `truth`: true and false are texts too."""
    found = said(value, truth=truth)
    if found.thought is not None:
        raise UnfitError("has a thought, which only a response has")
    return found.text


def asked(value: Any) -> str | None:
    found = said(value)
    if found.role not in ("", "user"):
        raise UnfitError(f"is what the {found.role} says, not the user")
    return text(value)


def answered(value: Any) -> Said:
    found = said(value)
    if found.role not in ("", "assistant"):
        raise UnfitError(f"is what the {found.role} says, not the assistant")
    return found


def said(value: Any, *, truth: bool = False) -> Said:
    """A scalar, a list of one, a message, or parts of one; a list of several is what `explode` is for."""
    if isinstance(value, str):
        return Said(whole(value))
    if isinstance(value, Mapping):
        return _of_object(cast("Mapping[str, Any]", value))
    if not isinstance(value, (list, tuple)):
        return Said(_scalar(value, truth=truth))
    items = cast("Sequence[Any]", value)
    if not _objects(items):
        return said(only(items), truth=truth)
    if all("type" in item for item in items):
        return _of_parts(items)
    if all(not {*_WHO}.isdisjoint(item) for item in items):
        raise UnfitError(f"is a list of {len(items)} turns; `messages` reads a conversation")
    raise UnfitError(
        f"is a list of {len(items)} objects: {shown(items)}; `explode` makes a row of each element"
    )


def only(value: Any) -> Any:
    """The element of a list of one; a list of several is what `explode` is for, unless it is of objects."""
    if not isinstance(value, (list, tuple)) or _objects(items := cast("Sequence[Any]", value)):
        return value
    if len(items) > 1 or (items and isinstance(items[0], (list, tuple))):
        raise UnfitError(f"is a list of {len(items)}: {shown(items)}; `explode` makes a row of each element")
    return items[0] if items else None


def _objects(items: Sequence[Any]) -> bool:
    """Several."""
    return len(items) > 1 and all(isinstance(item, Mapping) for item in items)


def turn(value: Any) -> Turn:
    """A message of OpenAI's form (role, content) or ShareGPT's (from, value) that calls no tool."""
    if not isinstance(value, Mapping):
        raise UnfitError(f"is {shown(value)}, not an object with a role")
    message = cast("Mapping[str, Any]", value)
    who = _first(message, _WHO)
    role = _ROLES.get(who.strip().lower()) if isinstance(who, str) else None
    if role is None:
        raise UnfitError(f"has the role {shown(who)}; known: {', '.join(_ROLES)}")
    if message.get("tool_calls") or message.get("function_call"):
        raise UnfitError("calls a tool")
    content = _first(message, _WHAT)
    own = Said(content) if isinstance(content, str) else _content(content)
    fields = {text(message.get(name)) or "" for name in _THOUGHTS} - {""}
    thoughts = {thought for thought in (*fields, own.thought or "") if not blank(thought)}
    if len(thoughts) > 1:
        raise UnfitError("has several thoughts that differ")
    if thoughts and role != "assistant":
        raise UnfitError(f"is the {role}'s and has a thought")
    return Turn(role, own.text and whole(own.text), next(iter(thoughts), None))


def _content(content: Any) -> Said:
    if isinstance(content, Mapping) and "type" not in content:
        raise UnfitError(f"says {shown(content)}, which is no text")
    if isinstance(content, (list, tuple)):
        return _of_parts(cast("Sequence[Any]", content))
    return said(content)


def _of_object(value: Mapping[str, Any]) -> Said:
    if not {*_WHO}.isdisjoint(value) and not {*_WHAT}.isdisjoint(value):
        message = turn(value)
        return Said(message.text, message.thought, message.role)
    if "type" in value:
        return _of_parts([value])
    raise UnfitError(f"is an object: {shown(value)}; a path such as `column.key` goes into it")


def _of_parts(parts: Sequence[Any]) -> Said:
    """A line break parts two of them."""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(whole(part))
            continue
        kind = part.get("type", "text") if isinstance(part, Mapping) else None
        key = {**_PARTS, **_THOUGHT_PARTS}.get(kind) if isinstance(kind, str) else None
        content = part.get(key) if key else None
        if not isinstance(content, str):
            raise UnfitError(f"has a part that is no text: {shown(part)}")
        (thoughts if kind in _THOUGHT_PARTS else texts).append(whole(content))
    return Said("\n".join(texts) if texts else None, "\n".join(thoughts) if thoughts else None)


def _scalar(value: Any, *, truth: bool) -> str | None:
    match value:
        case None:
            return None
        case bool() if truth:
            return json.dumps(value)
        case bool():
            raise UnfitError(f"is {value}, which is no text")
        case float() | Decimal() if not isfinite(value):
            return None
        case int() | float() | Decimal() | date() | time():
            return str(value)
        case _:
            raise UnfitError(f"is {shown(value)}, which is no text")


def _first(message: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((message[name] for name in names if message.get(name) is not None), None)
