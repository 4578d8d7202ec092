"""What a student would really be trained on: rows encoded as train.sft encodes them, and what is wrong with
that.

It reads a tokenizer and a config, no weights: seconds for thousands of rows, before a GPU hour is spent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillery import row_files
from distillery.errors import ConfigError
from distillery.installed.extras import require
from distillery.prompts import known_templates, load_template, prompt_folders
from distillery.train.examples import IGNORED, Encoded, Messages, conversation, encode
from distillery.train.lint.faults import (
    Check,
    Finding,
    LintReport,
    Shown,
    Token,
    injected,
    prompt_problems,
    row_problems,
    tokenizer_problems,
    truncation,
)
from distillery.train.lint.view import render

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["Check", "Finding", "LintReport", "lint", "render"]

_AS_WRITTEN = row_files.Dialect()
_SHOWN = 10  # rows kept for `render`
_NAMED = 5  # rows named with a finding


def lint(
    model: str,
    data: Path,
    *,
    chat_template: str | None = None,
    max_length: int = 32_768,
    max_truncated_share: float = 0.01,
    eos_token: str = "",
    pad_token: str = "",
    limit: int = 5_000,
    dialect: row_files.Dialect = _AS_WRITTEN,
) -> LintReport:
    """Checks up to `limit` rows; the options are those of train.sft, and "" is the tokenizer's own token."""
    tokenizer = _tokenizer(model, chat_template, eos_token, pad_token)
    files = row_files.files(str(data), where="lint-sft")
    height = sum(row_files.count(file, dialect) for file in files)
    if height == 0:
        raise ConfigError(f"{data}: no rows; there is nothing to train on")
    rows = chain.from_iterable(row_files.rows(file, dialect) for file in files)
    chosen = islice(enumerate(rows), 0, None, -(-height // limit))
    talks = {number: _talk(*row) for number, row in chosen}
    encoded = {row: encode(messages, tokenizer) for row, messages in talks.items()}
    found: dict[tuple[Check, str], list[int]] = {}
    for row, messages in talks.items():
        for problem in row_problems(messages, encoded[row], tokenizer):
            found.setdefault(problem, []).append(row)
    lengths = sorted(len(example.input_ids) for example in encoded.values())
    findings = [
        *(Finding(*problem, len(rows), tuple(rows[:_NAMED])) for problem, rows in found.items()),
        *tokenizer_problems(tokenizer),
        *_vocabulary(model, tokenizer, encoded.values()),
        *injected(next((m for m in talks.values() if m[0]["role"] != "system"), None), tokenizer),
        *prompt_problems(next(iter(talks.values())), tokenizer),
        *truncation(lengths, max_length, max_truncated_share),
    ]
    trained = sum(label != IGNORED for example in encoded.values() for label in example.labels)
    return LintReport(
        model=model,
        rows=height,
        checked=len(talks),
        findings=tuple(sorted(findings, key=lambda finding: (not finding.fatal, -finding.count))),
        shown=tuple(Shown(row, _tokens(encoded[row], tokenizer)) for row in list(talks)[:_SHOWN]),
        lengths=(lengths[len(lengths) // 2], lengths[int(0.99 * (len(lengths) - 1))], lengths[-1]),
        trained_share=trained / max(1, sum(lengths)),
    )


def _talk(place: str, row: dict[str, Any]) -> Messages:
    if not row.get("messages") and not {"question", "text"} <= row.keys():
        raise ConfigError(f"{place}: has {', '.join(row)}; it must have messages, or question and text")
    try:
        talk = conversation(row)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{place}: no conversation ({error}); messages have a role and a content") from None
    said: list[object] = [message["content"] for message in talk]
    if wrong := [content for content in said if not isinstance(content, str)]:
        raise ConfigError(f"{place}: says {wrong[0]!r}; what is said must be text")
    return talk


def _tokenizer(
    model: str, chat_template: str | None, eos_token: str, pad_token: str
) -> PreTrainedTokenizerBase:
    require("transformers", "train", where="lint-sft")
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{model}: no tokenizer can be read there ({str(error).splitlines()[0]})") from None
    if eos_token:
        tokenizer.eos_token = eos_token
    if pad_token:
        tokenizer.pad_token = pad_token
    if chat_template:
        tokenizer.chat_template = load_template(chat_template, *prompt_folders()).strip()
    if tokenizer.chat_template is None:
        known = ", ".join(known_templates(*prompt_folders()))
        raise ConfigError(
            f"{model}: the tokenizer has no chat template, so nobody knows how a chat is written for it; name"
            f" one of prompts/templates ({known}) with --chat-template"
        )
    return tokenizer


def _vocabulary(
    model: str, tokenizer: PreTrainedTokenizerBase, encoded: Iterable[Encoded]
) -> Iterator[Finding]:
    from transformers import AutoConfig

    size = AutoConfig.from_pretrained(model).get_text_config().vocab_size
    used = max((max(example.input_ids, default=0) for example in encoded), default=0)
    if len(tokenizer) > size or used >= size:
        yield Finding(
            Check.VOCABULARY,
            f"the tokenizer has {len(tokenizer):,} tokens and the model embeds {size:,}; take the model's own"
            " tokenizer, or resize the embeddings",
        )


def _tokens(encoded: Encoded, tokenizer: PreTrainedTokenizerBase) -> tuple[Token, ...]:
    return tuple(
        Token(str(tokenizer.decode([token], skip_special_tokens=False)), label != IGNORED)
        for token, label in zip(encoded.input_ids, encoded.labels, strict=True)
    )
