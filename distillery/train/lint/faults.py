"""What can be wrong with a training example, one check a function; `check` applies them to a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from distillery.reasoning import CLOSE, OPEN, split
from distillery.train.examples import IGNORED, Encoded, Messages, fault
from distillery.train.models import TAGS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ROLES = re.compile(r"\b(?:system|user|assistant|human|model)\b", re.IGNORECASE)
_MARKUP = re.compile(r"<\|[^|<>]*\|>|<｜[^｜<>]*｜>")
_PROBE = "zyx question xyz"


class Check(StrEnum):
    """What can be wrong. The second group does not spoil training, but what comes after it."""

    LOST_THOUGHT = "lost_thought"
    CHANGED_TEXT = "changed_text"
    NOTHING_TRAINED = "nothing_trained"
    ALL_TRAINED = "all_trained"
    END_NOT_TRAINED = "end_not_trained"
    PAD_IS_END = "pad_is_end"
    DOUBLE_BOS = "double_bos"
    TRUNCATED = "truncated"
    INJECTED_SYSTEM = "injected_system"
    VOCABULARY = "vocabulary"
    SPECIAL_TAGS = "special_tags"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"  # by train.sft, for a reason that is none of the above

    DOUBLE_BOS_AS_TEXT = "double_bos_as_text"
    OTHER_PROMPT = "other_prompt"


WARNINGS = frozenset({Check.DOUBLE_BOS_AS_TEXT, Check.OTHER_PROMPT})


@dataclass(frozen=True, slots=True)
class Finding:
    check: Check
    message: str  # what is wrong; what would be right
    count: int = 0  # rows that have it; 0 = it is not about rows
    rows: tuple[int, ...] = ()  # the first of them

    @property
    def fatal(self) -> bool:
        return self.check not in WARNINGS


class Token(NamedTuple):
    text: str
    trained: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One row as the student sees it."""

    row: int
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class LintReport:
    model: str
    rows: int
    checked: int  # evenly spread over the rows
    findings: tuple[Finding, ...]
    shown: tuple[Shown, ...]
    lengths: tuple[int, int, int]  # tokens: median, 99th percentile, longest
    trained_share: float  # of all tokens of the checked rows

    @property
    def ok(self) -> bool:
        return not any(finding.fatal for finding in self.findings)


def row_problems(
    messages: Messages, encoded: Encoded, tokenizer: PreTrainedTokenizerBase
) -> Iterator[tuple[Check, str]]:
    """What is wrong with one row; a row without problems is one that train.sft takes."""
    problems = list(_row_problems(messages, encoded, tokenizer))
    yield from problems
    if not problems and (refused := fault(encoded, messages, tokenizer)):
        yield Check.REFUSED, refused


def _row_problems(
    messages: Messages, encoded: Encoded, tokenizer: PreTrainedTokenizerBase
) -> Iterator[tuple[Check, str]]:
    said = [message["content"] for message in messages if message["role"] == "assistant"]
    if not all(content.strip() for content in said) or not said:
        yield Check.NO_ANSWER, "the assistant says nothing, so there is nothing to learn; drop the row"
        return
    text = tokenizer.decode(encoded.input_ids, skip_special_tokens=False)
    thoughts = [part for part in map(_thought, said) if part]
    if any(thought not in text for thought in thoughts):
        how = "use one that keeps an assistant's content whole"
        yield Check.LOST_THOUGHT, f"the template cuts the thought before {CLOSE}; {how}"
    elif any(content.strip() not in text for content in said):
        yield (
            Check.CHANGED_TEXT,
            "the template changes what the assistant says; use one that keeps it as it is",
        )
    taught = [label for label in encoded.labels if label != IGNORED]
    if not taught:
        how = "put {% generation %} … {% endgeneration %} around the assistant's content"
        yield Check.NOTHING_TRAINED, f"no token is trained on; {how}"
    elif len(taught) == len(encoded.labels):
        how = "mark only the assistant's content"
        yield Check.ALL_TRAINED, f"every token is trained on, the question too; {how}"
    elif tokenizer.eos_token_id not in taught[-2:]:  # some templates end a turn with eos and a line feed
        never = f"the end token {tokenizer.eos_token!r} is not trained on, so the student would never stop"
        how = "put it inside the generation marks, or name the right eos_token"
        yield Check.END_NOT_TRAINED, f"{never}; {how}"
    bos = tokenizer.bos_token
    if isinstance(bos, str) and _bos_again(bos, messages, encoded, tokenizer):
        yield Check.DOUBLE_BOS, f"{bos!r} stands there again; take it out of the template, or of the rows"


def _bos_again(bos: str, messages: Messages, encoded: Encoded, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Twice at the start, or in a message: rows that were rendered once already. Some BOS also open a
    turn."""
    twice = encoded.input_ids[:2] == [tokenizer.bos_token_id] * 2
    return twice or any(bos in message["content"] for message in messages)


def _thought(content: str) -> str:
    return (split(content).reasoning or "") if CLOSE in content or OPEN in content else ""


def tokenizer_problems(tokenizer: PreTrainedTokenizerBase) -> Iterator[Finding]:
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        yield Finding(
            Check.PAD_IS_END,
            f"pad is {tokenizer.pad_token!r} and the end {tokenizer.eos_token!r}: padding is masked out of"
            " the loss, and every end with it; name a pad_token of its own",
        )
    if special := [tag for tag in TAGS if tag in tokenizer.all_special_tokens]:
        yield Finding(
            Check.SPECIAL_TAGS,
            f"{', '.join(special)} are special tokens, which decoding leaves out; they must be ordinary ones",
        )


def _render(messages: Messages, tokenizer: PreTrainedTokenizerBase, *, prompt: bool = False) -> str:
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt))


def injected(messages: Messages | None, tokenizer: PreTrainedTokenizerBase) -> Iterator[Finding]:
    """What the template says before the first message, when no message is the system's."""
    if messages is None:
        return
    talk = [{"role": "user", "content": _PROBE}, *messages[1:]]
    before = _render(talk, tokenizer).partition(_PROBE)[0]
    for token in tokenizer.all_special_tokens:
        before = before.replace(token, " ")
    before = " ".join(_MARKUP.sub(" ", before).split())
    words = " ".join(_ROLES.sub(" ", before).split())
    if any(letter.isalpha() for letter in words) or re.search(r"\bsystem\b", before):
        yield Finding(
            Check.INJECTED_SYSTEM,
            f"the template writes {before[:90]!r} before a chat that has no system prompt; use one that adds"
            " nothing, in training and in serving",
        )


def prompt_problems(messages: Messages, tokenizer: PreTrainedTokenizerBase) -> Iterator[Finding]:
    whole = _render(messages, tokenizer)
    bos = tokenizer.bos_token_id
    if bos is not None and tokenizer(whole)["input_ids"][:2] == [bos, bos]:
        yield Finding(
            Check.DOUBLE_BOS_AS_TEXT,
            "template and tokenizer both add a BOS; here it is one, but a program that tokenizes the rendered"
            " text gets two: it must set add_special_tokens=False",
        )
    if messages[-1]["role"] != "assistant":
        return
    prompt = _render(messages[:-1], tokenizer, prompt=True)
    if not whole.startswith(prompt):
        yield Finding(
            Check.OTHER_PROMPT,
            f"when asked, the student is given a prompt that ends {prompt[-40:]!r}, which is not what it was"
            " trained after; training and serving must use one template",
        )


def truncation(lengths: Sequence[int], max_length: int, max_share: float) -> Iterator[Finding]:
    long = sum(length > max_length for length in lengths)
    if long > max_share * len(lengths):
        yield Finding(
            Check.TRUNCATED,
            f"{long / len(lengths):.1%} of the rows are longer than {max_length:,} tokens (the longest"
            f" {lengths[-1]:,}); at most {max_share:.1%} may be: raise max_length, or drop them before",
            long,
        )
