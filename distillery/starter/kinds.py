"""Kinds of values that a column of somebody's rows may hold, as `shapes.yaml` names them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from distillery.stages.ingest.mapping.choices import choices
from distillery.stages.ingest.mapping.texts import UnfitError, said
from distillery.stages.ingest.mapping.turns import conversation

_TURN = ({"role", "content"}, {"role", "tool_calls"}, {"from", "value"})  # names that make one
_CODE = re.compile(
    r"^\s*(?:```|def \w+\(|class \w+|from [\w.]+ import |import \w|#include\b|public class |function \w+\()",
    re.MULTILINE,
)
_PROSE = 200  # characters: a gold that is longer says why, or how
_TRACE = 2000  # characters: who thinks at length


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _turns(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_turn, value))


def _turn(value: Any) -> bool:
    return isinstance(value, dict) and any({*value} >= names for names in _TURN)


def _choices(value: Any) -> bool:
    try:
        return bool(choices(value).texts)
    except UnfitError:
        return False


def _answered(value: Any) -> bool | None:
    """Whether a conversation ends with an answer; None: it is none."""
    if not _turns(value) and not isinstance(value, str):
        return None
    try:
        return conversation(value, lambda text, _: text).text is not None
    except UnfitError:
        return None


def _reply(value: Any) -> bool:
    """A text, an answer of the assistant's, or a list of one of them."""
    try:
        found = said(value)
    except UnfitError:
        return False
    return not isinstance(value, (int, float)) and bool(found.text) and found.role in ("", "assistant")


def _thought(value: Any) -> bool:
    """Not a word such as "on"."""
    one = value[0] if _texts(value) and len(value) == 1 else value
    return isinstance(one, str) and one.strip().lower() not in ("on", "off", "true", "false")


def _gold(value: Any) -> bool:
    """What a checker could compare: no program, and no prose unless it has a box."""
    one = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(one, str):
        return not _CODE.search(one) and (len(one) <= _PROSE or "\\boxed" in one)
    return isinstance(one, (int, float))


def _truth(value: Any) -> bool:
    return isinstance(value, bool) or str(value).strip().lower() in ("true", "false")


KINDS: dict[str, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "text": lambda value: isinstance(value, str),
    "texts": _texts,
    "long": lambda value: isinstance(value, str) and len(value) >= _TRACE,
    "scalar": lambda value: isinstance(value, (str, int, float)),
    "number": lambda value: isinstance(value, (int, float)),
    "bool": _truth,
    "mapping": lambda value: isinstance(value, dict),
    "turns": _turns,
    "asked": lambda value: _turns(value) and _answered(value) is False,
    "talk": lambda value: _answered(value) is True,
    "reply": _reply,
    "thought": _thought,
    "gold": _gold,
    "choices": _choices,
}
