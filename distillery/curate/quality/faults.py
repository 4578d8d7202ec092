"""What is wrong with a response, apart from being wrong: closed reasons, each with its own test.

A response is text in normal form; `thinking` says whether it must hold a thought or an empty block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from distillery.curate.quality.claimed_makers import claimed_maker
from distillery.curate.quality.language_mix import slip
from distillery.curate.quality.loops import find_loop
from distillery.reasoning import CLOSE, OPEN, Parts, boxes, split, visible
from distillery.records import Thinking
from distillery.verify.identify import named_in
from distillery.verify.language import question_language
from distillery.verify.refusal import refusal


class Reason(StrEnum):
    TRUNCATED = "truncated"
    """The token limit ended it."""
    NO_THOUGHT = "no_thought"
    """No think block, not even the empty one that stands where no thought is wanted."""
    UNCLOSED = "unclosed"
    """The thought was never closed."""
    EMPTY_THOUGHT = "empty_thought"
    """A thought is wanted, and the block is empty."""
    UNWANTED_THOUGHT = "unwanted_thought"
    """None is wanted, and the block says something."""
    NO_ANSWER = "no_answer"
    """Nothing stands after the thought."""
    SPECIAL_TOKENS = "special_tokens"
    """Tokens of a chat template, or more than one think tag."""
    SEVERAL_ANSWERS = "several_answers"
    """Different boxed answers."""
    TOO_SHORT = "too_short"
    """A thought of a few characters."""
    MIXED_LANGUAGE = "mixed_language"
    """A thought that slips out of the wanted language, or an answer in neither that nor the question's."""
    REPETITION = "repetition"
    """It goes in a loop."""
    LONG_PARAGRAPH = "long_paragraph"
    """A paragraph that does not end."""
    MESSY_CODE = "messy_code"
    """A code block that is empty or not closed, or a thought that is mostly code."""
    REFUSAL = "refusal"
    """The answer refuses."""
    OTHER_MAKER = "other_maker"
    """It says that it is another maker's model."""


class Fault(NamedTuple):
    reason: Reason
    detail: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Every number that the rules go by. Tokens are words and signs, not a model's."""

    min_thought_characters: int = 8
    """Characters of a thought at least."""
    min_language_share: float = 0.7
    """Share of the wanted language, in a thought that is not to be in Latin letters."""
    min_foreign_words: int = 8
    """Words of another language for that share to count: fewer are terms."""
    min_loop_tokens: int = 160
    """Tokens of a loop at least, all its rounds together."""
    min_loop_times: float = 5.0
    """Rounds of a loop at least, where its period is below long_loop_period."""
    long_loop_period: int = 40
    """Tokens of a round from which on a loop is a long one."""
    min_long_loop_times: float = 3.0
    """Rounds of a long loop at least."""
    min_wordless_loop_tokens: int = 800
    """Tokens at least of loops of signs and digits, and of loops in code blocks."""
    max_paragraph_characters: int = 6000
    """Characters of prose between empty lines at most."""
    max_thought_code_share: float = 0.5
    """Share of a thought's characters that may stand in code blocks."""
    max_answers: int = 1
    """Different boxed values after the thought at most."""
    refusal_characters: int = 400
    """Characters of the answer's beginning in which a refusal is looked for."""
    own_names: tuple[str, ...] = ()
    """Models and makers that the response may say it is."""


@dataclass(frozen=True, kw_only=True)
class Response:
    text: str
    question: str = ""
    language: str = ""  # wanted of the thought; "" = unknown, not checked
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
    def said(self) -> str:
        """The thought, or without one the answer."""
        return self.thought or self.answer

    @property
    def answer(self) -> str:
        return self.parts.answer or ""


SPECIAL = (  # what must stand in a text for the search to begin, and the search
    (
        "<",
        re.compile(
            r"<(?:[|｜][^|｜<>\n]{1,40}[|｜]>|/?s>|(?:bos|eos|pad|unk|start_of_turn|end_of_turn)>|<SYS>>|0x[0-9A-F]{2}>)"
        ),
    ),
    ("INST]", re.compile(r"\[/?INST\]")),
    ("\ufffd" * 3, re.compile(r"\ufffd{3}")),
)
_OPENING = re.compile(rf"\s*{OPEN}")
_FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)


def faults(
    response: Response,
    limits: Limits = Limits(),
    *,
    known: Mapping[Reason, str | None] = MappingProxyType({}),
) -> Iterator[Fault]:
    """All that is wrong, in the order of `Reason`; what is cut off or without its block is not looked into.

    `known`: what need not be asked any more, the detail where a reason holds, None where it does not.
    """
    if fault := shape(response):
        yield fault
        return
    for reason, test in _TESTS.items():
        detail = known[reason] if reason in known else test(response, limits)
        if detail:
            yield Fault(reason, detail)


def shape(response: Response) -> Fault | None:
    """What keeps it from being looked into: it is cut off, or lacks a part, or has one that is not wanted."""
    reasoning, answer = response.parts
    wanted = response.thinking is Thinking.ON
    if response.finish == "length":
        return Fault(Reason.TRUNCATED, "ended at the token limit")
    if reasoning is None:
        return Fault(Reason.NO_THOUGHT, "no thought" if wanted else "no empty block before the answer")
    if answer is None:
        return Fault(Reason.UNCLOSED, "the thought was never closed")
    if wanted and not visible(reasoning).strip():
        return Fault(Reason.EMPTY_THOUGHT, "a thought is wanted and the block is empty")
    if reasoning and not wanted:
        detail = f"a thought of {len(reasoning)} characters where none is wanted"
        return Fault(Reason.UNWANTED_THOUGHT, detail)
    return None if visible(answer).strip() else Fault(Reason.NO_ANSWER, "nothing after the thought")


def _special_tokens(response: Response, _limits: Limits) -> str | None:
    found = (pattern.search(response.text) for mark, pattern in SPECIAL if mark in response.text)
    if first := min(filter(None, found), key=re.Match.start, default=None):
        return f"special token {first[0]!r}"
    opened = response.text.count(OPEN) - bool(_OPENING.match(response.text))
    return "more than one think tag" if opened or response.text.count(CLOSE) > 1 else None


def _several_answers(response: Response, limits: Limits) -> str | None:
    if response.answer.count("boxed") + response.answer.count("fbox") <= limits.max_answers:
        return None
    found = list(dict.fromkeys("".join(box.split()) for box in boxes(response.answer)))
    return f"different boxed answers: {', '.join(found)[:120]}" if len(found) > limits.max_answers else None


def _too_short(response: Response, limits: Limits) -> str | None:
    length = len(visible(response.thought).strip())
    if response.thinking is Thinking.OFF or length >= limits.min_thought_characters:
        return None
    return f"a thought of {length} characters, least is {limits.min_thought_characters}"


def _mixed_language(response: Response, limits: Limits) -> str | None:
    if not response.language:
        return None
    if found := _slip(response.thought, response.language, response, limits):
        return found
    named = named_in(response.question)  # "Translate into German: ..."
    if named is None:
        return None
    allowed = {question_language(response.question).language, response.language, *named} - {""}
    others = [_slip(response.answer, each, response, limits) for each in sorted(allowed)]
    return f"the answer: {others[-1]}" if all(others) else None


def _slip(text: str, language: str, response: Response, limits: Limits) -> str | None:
    return slip(
        text,
        language,
        question=response.question,
        min_share=limits.min_language_share,
        min_foreign=limits.min_foreign_words,
    )


def _repetition(response: Response, limits: Limits) -> str | None:
    loop = find_loop(
        response.text,
        min_tokens=limits.min_loop_tokens,
        min_times=limits.min_loop_times,
        long_period=limits.long_loop_period,
        min_long_times=limits.min_long_loop_times,
        min_wordless_tokens=limits.min_wordless_loop_tokens,
    )
    if loop is None:
        return None
    return f"{loop.times:.1f} times a stretch of {loop.period} tokens: {loop.text[:60]!r}"


def _long_paragraph(response: Response, limits: Limits) -> str | None:
    if len(response.text) <= limits.max_paragraph_characters:
        return None
    if not _runs_on(response.text, limits.max_paragraph_characters):
        return None
    prose = "\n\n".join(_between_fences(response.text)[::2])
    longest = max(map(len, re.split(r"\n\s*\n", prose)))
    most = limits.max_paragraph_characters
    return f"a paragraph of {longest} characters, most is {most}" if longest > most else None


def _runs_on(text: str, most: int) -> bool:
    """Whether somewhere no empty line comes for more than `most` characters."""
    begin = 0
    while len(text) - begin > most:
        gap = text.rfind("\n\n", begin, begin + most + 2)
        if gap < 0:
            return True
        begin = gap + 2
    return False


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


def _refusal(response: Response, limits: Limits) -> str | None:
    if response.may_refuse:
        return None
    found = refusal(response.answer[: limits.refusal_characters], response.question)
    return f"opens with {found[:80]!r}" if found else None


def _other_maker(response: Response, limits: Limits) -> str | None:
    return another_maker(claimed_maker(response.text, own=limits.own_names))


def another_maker(claim: str | None) -> str | None:
    """The detail of OTHER_MAKER."""
    return f"says it is of another maker: {claim[:80]!r}" if claim else None


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
