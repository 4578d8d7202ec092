"""What is wrong with what an engine gave, told before it is stored: one in a user's own file may give
anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distillery.engines.base import Completion, Failure, FailureKind
from distillery.hashing import is_json, is_text

_FINISHES = ("stop", "length", "loop")


def group_fault(group: Any) -> str | None:
    """Of what `batches` yields at once."""
    if isinstance(group, Sequence) and not isinstance(group, (str, bytes)):
        return None
    return f"it yields {group!r:.80}; it would be a list of replies"


def reply_fault(reply: Any) -> str | None:
    if isinstance(reply, Completion):
        fields = {
            "text": (is_text(reply.text), "a text"),
            "finish": (reply.finish in _FINISHES, f"one of {', '.join(_FINISHES)}"),
            "meta": (type(reply.meta) is dict and is_json(reply.meta), "a JSON object"),
        }
    elif isinstance(reply, Failure):
        fields = {
            "kind": (reply.kind in tuple(FailureKind), f"one of {', '.join(FailureKind)}"),
            "message": (is_text(reply.message), "a text"),
        }
    else:
        return f"a reply is {reply!r:.80}; it would be a Completion or a Failure"
    fields |= {
        "key": (is_text(reply.key), "that of its request"),
        "prompt_tokens": (_is_count(reply.prompt_tokens), "a whole number"),
        "completion_tokens": (_is_count(reply.completion_tokens), "a whole number"),
    }
    what = type(reply).__name__
    faults = (
        f"{name} of a {what} is {getattr(reply, name)!r:.80}; it would be {right}"
        for name, (fits, right) in fields.items()
        if not fits
    )
    return next(faults, None)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0
