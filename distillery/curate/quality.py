"""What is wrong with a response, apart from being wrong: closed reasons, each with its own test.

A response is text in normal form; `thinking` says whether it must hold a thought or an empty block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import polars as pl

from distillery.curate.language import slip
from distillery.curate.repetition import find_loop
from distillery.reasoning import CLOSE, OPEN, Parts, boxes, split
from distillery.records import Thinking


class Reason(StrEnum):
    TRUNCATED = "truncated"  # the token limit ended it
    NO_THOUGHT = "no_thought"  # no think block, not even the empty one that stands where no thought is wanted
    UNCLOSED = "unclosed"
    EMPTY_THOUGHT = "empty_thought"
    UNWANTED_THOUGHT = "unwanted_thought"
    NO_ANSWER = "no_answer"
    SPECIAL_TOKENS = "special_tokens"
    SEVERAL_ANSWERS = "several_answers"
    TOO_SHORT = "too_short"
    MIXED_LANGUAGE = "mixed_language"
    REPETITION = "repetition"
    LONG_PARAGRAPH = "long_paragraph"
    MESSY_CODE = "messy_code"
    REFUSAL = "refusal"
    OTHER_MAKER = "other_maker"


class Fault(NamedTuple):
    reason: Reason
    detail: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    min_thought_characters: int = 8
    min_language_share: float = 0.7  # of a thought in a language not written in Latin letters
    min_loop_tokens: int = 60
    min_loop_times: float = 5.0  # rounds; 3 for periods of 40 tokens and more
    max_paragraph_characters: int = 6000  # of prose, between empty lines
    max_thought_code_share: float = 0.5  # of the thought's characters that stand in code blocks
    max_answers: int = 1  # different boxed values after the thought
    own_names: tuple[str, ...] = ()  # models and makers that the response may say it is


@dataclass(frozen=True, kw_only=True)
class Response:
    text: str
    question: str = ""
    language: str = ""  # of the thought; "" = not checked
    thinking: Thinking = Thinking.ON
    finish: str = ""
    may_refuse: bool = False

    @cached_property
    def parts(self) -> Parts:
        return split(self.text)

    @property
    def thought(self) -> str:
        return self.parts.reasoning or ""

    @property
    def answer(self) -> str:
        return self.parts.answer or ""


_SPECIAL = (  # what must stand in a text for the search to begin, and the search
    (
        "<",
        re.compile(
            r"<(?:[|｜][^|｜<>\n]{1,40}[|｜]>|/?s>|(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|<SYS>>|0x[0-9A-F]{2}>)"
        ),
    ),
    ("INST]", re.compile(r"\[/?INST\]")),
    ("\ufffd" * 3, re.compile(r"\ufffd{3}")),
)
_FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)
_REFUSAL = re.compile(
    r"\A\W*(?:(?:I['’]m|I am) (?:very |so |truly |really )?(?:sorry|afraid)\b[^.\n]{0,80}?"
    r"\b(?:can(?:no|['’])t|unable|not able|won['’]t)\b"
    r"|(?:sorry|I apologi[sz]e|unfortunately|as an AI)\b[^.\n]{0,100}?"
    r"\b(?:can(?:no|['’])t|unable to|not able to|won['’]t)\b (?:be able to )?"
    r"(?:help|assist|provide|fulfil|comply|answer|support|create|write|engage|do|continue|offer|discuss|give)"
    r"|I (?:can(?:no|['’])t|won['’]t|am unable to|['’]m unable to|must decline|must refuse)\b (?:to )?"
    r"(?:help|assist|provide|fulfil|comply|answer|support|create|write|engage|offer|discuss|give)"
    r"|(?:很?抱歉|对不起|非常抱歉)[^。\n]{0,40}(?:无法|不能|不可以|不便)"
    r"|(?:作为(?:一个|一名)?(?:AI|人工智能)[^。\n]{0,30}|我)(?:无法|不能)(?:提供|帮助|协助|回答|满足))",
    re.IGNORECASE,
)
_NAMES = (
    *(
        "chatgpt",
        "gpt",
        "openai",
        "claude",
        "anthropic",
        "gemini",
        "bard",
        "google",
        "qwen",
        "tongyi",
        "alibaba",
    ),
    *(
        "llama",
        "meta ai",
        "mistral",
        "grok",
        "xai",
        "deepseek",
        "kimi",
        "moonshot",
        "ernie",
        "baidu",
        "doubao",
    ),
    *("bytedance", "chatglm", "zhipu", "通义千问", "阿里", "文心一言", "百度", "豆包", "字节跳动", "智谱"),
    *("深度求索", "月之暗面", "讯飞星火", "科大讯飞"),
)
"""Models and their makers, in lower case."""
_MAKERS = rf"(?:{'|'.join(_NAMES)})(?:-?\d[\w.]*|-\w+| ai| cloud| deepmind|巴巴|云|清言)?"
_OTHER_MAKER = re.compile(
    rf"\b(?:I['’]m|I am|my name is|as|call me)\s+(?:an? |the )?(?:AI |language |model |assistant |called |named )*"
    rf"(?P<name>{_MAKERS})\b(?!['’]s)"
    r"|\b(?:I|me|As an? (?:AI|large language|language)[\w ]{0,30})[^.\n]{0,60}?"
    r"\b(?:created|developed|made|trained|built|designed)\s+by\s+(?:the )?(?:team at |researchers at |company )?"
    rf"(?P<maker>{_MAKERS})\b"
    rf"|我(?:是|叫)[^。\n]{{0,12}}?(?P<chinese>{_MAKERS})"
    rf"|我[^。\n]{{0,15}}由[^。\n]{{0,8}}?(?P<creator>{_MAKERS})[^。\n]{{0,10}}(?:开发|训练|研发|创造|创建|打造|推出)",
    re.IGNORECASE,
)


def name_makers(texts: pl.Series) -> pl.Series:
    """For a whole column at once, as one search takes as long as forty: whether a text names any maker."""
    return texts.str.contains_any(list(_NAMES), ascii_case_insensitive=True)


def faults(
    response: Response, limits: Limits = Limits(), *, cleared: Container[Reason] = ()
) -> Iterator[Fault]:
    """All that is wrong, in the order of `Reason`; a response cut off or without its block is not looked into.

    `cleared`: reasons that are known not to hold.
    """
    shape = _shape(response)
    if shape:
        yield shape
        return
    for reason, test in _TESTS.items():
        if reason not in cleared and (detail := test(response, limits)):
            yield Fault(reason, detail)


def _shape(response: Response) -> Fault | None:
    reasoning, answer = response.parts
    wanted = response.thinking is Thinking.ON
    if response.finish == "length":
        return Fault(Reason.TRUNCATED, "ended at the token limit")
    if reasoning is None:
        kind = "no thought" if wanted else "no empty block before the answer"
        return Fault(Reason.NO_THOUGHT, kind)
    if answer is None:
        return Fault(Reason.UNCLOSED, "the thought was never closed")
    if wanted and not reasoning:
        return Fault(Reason.EMPTY_THOUGHT, "a thought is wanted and the block is empty")
    if reasoning and not wanted:
        return Fault(
            Reason.UNWANTED_THOUGHT, f"a thought of {len(reasoning)} characters where none is wanted"
        )
    if not answer:
        return Fault(Reason.NO_ANSWER, "nothing after the thought")
    return None


def _special_tokens(response: Response, _limits: Limits) -> str | None:
    found = (pattern.search(response.text) for mark, pattern in _SPECIAL if mark in response.text)
    if first := min(filter(None, found), key=re.Match.start, default=None):
        return f"special token {first[0]!r}"
    head, _, rest = response.text.partition(CLOSE)
    inside = head.lstrip().removeprefix(OPEN)
    return "more than one think tag" if OPEN in inside or OPEN in rest or CLOSE in rest else None


def _several_answers(response: Response, limits: Limits) -> str | None:
    found = list(dict.fromkeys("".join(box.split()) for box in boxes(response.answer)))
    return f"different boxed answers: {', '.join(found)[:120]}" if len(found) > limits.max_answers else None


def _too_short(response: Response, limits: Limits) -> str | None:
    if response.thinking is Thinking.OFF or len(response.thought) >= limits.min_thought_characters:
        return None
    return f"a thought of {len(response.thought)} characters, least is {limits.min_thought_characters}"


def _mixed_language(response: Response, limits: Limits) -> str | None:
    if not response.language:
        return None
    return slip(
        response.thought, response.language, question=response.question, min_share=limits.min_language_share
    )


def _repetition(response: Response, limits: Limits) -> str | None:
    loop = find_loop(response.text, min_tokens=limits.min_loop_tokens, min_times=limits.min_loop_times)
    if loop is None:
        return None
    return f"{loop.times:.1f} times a stretch of {loop.period} tokens: {loop.text[:60]!r}"


def _long_paragraph(response: Response, limits: Limits) -> str | None:
    if len(response.text) <= limits.max_paragraph_characters:
        return None
    if max(map(len, response.text.split("\n\n"))) <= limits.max_paragraph_characters:
        return None
    prose = "\n\n".join(_between_fences(response.text)[::2])
    longest = max(map(len, re.split(r"\n\s*\n", prose)))
    most = limits.max_paragraph_characters
    return f"a paragraph of {longest} characters, most is {most}" if longest > most else None


def _between_fences(text: str) -> list[str]:
    """Prose and code in turn, prose first: an even number of pieces means that the last block is open."""
    return _FENCE.split(text)


def _messy_code(response: Response, limits: Limits) -> str | None:
    if "```" not in response.text:
        return None
    for part, name in ((response.thought, "thought"), (response.answer, "answer")):
        pieces = _between_fences(part)
        if len(pieces) % 2 == 0:
            return f"a code block in the {name} is not closed"
        blocks = pieces[1::2]
        if any(not block.strip() for block in blocks):
            return f"an empty code block in the {name}"
        share = sum(map(len, blocks)) / max(len(part), 1)
        if name == "thought" and share > limits.max_thought_code_share:
            return f"{share:.2f} of the thought is code, most is {limits.max_thought_code_share:g}"
    return None


def _refusal(response: Response, _limits: Limits) -> str | None:
    found = None if response.may_refuse else _REFUSAL.search(response.answer[:400])
    return f"opens with {found[0][:80]!r}" if found else None


def _other_maker(response: Response, limits: Limits) -> str | None:
    own = tuple(name.lower() for name in limits.own_names)
    for found in _OTHER_MAKER.finditer(response.text):
        name = next(group for group in found.groups() if group)
        if not name.lower().startswith(own):
            return f"says it is of another maker: {found[0][:80]!r}"
    return None


_TESTS: dict[Reason, Callable[[Response, Limits], str | None]] = {
    Reason.SPECIAL_TOKENS: _special_tokens,
    Reason.SEVERAL_ANSWERS: _several_answers,
    Reason.TOO_SHORT: _too_short,
    Reason.MIXED_LANGUAGE: _mixed_language,
    Reason.REPETITION: _repetition,
    Reason.LONG_PARAGRAPH: _long_paragraph,
    Reason.MESSY_CODE: _messy_code,
    Reason.REFUSAL: _refusal,
    Reason.OTHER_MAKER: _other_maker,
}
