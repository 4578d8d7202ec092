"""What a server's reply or error means: a completion, a failure of this request, or an endpoint out of
use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from distillery.backoff import asked_s
from distillery.engines.base import MOST_TOKENS, Completion, Failure, FailureKind, Reply, Request
from distillery.engines.loops import LOOK_EVERY, loop_end
from distillery.engines.normal_form import normal_form
from distillery.engines.openai.bodies import parsed
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
# What servers call it when they have said all, had to stop at a limit, would not go on, or called a tool; any
# other word, or none, is no sign that an answer is whole.
_FINISHES = {
    **dict.fromkeys(
        ("stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete", "completed"), "stop"
    ),
    **dict.fromkeys(("length", "max_tokens", "model_length", "max_length", "max_new_tokens"), "length"),
    **dict.fromkeys(
        ("content_filter", "sensitive", "safety", "recitation", "blocklist", "refusal"), "refused"
    ),
    **dict.fromkeys(("prohibited_content", "spii", "content_filtered", "guardrail_intervened"), "refused"),
    **dict.fromkeys(("tool_calls", "tool_call", "function_call", "tool_use"), "tool_call"),
}
_LONGEST_PIECE = 20  # characters, on average, of the pieces of a stream that are tokens
_BYTES_A_TOKEN = 3  # rather too few, so that what is reckoned is rather too many
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
    paid: tuple[int, int] = (0, 0)  # tokens of a prompt and of a reply that came to nothing


@dataclass(slots=True)
class Said:
    """One choice of a reply, whole or gathered from a stream."""

    content: str = ""
    thought: str = ""
    refusal: str = ""
    finish: Any = None
    usage: Any = None
    pieces: int = 0  # of a stream: a piece is a token, or nearly so
    looped: bool = False  # and was therefore heard no further
    looked_at: int = field(default=0)  # characters, when a loop was last looked for
    room: int = 0  # the limit in tokens that the context set, if it was below the one asked for

    @property
    def tokens(self) -> tuple[int | None, int | None]:
        """Of the prompt and of the reply, as far as the server gives counts that can be."""
        found = self.usage if isinstance(self.usage, dict) else {}
        prompt, reply = _count(found.get("prompt_tokens")), _count(found.get("completion_tokens"))
        said = len(self.content) + len(self.thought)
        likely = self.pieces if self.pieces * _LONGEST_PIECE >= said else 0
        return prompt or None, reply or likely or (None if said else 0)


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < 11:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_TOKENS:
        return None
    return int(value) if value == int(value) else None


def whole_reply(body: Any) -> Said | Fault:
    """From the JSON of a reply that came in one piece."""
    if isinstance(body, dict) and body.get("error") and not body.get("choices"):
        return read_error(500, {}, json.dumps(body, default=str))
    try:
        choice = body["choices"][0]
        message = choice["message"]
        return Said(
            content=_text(message, "content"),
            thought=_text(message, "reasoning") or _text(message, "reasoning_content"),
            refusal=_words(message.get("refusal")),
            finish=_finish(choice, message),
            usage=body.get("usage"),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        message = f"the reply has no choices[0].message ({type(error).__name__}: {error})"
        return Fault(FailureKind.MALFORMED, message, again=True)


def add_piece(said: Said, piece: Any, *, cut_loops: bool) -> bool:
    """Adds one event of a stream; True when the text has begun to loop and need not be heard any further."""
    said.usage = piece.get("usage") or said.usage
    for choice in piece.get("choices") or ():
        delta = choice.get("delta") or {}
        said.content += _text(delta, "content")
        said.thought += _text(delta, "reasoning") or _text(delta, "reasoning_content")
        said.refusal += _words(delta.get("refusal"))
        said.finish = _finish(choice, delta) or said.finish
        said.pieces += 1
    length = len(said.content) + len(said.thought)
    if not cut_loops or length - said.looked_at < LOOK_EVERY:
        return False
    said.looked_at = length
    said.looped = loop_end(said.content or said.thought) is not None
    return said.looped


def _text(message: Mapping[str, Any], name: str) -> str:
    """A text or null, or parts of which those are taken that are text. Raises TypeError."""
    value = message.get(name)
    if isinstance(value, list):
        return "".join(part if isinstance(part, str) else _text(part, "text") for part in value)
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError(f"{name} is {value!r:.80}, which is no text")


def _words(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, default=str)[:_LONGEST_MESSAGE]
        if value
        else ""
    )


def _finish(choice: Mapping[str, Any], message: Mapping[str, Any]) -> Any:
    """A call of a tool is one, also where the server says that it stopped."""
    return (
        "tool_calls"
        if message.get("tool_calls") or message.get("function_call")
        else choice.get("finish_reason")
    )


def read_reply(request: Request, said: Said, *, prefilled: bool, must_think: bool) -> Reply | Fault:
    """Thoughts come as `reasoning`, as `reasoning_content`, or inline: one normal form for all. A fault where
    asking again may give more."""
    said.content, said.thought = _writable(said.content), _writable(said.thought)
    reckoned, paid = _reckoned(request, said)
    finish = _FINISHES.get(str(said.finish).lower().removeprefix("finish_reason_"), "")
    if finish == "refused" or (said.refusal and not said.content):
        message = _writable(said.refusal) or f"stopped by the server's content filter ({said.finish!r:.40})"
        return Failure(request.key, FailureKind.REFUSED, message, *paid)
    if finish == "tool_call":
        return Failure(request.key, FailureKind.TOOL_CALL, "a call of a tool, which nobody offered it", *paid)
    if not finish and not said.looped:
        message = (
            f"finish_reason {said.finish!r:.40} after {len(said.content) + len(said.thought)} characters"
        )
        return Fault(
            FailureKind.UNFINISHED, f"{message}; stop or length would end a reply", again=True, paid=paid
        )
    if not said.content.strip() and not said.thought.strip():
        message = f"no text, finish_reason {said.finish!r:.40}"
        return Fault(FailureKind.EMPTY, message, again=finish == "stop", paid=paid)
    finish = finish or "stop"
    if request.sampling.cut_loops:
        finish = _cut_loop(said, finish)
    if request.begun:  # the caller joins it to what was begun, and takes the normal form of the whole
        closed = f"\n{CLOSE}\n{said.content}" if said.content else ""
        text = said.thought + closed if said.thought else said.content
    else:
        text = normal_form(said.content, thought=said.thought, prefilled=prefilled, cut=finish != "stop")
        if must_think and not _thinks(text):
            message = f"no thought in the reply, which begins {said.content[:80]!r}"
            return Failure(request.key, FailureKind.NO_REASONING, message, *paid)
    meta = {**({"room": said.room} if said.room else {}), **({"reckoned": reckoned} if reckoned else {})}
    return Completion(request.key, text, finish, *paid, meta=meta)


def _reckoned(request: Request, said: Said) -> tuple[str, tuple[int, int]]:
    """Tokens of prompt and reply; what the server does not count is reckoned from its bytes, and said."""
    prompt, reply = said.tokens
    texts = (*(text for _, text in request.messages), request.begun)
    paid = (
        _tokens(*texts) if prompt is None else prompt,
        _tokens(said.content, said.thought) if reply is None else reply,
    )
    return "" if None not in (
        prompt,
        reply,
    ) else f"the server counts {_words(said.usage)[:80] or 'nothing'}", paid


def _tokens(*texts: str) -> int:
    return -(-sum(len(text.encode(errors="replace")) for text in texts) // _BYTES_A_TOKEN)


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
    return number if found and (number := int(found[1][:20])) <= MOST_TOKENS else 0


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
        value = parsed(body)
    except ValueError:
        return "", " ".join(body.split())[:_LONGEST_MESSAGE] or "no words"
    found = cast("Any", value.get("error", value) if isinstance(value, dict) else value)
    if not isinstance(found, dict):
        return "", str(found)[:_LONGEST_MESSAGE]
    words = found.get("message") or found.get("detail") or body
    return f"{found.get('code')} {found.get('type')}", str(words)[:_LONGEST_MESSAGE]
