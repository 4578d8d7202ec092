r"""export.chat: questions and traces as chat messages, the thought kept in place.

Every assistant turn has one think block and an answer after it. A thought that is not wanted is an empty
block and no missing one, so that a student learns both forms. What breaks this goes to the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from distillery.dialogue import CHAT, earlier
from distillery.errors import ConfigError
from distillery.reasoning import CLOSE, OPEN
from distillery.records import Thinking
from distillery.stages.base import Context, Output, ShardStage, Uses

if TYPE_CHECKING:
    from distillery.engines.base import Messages

MESSAGES = CHAT
SPECIAL_TOKEN = r"<\|[A-Za-z0-9_]{1,40}\|>|<｜[^｜<>\n]{1,40}｜>|\[/?INST\]|<(?:start|end)_of_turn>|</?s>\s*$"
"""Chat markup that a template writes around turns; inside one it would end the turn while training."""
_SLOT = "{{ question }}"


class Fault(StrEnum):
    """Why a row cannot be taught from."""

    NO_QUESTION = "no_question"
    """The question is empty."""
    NO_THOUGHT = "no_thought"
    """A thought is wanted, and there is no block."""
    UNCLOSED_THOUGHT = "unclosed_thought"
    """Cut off before the answer."""
    SEVERAL_THOUGHTS = "several_thoughts"
    """More than one opening or closing tag."""
    TEXT_BEFORE_THOUGHT = "text_before_thought"
    """Something stands before the block."""
    EMPTY_THOUGHT = "empty_thought"
    """A thought is wanted, and the block is empty."""
    UNWANTED_THOUGHT = "unwanted_thought"
    """None is wanted, and the block says something."""
    NO_ANSWER = "no_answer"
    """Nothing stands after the thought."""
    SPECIAL_TOKEN = "special_token"
    """A token of a chat template stands in the text."""


@dataclass(frozen=True)
class ExportChat(ShardStage):
    """Adds `messages` and `num_tokens` (prompt and completion, as the engine counted; null if it did not).

    Earlier turns (the payload's `history`) stand before the prompt's last, the assistant's with empty blocks;
    a system prompt of the conversation (`system`) stands first, below the prompt's own.

        - id: chat
          use: export.chat
    """

    prompt: str = ""
    """The prompt that renders all before the answer, from the slot `question`; "": the bare question."""

    version = 1
    reasons = tuple(Fault)
    reads = ("trace_id", "question", "text")
    writes = {"messages": MESSAGES, "num_tokens": pl.Int32()}
    also_reads = ("thinking", "payload", "prompt_tokens", "completion_tokens")

    def uses(self) -> Uses:
        return Uses(prompts=(self.prompt,) if self.prompt else ())

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        turns = ctx.prompt(self.prompt).turns if self.prompt else (("user", _SLOT),)
        traces = table.with_columns(*trace_parts(), thinking_wanted(table).alias("_wanted"), earlier(table))
        token = _said().str.extract(f"({SPECIAL_TOKEN})").fill_null("")
        faults = traces.select(fault().alias("reason"), token.alias("detail"))
        chats = traces.with_columns(messages=messages(turns), num_tokens=num_tokens(table))
        chats = chats.drop("_thought", "_answer", "_wanted", "_earlier")
        output = Output.marked(chats, faults["reason"], faults["detail"], key=self.key)
        return Output(output.kept, output.dropped, {"exported": output.kept.height})


def trace_parts() -> list[pl.Expr]:
    """`_thought` and `_answer` of `text`, as `reasoning.split` has them: null where there is none."""
    text = pl.col("text")
    closed = text.str.contains(CLOSE, literal=True)
    halves = text.str.splitn(CLOSE, 2).struct
    unclosed = text.str.contains(OPEN, literal=True)
    before = halves.field("field_0").str.strip_chars_start().str.strip_prefix(OPEN).str.strip_chars()
    thought = pl.when(closed).then(before)
    answer = pl.when(closed).then(halves.field("field_1")).when(~unclosed).then(text)
    return [thought.alias("_thought"), answer.str.strip_chars().alias("_answer")]


def thinking_wanted(table: pl.DataFrame) -> pl.Expr:
    if "thinking" not in table.columns:
        return pl.lit(value=True)
    return pl.col("thinking").fill_null(Thinking.ON.value) != Thinking.OFF.value


def fault() -> pl.Expr:
    """The first `Fault` of a row with `_thought`, `_answer` and `_wanted`; null for a good one."""
    text, thought, answer, wanted = (pl.col(c) for c in ("text", "_thought", "_answer", "_wanted"))
    opened, closed = (text.str.count_matches(tag, literal=True) for tag in (OPEN, CLOSE))
    question = pl.col("question").fill_null("").str.strip_chars()
    # the innermost null is a good row
    found = pl.when(question == "").then(pl.lit(Fault.NO_QUESTION.value))
    rules = (
        (text.is_null() | (text.str.strip_chars() == ""), Fault.NO_ANSWER),
        (_said().str.contains(SPECIAL_TOKEN), Fault.SPECIAL_TOKEN),
        ((opened > 1) | (closed > 1), Fault.SEVERAL_THOUGHTS),
        ((opened == 1) & (closed == 0), Fault.UNCLOSED_THOUGHT),
        (thought.str.contains(OPEN, literal=True), Fault.TEXT_BEFORE_THOUGHT),
        (wanted & thought.is_null(), Fault.NO_THOUGHT),
        (wanted & (thought == ""), Fault.EMPTY_THOUGHT),
        (~wanted & (thought != ""), Fault.UNWANTED_THOUGHT),
        (answer == "", Fault.NO_ANSWER),
    )
    for broken, reason in rules:
        found = found.when(broken).then(pl.lit(reason.value))
    return found.otherwise(None)


def _said() -> pl.Expr:
    """Everything in the conversation but the prompt."""
    turns = pl.col("_earlier").list.eval(pl.element().struct.field("content")).list.join("\n")
    return pl.concat_str("question", "text", turns)


def messages(turns: Messages) -> pl.Expr:
    """The prompt's turns with the question in it, earlier ones before the last, then the trace; as
    `dialogue.continued` has them."""
    earlier = pl.col("_earlier")
    system = earlier.list.get(0, null_on_oob=True).struct
    begins = (system.field("role") == "system").fill_null(False).cast(pl.Int64)
    first, rest = earlier.list.head(begins), earlier.list.slice(begins)
    *before, last = [_turn(role, _fill(text)) for role, text in turns]
    if before and turns[0][0] == "system":
        theirs = pl.when(begins == 1).then(system.field("content"))
        both = pl.concat_str(_fill(turns[0][1]), theirs, separator="\n\n", ignore_nulls=True)
        first, before = _turn("system", both), before[1:]
    thought = pl.col("_thought").fill_null("")
    trace = pl.concat_str(pl.lit(f"{OPEN}\n"), thought, pl.lit(f"\n{CLOSE}\n"), pl.col("_answer"))
    return pl.concat_list(first, *before, rest, last, _turn("assistant", trace))


def _turn(role: str, content: pl.Expr) -> pl.Expr:
    return pl.struct(pl.lit(role).alias("role"), content.alias("content"))


def _fill(text: str) -> pl.Expr:
    pieces = text.split(_SLOT)
    if any("{{" in piece for piece in pieces):
        raise ConfigError(
            f"export.chat: its prompt may have the slot {_SLOT} and no other; it says {text[:80]!r}"
        )
    parts: list[pl.Expr] = []
    for number, piece in enumerate(pieces):
        parts += [pl.col("question").str.strip_chars()] * (number > 0) + [pl.lit(piece)]
    return pl.concat_str(parts)


def num_tokens(table: pl.DataFrame) -> pl.Expr:
    if not {"prompt_tokens", "completion_tokens"} <= set(table.columns):
        return pl.lit(None, dtype=pl.Int32)
    return (pl.col("prompt_tokens") + pl.col("completion_tokens")).cast(pl.Int32)
