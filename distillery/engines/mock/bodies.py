"""The JSON that the mock server takes and gives: chat bodies in, completions, streams and errors out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from distillery.engines.mock.replies import WORDS, Ask, MockOptions, Reply


class BadBodyError(Exception):
    """The message of a 400."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class TooLongError(BadBodyError):
    """More than the model's context holds."""


_SAMPLING = (
    *("seed", "temperature", "top_p", "top_k", "min_p", "stop"),
    *("presence_penalty", "frequency_penalty", "repetition_penalty", "chat_template_kwargs"),
)


def read_body(raw: bytes, *, seed: int, max_model_len: int) -> Ask:
    """Raises BadBodyError. Names that are not known are ignored, as vLLM does."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadBodyError(f"the body is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadBodyError("the body must be a JSON object")
    turns = _turns(body.get("messages"))
    max_tokens, stop, include_usage = _limits(body)
    prompt = "\n".join([text for _, text in turns])
    prompt_words = len(prompt.split())
    if prompt_words + (max_tokens or 1) > max_model_len:  # as vLLM: it is refused, not cut
        raise _too_long(prompt, max_tokens or 0, max_model_len)
    continued = turns.pop()[1] if _continues(body, turns) else None
    text_key = _key(repr((seed, turns, [body.get(name) for name in _SAMPLING])).encode())
    key = _key(text_key + repr((continued, max_tokens)).encode())
    stream = body.get("stream") is True
    return Ask(key, text_key, prompt, prompt_words, max_tokens, stop, continued, stream, include_usage)


def _key(seen: bytes) -> bytes:
    return blake2b(seen, digest_size=16).digest()


def _turns(messages: Any) -> list[tuple[str, str]]:
    if not isinstance(messages, list) or not messages:
        raise BadBodyError("messages: must be a list with at least one message", param="messages")
    turns: list[tuple[str, str]] = []
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise BadBodyError(f"messages[{number}]: must be an object with a role", param="messages")
        content = message.get("content")
        text = content if isinstance(content, str) else _parts(content)
        if text is None:
            raise BadBodyError(
                f"messages[{number}].content: must be a text or a list of texts", param="messages"
            )
        turns.append((message["role"], text))
    return turns


def _parts(content: Any) -> str | None:
    if content is None:
        return ""
    if isinstance(content, list) and all(
        isinstance(part, dict) and isinstance(part.get("text"), str) for part in content
    ):
        return "\n".join(part["text"] for part in content)
    return None


def _limits(body: dict[str, Any]) -> tuple[int | None, Sequence[str], bool]:
    """`max_tokens`, `stop` and whether a stream ends with its usage."""
    max_tokens = body.get("max_completion_tokens")
    max_tokens = body.get("max_tokens") if max_tokens is None else max_tokens
    if max_tokens is not None and (not _is_int(max_tokens) or max_tokens < 1):
        raise BadBodyError(f"max_tokens must be at least 1, got {max_tokens!r}.", param="max_tokens")
    for name, low, high in (("temperature", 0.0, float("inf")), ("top_p", 0.0, 1.0)):
        value = body.get(name)
        if value is not None and not (
            isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
        ):
            raise BadBodyError(
                f"{name} must be a number from {low:g} to {high:g}, got {value!r}.", param=name
            )
    if body.get("n") not in (None, 1):
        raise BadBodyError(f"n must be 1 here, got {body['n']!r}.", param="n")
    stop = body.get("stop") or ()
    stop = (stop,) if isinstance(stop, str) else stop
    if not isinstance(stop, (list, tuple)) or not all(isinstance(text, str) and text for text in stop):
        raise BadBodyError("stop must be a text or a list of texts.", param="stop")
    options = body.get("stream_options")
    return max_tokens, stop, isinstance(options, dict) and options.get("include_usage") is True


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _continues(body: dict[str, Any], turns: Sequence[tuple[str, str]]) -> bool:
    if body.get("continue_final_message") is not True:
        return False
    if body.get("add_generation_prompt") is True:  # as vLLM has it
        raise BadBodyError(
            "Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
            param="continue_final_message",
        )
    if turns[-1][0] != "assistant":
        raise BadBodyError(
            "continue_final_message: the last message must be the assistant's", param="messages"
        )
    return True


def _too_long(prompt: str, max_tokens: int, limit: int) -> TooLongError:
    """In the words of vLLM 0.30 (vllm/renderers/params.py); clients tell it by them."""
    if max_tokens > limit:
        return TooLongError(
            f"max_tokens={max_tokens} cannot be greater than max_model_len=max_total_tokens={limit}. Please request "
            "fewer output tokens.",
            param="max_tokens",
        )
    letters = len(prompt)
    counted = limit - max_tokens + 1  # vLLM reads no more of a prompt than one token too many
    asked = f"This model's maximum context length is {limit} tokens. However, you requested {max_tokens} output tokens "
    advice = "Please reduce the length of the input prompt or the number of requested output tokens."
    if max_tokens >= limit:  # then vLLM does not count the prompt's tokens
        return TooLongError(
            f"{asked}and your prompt contains {letters} characters (more than 0 characters, which is the upper bound "
            f"for 0 input tokens). {advice}",
            param="input_text",
        )
    total = f"for a total of at least {counted + max_tokens} tokens. "
    return TooLongError(
        f"{asked}and your prompt contains at least {counted} input tokens, {total}{advice}",
        param="input_tokens",
    )


_MOST_CHUNKS = 32  # that a stream has for each field


def completion_body(ask: Ask, reply: Reply, options: MockOptions, *, created: int) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": reply.content}
    if reply.thought is not None:
        message[options.style.value] = reply.thought
    if reply.refusal:
        message["refusal"] = reply.refusal
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish}
    body = _frame(ask, options, "chat.completion", created)
    return json.dumps(body | {"choices": [choice], "usage": _usage(ask, reply)}).encode()


def stream_events(ask: Ask, reply: Reply, options: MockOptions, *, created: int) -> list[bytes]:
    """The same reply as server-sent events, `data: [DONE]` included."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{options.style.value: piece} for piece in _pieces(reply.thought)]
    deltas += [{"content": piece} for piece in _pieces(reply.content)]
    if reply.refusal:
        deltas.append({"refusal": reply.refusal})
    frame = _frame(ask, options, "chat.completion.chunk", created)
    chunks = [
        frame | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]}
        for delta in deltas
    ]
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": reply.finish}
    chunks.append(frame | {"choices": [last]})
    if ask.include_usage:
        chunks.append(frame | {"choices": [], "usage": _usage(ask, reply)})
    return [b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks] + [b"data: [DONE]\n\n"]


def error_body(message: str, *, kind: str, status: int, param: str | None = None) -> bytes:
    """OpenAI's shape, with the status as code as vLLM has it."""
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": status}}).encode()


def _pieces(text: str | None) -> list[str]:
    words = WORDS.findall(text or "")
    size = -(-len(words) // _MOST_CHUNKS) or 1
    return ["".join(words[begin : begin + size]) for begin in range(0, len(words), size)]


def _frame(ask: Ask, options: MockOptions, kind: str, created: int) -> dict[str, Any]:
    return {"id": f"chatcmpl-{ask.key.hex()}", "object": kind, "created": created, "model": options.model}


def _usage(ask: Ask, reply: Reply) -> dict[str, int]:
    total = ask.prompt_words + reply.words
    return {"prompt_tokens": ask.prompt_words, "completion_tokens": reply.words, "total_tokens": total}
