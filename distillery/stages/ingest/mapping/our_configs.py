"""The configs of export.hub, read back: told by their columns, mapped by the options that anybody has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Required, TypedDict

from distillery.curate.publish.hub_rows import SCHEMAS
from distillery.reasoning import split
from distillery.records import Columns, Thinking
from distillery.row_files import Fault
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.mapping.turns import Conversation


class _Options(TypedDict, total=False):
    columns: Required[Mapping[str, str]]
    keep: tuple[str, ...]
    explode: tuple[str, ...]
    messages: str


_RESPONSE = ("text", "reasoning", "answer")
_LISTS = {
    "text": "generations",
    "finish": "finish_reasons",
    "outcome": "correctness_math_verify",
    "judge_verdict": "correctness_llama",
}
OUR_CONFIGS: dict[str, _Options] = {
    "default": {
        "columns": {"question": "problem", "gold": "answer", "domain": "problem_type", **_LISTS},
        "keep": ("trace_id", "sample", *_RESPONSE, "finish", "outcome", "judge_verdict", "solution"),
        "explode": tuple(_LISTS.values()),
    },
    "sft": {
        "columns": {"trace_id": "uuid"},
        "keep": ("trace_id", *_RESPONSE, "num_tokens"),
        "messages": "messages",
    },
    "rl": {
        "columns": {"question": "problem", "gold": "answer", "source": "data_source", "domain": "ability"},
    },
    "raw": {
        "columns": {
            "question": "problem",
            "gold": "answer",
            "trace_id": "uuid",
            "sample": "sample_index",
            "text": "generation",
            "finish": "finish_reason",
            "outcome": "verdict",
        },
        "keep": (
            *("trace_id", "sample", "model", "prompt", "sampling", *_RESPONSE, "finish"),
            *("prompt_tokens", "completion_tokens", "outcome", "score", "extracted", "judge_verdict"),
            *("judge_text", "accepted", "accepted_by"),
            *("kept", "rejected_at", "reject_reason", "reject_detail"),
        ),
    },
}


class OurRows(RowMap):
    """They are in our words and in the normal form already: nothing is read into them."""

    def take(self, name: str) -> Callable[[Any], Any]:
        return super().take(name) if name in ("outcome", "judge_verdict") else _as_it_is

    def row(
        self, theirs: Mapping[str, Any], number: int | None = None, earlier: Counter[str] | None = None
    ) -> dict[str, Any] | Fault:
        """Of a problem whose samples differ in it, `thinking` is as each of them was."""
        row = super().row(theirs, number, earlier)
        if self.explode and theirs.get("thinking", "") is None and isinstance(row, dict):
            row["thinking"] = Thinking.ON if row["reasoning"] else Thinking.OFF
        return row

    def _normal(self, answer: str, thought: str | None) -> str:
        return answer

    def _response(
        self, theirs: Mapping[str, Any], said: Conversation | None, thinking: Thinking
    ) -> dict[str, str | None]:
        if not self.response:
            return {}
        text = said.text if said else theirs[self.paths("text")[0]]
        if "answer_text" in theirs:
            return {"text": text, "reasoning": theirs["reasoning"], "answer": theirs["answer_text"]}
        parts = split(text or "")
        return {"text": text, "reasoning": parts.reasoning, "answer": parts.answer}


def config_of(schema: Columns) -> str:
    """The config that has exactly these columns; "": none."""
    return next((config for config, columns in SCHEMAS.items() if columns == schema), "")


def our_rows(config: str, where: str, constants: Mapping[str, Any]) -> OurRows:
    options = OUR_CONFIGS[config].copy()
    options["columns"] = {name: one for name, one in options["columns"].items() if name not in constants}
    return OurRows(where, **options, constants=constants, types=SCHEMAS[config])


def _as_it_is(value: Any) -> Any:
    return value
