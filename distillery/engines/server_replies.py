"""What a server's reply or error means: a completion, a failure of this request, or an endpoint out of use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING, Any

from distillery.engines.base import Completion, Failure, Request
from distillery.engines.normal_form import normal_form

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

_LONGEST_MESSAGE = 500
_TOO_LONG = (
    "context length",
    "context_length",
    "context window",
    "max_model_len",
    "maximum context",
    "too many tokens",
)
_REFUSED = ("content_filter", "content filter", "content management policy", "safety")
_OUT_OF_USE = {
    401: "does not accept the key",
    402: "says that the balance is used up",
    403: "does not let this key in",
    404: "does not know the model or the path",
}
_TRY_AGAIN = frozenset([408, 409, 425])


@dataclass(frozen=True, slots=True)
class Fault:
    """An attempt that failed. One `out_of_use` concerns every request, not this one alone."""

    kind: str  # as in `Failure`
    message: str
    again: bool = False
    wait_s: float | None = None  # as the server asked
    out_of_use: str = ""


def read_completion(request: Request, reply: ChatCompletion, *, prefilled: bool) -> Completion | Failure:
    """Thoughts come as `reasoning`, as `reasoning_content`, or inline: one normal form for all."""
    if not reply.choices:
        return Failure(request.key, "malformed", "the reply has no choices")
    choice = reply.choices[0]
    message = choice.message
    extra: Mapping[str, Any] = message.model_extra or {}
    thought = str(extra.get("reasoning") or extra.get("reasoning_content") or "")
    content = message.content or ""
    cut = choice.finish_reason == "length"
    if choice.finish_reason == "content_filter" or (message.refusal and not content):
        return Failure(request.key, "refused", message.refusal or "stopped by the server's content filter")
    if not content.strip() and not thought.strip():
        return Failure(request.key, "empty", f"no text, finish_reason {choice.finish_reason!r}")
    return Completion(
        key=request.key,
        text=normal_form(content, thought=thought, prefilled=prefilled, cut=cut),
        finish="length" if cut else "stop",
        prompt_tokens=reply.usage.prompt_tokens if reply.usage else 0,
        completion_tokens=reply.usage.completion_tokens if reply.usage else 0,
    )


def read_error(error: Exception) -> Fault:
    """For the exceptions of the openai package."""
    import openai

    text = _short(error)
    if not isinstance(error, openai.APIStatusError):
        if isinstance(error, openai.APIConnectionError):  # a time-out is one, too
            return Fault("transport", text, again=True)
        return Fault("malformed", text, again=True)
    status, said = error.status_code, f"status {error.status_code}: {text}"
    if status == 429:
        return Fault("rate_limit", said, again=True, wait_s=_wait_asked(error.response.headers))
    if status >= 500 or status in _TRY_AGAIN:
        return Fault("transport", said, again=True, wait_s=_wait_asked(error.response.headers))
    if status in _OUT_OF_USE:
        return Fault("transport", said, out_of_use=_OUT_OF_USE[status])
    lowered = f"{error.code} {text}".lower()
    if status == 413 or any(mark in lowered for mark in _TOO_LONG):
        return Fault("context_length", said)
    if any(mark in lowered for mark in _REFUSED):
        return Fault("refused", said)
    return Fault("malformed", said)


def _wait_asked(headers: Mapping[str, str]) -> float | None:
    """Seconds, from Retry-After (seconds or a date) or retry-after-ms."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        after = headers.get("retry-after")
        if after is None:
            return None
        return max(
            0.0, float(after) if after[:1].isdigit() else parsedate_to_datetime(after).timestamp() - time()
        )
    except ValueError:
        return None


def _short(error: Exception) -> str:
    cause = f" ({error.__cause__})" if error.__cause__ and str(error.__cause__) else ""
    return f"{error}{cause}"[:_LONGEST_MESSAGE]
