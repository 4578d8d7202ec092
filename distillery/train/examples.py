"""Tables into what a trainer eats: token ids with labels for SFT, prompts with checkers' columns for GRPO.

Labels cover what the assistant says and the end token after it, nothing else; that is checked, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from distillery import shards
from distillery.dialogue import earlier_messages
from distillery.errors import ConfigError
from distillery.records import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerBase

IGNORED = -100
Messages = list[dict[str, str]]
CHECKED = ("question", "gold", "checker", "domain", "source", "language", "thinking", "payload")


class Encoded(NamedTuple):
    input_ids: list[int]
    labels: list[int]  # IGNORED where no loss is taken


@dataclass(frozen=True, slots=True)
class Examples:
    kept: list[Encoded]
    too_long: int

    @property
    def too_long_share(self) -> float:
        return self.too_long / max(1, self.too_long + len(self.kept))


def read_tables(files: Sequence[Path]) -> pl.DataFrame:
    """One frame of all files, in order; a column that a file lacks is null there."""
    if not files:
        raise ConfigError("tables: none given; a training needs at least one parquet file")
    table = pl.concat([shards.read(file) for file in files], how="diagonal_relaxed")
    if table.is_empty():
        raise ConfigError(f"tables: no rows in {', '.join(map(str, files))}; there is nothing to train on")
    return table


def conversation(row: dict[str, Any]) -> Messages:
    """`messages` where the row has them, else earlier turns, the question and its answer, if any."""
    if row.get("messages"):
        return [{"role": message["role"], "content": message["content"]} for message in row["messages"]]
    said = [] if row.get("text") is None else [{"role": "assistant", "content": row["text"]}]
    return [*earlier_messages(row.get("payload")), {"role": "user", "content": row["question"]}, *said]


def encode(messages: Messages, tokenizer: PreTrainedTokenizerBase) -> Encoded:
    """Token ids and labels, by the template's own {% generation %} marks."""
    encoded: Any = tokenizer.apply_chat_template(
        messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    ids, mask = encoded["input_ids"], encoded["assistant_masks"]
    return Encoded(ids, [token if spoken else IGNORED for token, spoken in zip(ids, mask, strict=True)])


def fault(encoded: Encoded, messages: Messages, tokenizer: PreTrainedTokenizerBase) -> str:
    """Why this example would not teach what it says; "" if it would."""
    taught = [label for label in encoded.labels if label != IGNORED]
    if not taught:
        return "no token is trained on: the chat template has no {% generation %} marks"
    if len(taught) == len(encoded.labels):
        return "every token is trained on, the user's too"
    if tokenizer.eos_token_id not in taught[-2:]:  # some templates end a turn with eos and a line feed
        return f"the end token {tokenizer.eos_token!r} is not trained on: the model would never stop"
    said = [message["content"] for message in messages if message["role"] == "assistant"]
    decoded = tokenizer.decode(taught, skip_special_tokens=False)
    lost = [text for text in said if text.strip() not in decoded]
    return f"the template changes what is said: {lost[0][:60]!r} is not in the trained text" if lost else ""


def sft_examples(table: pl.DataFrame, tokenizer: PreTrainedTokenizerBase, *, max_length: int) -> Examples:
    """Every row, encoded and checked; those longer than `max_length` are left out, never cut."""
    kept: list[Encoded] = []
    too_long = 0
    for number, row in enumerate(table.iter_rows(named=True)):
        messages = conversation(row)
        encoded = encode(messages, tokenizer)
        if len(encoded.input_ids) > max_length:
            too_long += 1
            continue
        if wrong := fault(encoded, messages, tokenizer):
            raise ConfigError(f"row {number}: {wrong}")
        kept.append(encoded)
    return Examples(kept, too_long)


def grpo_rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    """`prompt` for the policy, and the columns that the checkers read."""
    found: list[dict[str, Any]] = []
    for row in table.iter_rows(named=True):
        problem = Problem.from_row(row)
        checked = {name: str(getattr(problem, name)) for name in CHECKED}
        found.append({"prompt": conversation(row | {"text": None}), **checked})
    return found


def problems(columns: dict[str, Sequence[str]]) -> Iterable[Problem]:
    """The problems behind one batch's columns, in order."""
    for values in zip(*(columns[name] for name in CHECKED), strict=True):
        yield Problem(**dict(zip(CHECKED, values, strict=True)))
