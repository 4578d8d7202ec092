"""What a server's reply or error means: a completion, a failure of this request, or an endpoint out of
use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from distillery.backoff import asked_s
from distillery.engines.base import Completion, Failure, FailureKind, Reply, Request
from distillery.engines.loops import LOOK_EVERY, loop_end
from distillery.engines.normal_form import normal_form
from distillery.reasoning import CLOSE, OPEN, split

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
_NO_SCHEMA = "response_format", "json_schema"  # as DeepSeek's "This response_format type is unavailable now"
_TRY_AGAIN = frozenset([408, 409, 425])
# "maximum context length is 8192 tokens ... (300 in the messages, 8000 in the completion)" (OpenAI), "300
# tokens from the input messages" (SGLang). vLLM reads a prompt only as far as it may go: its "at least 193
# input tokens" and "the upper bound for 192 input tokens" say nothing of the prompt's length.
_LIMIT = re.compile(r"(?:maximum context length (?:is|of) |max_(?:model_len|total_tokens)=)(\d+)")
_PROMPT = re.compile(
    r"(?<!at least )(?<!bound for )\b(\d+) "
    r"(?:input tokens|in the messages|in the prompt|tokens from the input)"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """An attempt that failed. One `out_of_use` concerns every request, not this one alone."""

    kind: FailureKind
    message: str
    again: bool = False
    gone: bool = False  # no reply at all: the endpoint, more likely than the request
    wait_s: float | None = None  # as the server asked
    out_of_use: str = ""
    limit: int = 0  # tokens of the model's context, if that is what was too small and the server said so
    prompt: int = 0  # tokens of it that the prompt takes, if the server counted them


@dataclass(slots=True)
class Said:
    """One choice of a reply, whole or gathered from a stream."""

    content: str = ""
    thought: str = ""
    refusal: str = ""
    finish: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    looked_at: int = field(default=0)  # characters, when a loop was last looked for
    room: int = 0  # the limit in tokens that the context set, if it was below the one asked for


def whole_reply(body: Any) -> Said | Fault:
    """From the JSON of a reply that came in one piece."""
    try:
        choice = body["choices"][0]
        message = choice["message"]
        usage: Mapping[str, Any] = body.get("usage") or {}
        if not isinstance(message.get("content") or "", str):
            raise TypeError(f"content is a {type(message['content']).__name__}, not a text")
        return Said(
            content=message.get("content") or "",
            thought=str(message.get("reasoning") or message.get("reasoning_content") or ""),
            refusal=message.get("refusal") or "",
            finish=choice.get("finish_reason"),
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        message = f"the reply has no choices[0].message ({type(error).__name__}: {error})"
        return Fault(FailureKind.MALFORMED, message, again=True)


def add_piece(said: Said, piece: Any, *, cut_loops: bool) -> bool:
    """Adds one event of a stream; True when the text has begun to loop and need not be heard any further."""
    if usage := piece.get("usage"):
        said.prompt_tokens = int(usage.get("prompt_tokens") or 0)
        said.completion_tokens = int(usage.get("completion_tokens") or 0)
    for choice in piece.get("choices") or ():
        delta = choice.get("delta") or {}
        said.content += delta.get("content") or ""
        said.thought += delta.get("reasoning") or delta.get("reasoning_content") or ""
        said.refusal += delta.get("refusal") or ""
        said.finish = choice.get("finish_reason") or said.finish
        if not usage:
            said.completion_tokens += (
                1  # a piece is a token, or nearly so; the usage at the end says it exactly
            )
    length = len(said.content) + len(said.thought)
    if not cut_loops or length - said.looked_at < LOOK_EVERY:
        return False
    said.looked_at = length
    return loop_end(said.content or said.thought) is not None


def read_reply(request: Request, said: Said, *, prefilled: bool, must_think: bool) -> Reply:
    """Thoughts come as `reasoning`, as `reasoning_content`, or inline: one normal form for all."""
    said.content, said.thought = _writable(said.content), _writable(said.thought)
    if said.finish == "content_filter" or (said.refusal and not said.content):
        message = _writable(said.refusal) or "stopped by the server's content filter"
        return _failure(request, FailureKind.REFUSED, message, said)
    if not said.content.strip() and not said.thought.strip():
        return _failure(request, FailureKind.EMPTY, f"no text, finish_reason {said.finish!r}", said)
    finish = "length" if said.finish == "length" else "stop"
    if request.sampling.cut_loops:
        finish = _cut_loop(said, finish)
    if request.begun:  # the caller joins it to what was begun, and takes the normal form of the whole
        closed = f"\n{CLOSE}\n{said.content}" if said.content else ""
        text = said.thought + closed if said.thought else said.content
    else:
        text = normal_form(said.content, thought=said.thought, prefilled=prefilled, cut=finish != "stop")
        if must_think and not _thinks(text):
            message = f"no thought in the reply, which begins {said.content[:80]!r}"
            return _failure(request, FailureKind.NO_REASONING, message, said)
    return Completion(
        key=request.key,
        text=text,
        finish=finish,
        prompt_tokens=said.prompt_tokens,
        completion_tokens=said.completion_tokens,
        meta={"room": said.room} if said.room else {},
    )


def read_error(status: int, headers: Mapping[str, str], body: str, *, schema: bool = False) -> Fault:
    """For a reply whose status is not 200; `schema`: it was to be held to one."""
    code, text = _message(body)
    said = f"status {status}: {text}"
    if status == 429:
        return Fault(FailureKind.RATE_LIMIT, said, again=True, wait_s=asked_s(headers))
    if status >= 500 or status in _TRY_AGAIN:
        return Fault(FailureKind.TRANSPORT, said, again=True, wait_s=asked_s(headers))
    lowered = f"{code} {text}".lower()
    if schema and status in (400, 422) and any(mark in lowered for mark in _NO_SCHEMA):
        return Fault(
            FailureKind.MALFORMED,
            said,
            out_of_use="does not hold replies to a JSON schema; set structured: false",
        )
    if status == 403 and any(mark in lowered for mark in _REFUSED):
        return Fault(FailureKind.REFUSED, said)
    if status in _OUT_OF_USE:
        return Fault(FailureKind.TRANSPORT, said, out_of_use=_OUT_OF_USE[status])
    if status == 413 or any(mark in lowered for mark in _TOO_LONG):
        return Fault(
            FailureKind.CONTEXT_LENGTH, said, limit=_number(_LIMIT, text), prompt=_number(_PROMPT, text)
        )
    if any(mark in lowered for mark in _REFUSED):
        return Fault(FailureKind.REFUSED, said)
    return Fault(FailureKind.MALFORMED, said)


def _number(pattern: re.Pattern[str], words: str) -> int:
    found = pattern.search(words)
    return int(found[1]) if found else 0


def _failure(request: Request, kind: FailureKind, message: str, said: Said) -> Failure:
    return Failure(request.key, kind, message, said.prompt_tokens, said.completion_tokens)


def _cut_loop(said: Said, finish: str) -> str:
    name = "content" if said.content.strip() else "thought"  # a thought that came to an answer has ended
    text: str = getattr(said, name)
    if (end := loop_end(text)) is None:
        return finish
    setattr(said, name, text[:end])
    return "loop"


def _writable(text: str) -> str:
    """Halves of surrogate pairs, which JSON can say and no file can hold, are joined or replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _thinks(text: str) -> bool:
    return bool((split(text).reasoning or "").strip()) or text.lstrip().startswith(OPEN)


def _message(body: str) -> tuple[str, str]:
    code, words = _code_and_words(body)
    return code, _writable(words)


def _code_and_words(body: str) -> tuple[str, str]:
    """Of an error, in OpenAI's shape or in any other."""
    try:
        value = json.loads(body)
    except ValueError:
        return "", " ".join(body.split())[:_LONGEST_MESSAGE] or "no words"
    found = cast("Any", value.get("error", value) if isinstance(value, dict) else value)
    if not isinstance(found, dict):
        return "", str(found)[:_LONGEST_MESSAGE]
    words = found.get("message") or found.get("detail") or body
    return f"{found.get('code')} {found.get('type')}", str(words)[:_LONGEST_MESSAGE]
