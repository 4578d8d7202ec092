"""What the mock server says, and what goes wrong: pure functions of its options and of what it was asked.

All that is random comes from digests of the request, never from the order of arrival.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import shake_128
from itertools import accumulate
from math import exp
from statistics import NormalDist
from struct import Struct
from typing import Annotated, NamedTuple

from pydantic import Field

from distillery.errors import ConfigError
from distillery.reasoning import CLOSE, OPEN, join

Share = Annotated[float, Field(ge=0, le=1)]  # of requests


class Style(StrEnum):
    """How the thought comes back; `distillery.engines.openai.replies` reads all of them.

    * inline: `<think>...</think>` in `content`, as vLLM sends it without `--reasoning-parser`
    * reasoning_content: DeepSeek's API, SGLang, older vLLM (docs.vllm.ai "Reasoning Outputs", e.g. of v0.8.3)
    * reasoning: newer vLLM (the same page of v0.11.2: it "used to be called reasoning_content"), OpenRouter
    * prefilled: the template has opened the thought, so that `content` lacks the opening tag
      (deepseek-ai/DeepSeek-R1, issues 350 and 526)
    * none: no thought
    """

    INLINE = "inline"
    REASONING_CONTENT = "reasoning_content"
    REASONING = "reasoning"
    PREFILLED = "prefilled"
    NONE = "none"


class MockFault(StrEnum):
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    DISCONNECT = "disconnect"
    MALFORMED = "malformed"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    REFUSAL = "refusal"
    HANG = "hang"


LASTING = frozenset({MockFault.TRUNCATED, MockFault.REFUSAL})  # what the model itself says: no retry helps


@dataclass(frozen=True, kw_only=True)
class MockOptions:
    """Each field is a flag of `distillery mock-server`; its help says what they mean."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    model: str = "mock"
    seed: int = 0
    style: Style = Style.INLINE
    words: Annotated[int, Field(ge=1)] = 12
    loop: Share = 0.0
    max_model_len: Annotated[int, Field(ge=1)] = 32_768
    latency_s: Annotated[float, Field(ge=0)] = 0.0
    latency_sigma: Annotated[float, Field(ge=0)] = 0.0
    slow_share: Share = 0.0
    slow_factor: Annotated[float, Field(ge=1)] = 100.0
    capacity: Annotated[int, Field(ge=0)] = 0
    rate_limit: Share = 0.0
    retry_after_s: Annotated[int, Field(ge=0)] = 1
    server_error: Share = 0.0
    disconnect: Share = 0.0
    malformed: Share = 0.0
    empty: Share = 0.0
    truncated: Share = 0.0
    refusal: Share = 0.0
    hang: Share = 0.0
    first_errors: Annotated[int, Field(ge=0)] = 0
    sticky_errors: bool = False
    keep_keys: bool = False

    def __post_init__(self) -> None:
        shares = {fault.value: getattr(self, fault) for fault in MockFault if getattr(self, fault)}
        if any(share < 0 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
            raise ConfigError(f"mock server: the shares {shares} must be 0 or more, and 1 at most in all")

    @cached_property
    def fault_bounds(self) -> tuple[tuple[float, MockFault], ...]:
        """A draw in [0, 1) plays the first fault whose bound is above it."""
        bounds = accumulate(getattr(self, fault) for fault in MockFault)
        return tuple((bound, fault) for bound, fault in zip(bounds, MockFault, strict=True))


class Ask(NamedTuple):
    """A chat body, read.

    `text_key` draws the text, from messages, sampling, seed and the server's seed. Neither a limit nor a
    start of the answer given with `continue_final_message` is part of it: a longer limit gives the same text,
    longer, and a cut text continues as it would have. `key` is of these, too; it draws faults and latency.
    """

    key: bytes
    text_key: bytes
    prompt: str
    prompt_words: int
    max_tokens: int | None
    stop: Sequence[str]
    continued: str | None
    stream: bool
    include_usage: bool


class Reply(NamedTuple):
    thought: str | None  # in a field of its own; None: it stands in the content, or there is none
    content: str | None
    finish: str
    words: int  # as the model wrote it: tags count
    refusal: str | None = None


_draw = Struct("<4I").unpack  # four independent integers below 2**32


def _share(draw: int) -> float:
    return (draw + 0.5) / 2**32


def _lognormal(draw: int, *, median: float, sigma: float) -> float:
    return median * exp(sigma * _NORMAL.inv_cdf(_share(draw)))


def draw_fault(ask: Ask, options: MockOptions) -> MockFault | None:
    share = _share(_draw(ask.key)[0])
    return next((fault for bound, fault in options.fault_bounds if share < bound), None)


def draw_latency_s(ask: Ask, options: MockOptions) -> float:
    if not options.latency_s:
        return 0.0
    _, second, third, _ = _draw(ask.key)
    factor = options.slow_factor if _share(second) < options.slow_share else 1.0
    return factor * _lognormal(third, median=options.latency_s, sigma=options.latency_sigma)


def compose(ask: Ask, options: MockOptions, *, fault: MockFault | None = None) -> Reply:
    if fault is MockFault.EMPTY:
        return Reply(None, "", "stop", 0)
    if fault is MockFault.REFUSAL:
        return Reply(None, None, "content_filter", 0, refusal="I cannot help with that.")
    limit = max(1, options.max_model_len - ask.prompt_words)
    limit = min(limit, ask.max_tokens or limit)
    start = len(ask.continued.split()) if ask.continued else 0
    text = _rest(_whole(ask, options, least=start + limit + 1), ask.continued, style=options.style)
    for stop in ask.stop:
        text = text.partition(stop)[0]
    words = len(text.split())
    if fault is MockFault.TRUNCATED:
        limit = min(limit, max(1, words // 2))
    finish = "stop"
    if words > limit:
        text, finish, words = "".join(WORDS.findall(text)[:limit]), "length", limit
    return _styled(text, ask, finish, words, style=options.style)


_NORMAL = NormalDist()
_VOCABULARY = (
    "so let us first look at the given numbers and see what they say about it then we add both sides check "
    "that sum again wait maybe not this case is smaller than before but now if one takes half of all terms "
    "divides by three or four times two gives an even result "
    "which must be right because every other choice fails here"
)
_BY_BYTE = (_VOCABULARY.split() * 5)[:256]
_WORDS_SIGMA = 0.5
_MARK = re.compile(r"\[\[answer:\s*(.*?)\s*(?:@\s*(\d*\.?\d+)\s*)?\]\]")
WORDS = re.compile(r"\s*\S+|\s+")  # each with the space before it; space at the end is one more


def _whole(ask: Ask, options: MockOptions, *, least: int) -> str:
    """All that the model would write, in normal form; one that loops writes at least so many words."""
    first, second, third, fourth = _draw(ask.text_key)
    if _share(first) < options.loop:
        phrase = _filler(ask.text_key, 6)
        looped = " ".join([phrase] * (least // 6 + 1))
        return looped if options.style is Style.NONE else join(looped, None)
    answer = f"The answer is \\boxed{{{_answer(ask.prompt, third, fourth)}}}"
    if options.style is Style.NONE:
        return answer
    length = max(1, round(_lognormal(second, median=options.words, sigma=_WORDS_SIGMA)))
    return join(_filler(ask.text_key, length), answer)


def _filler(key: bytes, words: int) -> str:
    return " ".join([_BY_BYTE[byte] for byte in shake_128(key).digest(words)])


def _answer(prompt: str, draw: int, other: int) -> str:
    """What the prompt's last mark `[[answer: 42 @0.3]]` says: 42, in 30 % of draws. Without a mark: a
    digit."""
    marks = _MARK.findall(prompt) if "[[answer:" in prompt else []
    if not marks:
        return str(draw % 10)
    right, chance = marks[-1]
    if not chance or _share(draw) < float(chance):
        return right
    miss = other % 9 + 1  # several wrong answers, so that a vote can be played
    return str(int(right) + miss) if re.fullmatch(r"-?\d{1,18}", right) else str(miss)


def _rest(whole: str, continued: str | None, *, style: Style) -> str:
    """What is left to write. A start that this model would not have written is taken on all the same."""
    bare = whole.removeprefix(f"{OPEN}\n")
    if continued is None:
        return bare if style is Style.PREFILLED else whole
    for known in (whole, bare):
        if known.startswith(continued):
            return known[len(continued) :]
    thinking = CLOSE not in continued and (OPEN in continued or style is Style.PREFILLED)
    rest = bare if thinking else bare.rpartition(f"{CLOSE}\n")[2]
    return rest if continued[-1:].isspace() else f" {rest}"


def _styled(text: str, ask: Ask, finish: str, words: int, *, style: Style) -> Reply:
    if style not in (Style.REASONING, Style.REASONING_CONTENT):
        return Reply(None, text, finish, words)
    head, close, rest = text.partition(CLOSE)
    before = ask.continued or ""
    if not close and OPEN not in text and (OPEN not in before or CLOSE in before):
        return Reply(None, text, finish, words)
    return Reply(head.removeprefix(OPEN).strip("\n"), rest.lstrip("\n") or None, finish, words)
