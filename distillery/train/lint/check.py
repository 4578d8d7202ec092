"""What a student would really be trained on: every row encoded as train.sft encodes it, and what is wrong with that.

It reads a tokenizer and a config, no weights; a check of thousands of rows takes seconds, before a GPU hour is spent.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from distillery import shards
from distillery.errors import ConfigError
from distillery.train.examples import IGNORED, Encoded, conversation, encode
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
from distillery.train.models import read_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["Check", "Finding", "LintReport", "lint", "read_examples", "render"]

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
    templates: Path = Path("prompts/templates"),
) -> LintReport:
    """Checks up to `limit` rows; the options are those of train.sft, and "" is the tokenizer's own token."""
    tokenizer = _tokenizer(model, chat_template, eos_token, pad_token, templates)
    examples = read_examples(data)
    height = int(examples.select(pl.len()).collect().item())
    if height == 0:
        raise ConfigError(f"{data}: no rows; there is nothing to train on")
    chosen = examples.with_row_index("row").gather_every(-(-height // limit)).collect()
    talks = {int(row["row"]): conversation(row) for row in chosen.iter_rows(named=True)}
    encoded = {row: encode(messages, tokenizer) for row, messages in talks.items()}
    found: dict[tuple[Check, str], list[int]] = {}
    for row, messages in talks.items():
        for problem in row_problems(messages, encoded[row], tokenizer):
            found.setdefault(problem, []).append(row)
    lengths = sorted(len(example.input_ids) for example in encoded.values())
    about_rows = [
        Finding(check, message, len(rows), tuple(rows[:_NAMED])) for (check, message), rows in found.items()
    ]
    whole = [
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
        findings=tuple(
            sorted([*whole, *about_rows], key=lambda finding: (not finding.fatal, -finding.count))
        ),
        shown=tuple(Shown(row, _tokens(encoded[row], tokenizer)) for row in list(talks)[:_SHOWN]),
        lengths=(lengths[len(lengths) // 2], lengths[int(0.99 * (len(lengths) - 1))], lengths[-1]),
        trained_share=trained / max(1, sum(lengths)),
    )


def read_examples(file: Path) -> pl.LazyFrame:
    """Rows of a jsonl, jsonl.gz or parquet file with `messages`, or `question` and `text`."""
    if not file.is_file():
        raise ConfigError(f"{file}: no such file (working directory: {Path.cwd()})")
    try:
        match file.suffix:
            case ".parquet":
                rows = shards.scan([file])
            case ".gz":
                rows = pl.read_ndjson(
                    io.BytesIO(gzip.decompress(file.read_bytes())), infer_schema_length=None
                ).lazy()
            case ".jsonl":
                rows = pl.read_ndjson(file, infer_schema_length=None).lazy()
            case _:
                raise ConfigError(f"{file}: its ending says no format; use .jsonl, .jsonl.gz or .parquet")
        columns = rows.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ConfigError(f"{file}: not readable ({str(error).splitlines()[0]})") from None
    if "messages" not in columns and not {"question", "text"} <= set(columns):
        raise ConfigError(f"{file}: has {', '.join(columns)}; it must have messages, or question and text")
    return rows


def _tokenizer(
    model: str, chat_template: str | None, eos_token: str, pad_token: str, templates: Path
) -> PreTrainedTokenizerBase:
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
        tokenizer.chat_template = read_template(templates / chat_template)
    if tokenizer.chat_template is None:
        known = ", ".join(sorted(file.name for file in templates.glob("*.jinja"))) or "none"
        raise ConfigError(
            f"{model}: the tokenizer has no chat template, so nobody knows how a chat is written for it; name one of"
            f" {templates} ({known}) with --chat-template"
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
            f"the tokenizer has {len(tokenizer):,} tokens and the model embeds {size:,}; take the model's own tokenizer,"
            " or resize the embeddings",
        )


def _tokens(encoded: Encoded, tokenizer: PreTrainedTokenizerBase) -> tuple[Token, ...]:
    return tuple(
        Token(str(tokenizer.decode([token], skip_special_tokens=False)), label != IGNORED)
        for token, label in zip(encoded.input_ids, encoded.labels, strict=True)
    )
