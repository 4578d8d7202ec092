"""The nouns of the factory, and the columns they become.

A row widens as it moves: Problem, then + Trace, then + Verdict (+ Judgement), then an Example.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import polars as pl

from distillery.hashing import Json, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

Turns = tuple[tuple[str, str], ...]  # (role, content)
# what str.strip takes off; polars by itself leaves some
_SPACES = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
SCHEMA_VERSION = 1
"""Part of every fingerprint: raise it when the meaning of a column changes."""


class Outcome(StrEnum):
    """What a checker found. Only the first two are statements about the answer's truth."""

    CORRECT = "correct"
    """The answer is right."""
    WRONG = "wrong"
    """The answer is wrong."""
    NO_ANSWER = "no_answer"
    """The text holds nothing to judge: the model's fault, score 0.0."""
    NO_GOLD = "no_gold"
    """The gold cannot be read: our fault, never the model's; score null."""
    TIMEOUT = "timeout"
    """The checker was killed at its deadline, and not because of the answer alone; score null."""
    ERROR = "error"
    """The checker or its sandbox broke: our fault; score null."""


class Thinking(StrEnum):
    ON = "on"
    OFF = "off"  # an empty think block stands before the answer


@dataclass(frozen=True, slots=True)
class Problem:
    question: str
    gold: str
    checker: str = "exact"  # which verifier can judge it: "math", "program", "choice", ...
    domain: str = "math"
    source: str = ""
    language: str = ""  # wanted of the thought ("en", "zh"); "" = the question's, or else the thought's own
    thinking: str = Thinking.ON
    payload: str = "{}"  # the checker's own data as a JSON object: tests, choices, options

    @property
    def problem_id(self) -> str:
        return problem_id(self.question, self.history, self.system)

    @property
    def options(self) -> dict[str, Any]:
        """`payload`, read; a payload that is not a JSON object is a ValueError."""
        value = json.loads(self.payload or "{}")
        if not isinstance(value, dict):
            raise ValueError(f"payload is not a JSON object: {self.payload[:80]!r}")  # noqa: TRY004
        return value

    @property
    def history(self) -> Turns:
        """The turns before the question; a payload whose history is none is a ValueError."""
        return earlier_turns(self.payload)

    @property
    def system(self) -> str:
        """The conversation's own system prompt; "": none. One that is no text is a ValueError."""
        return system_prompt(self.payload)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Problem:
        """From any row that has at least `question`; absent or null columns take their defaults."""
        values = {f.name: row[f.name] for f in fields(cls) if row.get(f.name) is not None}
        return cls(**{"gold": "", **values})

    def row(self) -> dict[str, str]:
        return {"problem_id": self.problem_id, **{f.name: getattr(self, f.name) for f in fields(self)}}


def problem_id(question: str, history: Turns = (), system: str = "") -> str:
    parts: list[Json] = ["problem", question.strip()]
    if history or system:
        parts.append([list(turn) for turn in history])
    return digest([*parts, system] if system else parts)


def problem_ids(questions: pl.Series) -> pl.Series:
    """As `problem_id` of each, without a history, for many at once."""
    stripped = questions.str.strip_chars(_SPACES)
    quoted = stripped.str.contains(r'["\\\x00-\x1f]')
    if quoted.any():
        escaped = [json.dumps(text, ensure_ascii=False)[1:-1] for text in stripped.filter(quoted)]
        stripped = stripped.scatter(quoted.arg_true(), pl.Series(escaped, dtype=pl.String))
    canonical = pl.select(pl.format('["problem","{}"]', stripped).cast(pl.Binary)).to_series().to_list()
    return pl.Series([blake2b(text, digest_size=8).hexdigest() for text in canonical], dtype=pl.String)


def system_prompt(payload: str | None) -> str:
    """`{"system": "..."}`: under which system prompt the conversation stands."""
    if not payload or '"system"' not in payload:
        return ""
    options = json.loads(payload)
    said: Any = options.get("system") if isinstance(options, dict) else None
    if not isinstance(said, str | None):
        raise ValueError(f"system is no text: {payload[:80]!r}")  # noqa: TRY004
    return (said or "").strip()


def earlier_turns(payload: str | None) -> Turns:
    """`{"history": [["user", "..."], ["assistant", "..."], ...]}`: what was said before the question.

    The user begins, the two take turns, and the assistant has the last word; anything else is a ValueError.
    """
    if not payload or '"history"' not in payload:
        return ()
    options = json.loads(payload)
    said: Any = options.get("history", []) if isinstance(options, dict) else []
    pairs = isinstance(said, list) and all(isinstance(turn, list) and len(turn) == 2 for turn in said)
    if not pairs or [turn[0] for turn in said] != ["user", "assistant"] * (len(said) // 2):
        raise ValueError(f"history is no list of user and assistant turns in pairs: {payload[:80]!r}")
    if not all(isinstance(turn[1], str) and turn[1].strip() for turn in said):
        raise ValueError(f"a turn of the history says nothing: {payload[:80]!r}")
    return tuple((turn[0], turn[1].strip()) for turn in said)


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    score: float | None = None  # in [0, 1]; None = not judged, never 0.0 for our own faults
    extracted: str | None = None
    detail: str = ""

    @classmethod
    def of(cls, correct: bool, extracted: str | None = None, detail: str = "") -> Verdict:
        return cls(Outcome.CORRECT if correct else Outcome.WRONG, float(correct), extracted, detail)

    @classmethod
    def no_answer(cls, detail: str = "", extracted: str | None = None) -> Verdict:
        return cls(Outcome.NO_ANSWER, 0.0, extracted, detail)


Columns = dict[str, pl.DataType]

PROBLEM: Columns = {
    "problem_id": pl.String(),
    "question": pl.String(),
    "gold": pl.String(),
    "checker": pl.String(),
    "domain": pl.String(),
    "source": pl.String(),
    "language": pl.String(),
    "thinking": pl.String(),
    "payload": pl.String(),
}
TRACE: Columns = {
    "trace_id": pl.String(),
    "sample": pl.Int32(),
    "engine": pl.String(),  # the engine's name in the pipeline
    "model": pl.String(),  # model and revision, as the engine identifies it
    "prompt": pl.String(),  # name@version:digest
    "sampling": pl.String(),  # JSON
    "text": pl.String(),  # the whole completion in one normal form, the thought in place
    "reasoning": pl.String(),
    "answer": pl.String(),  # what stands after the thought
    "finish": pl.String(),  # "stop" | "length"
    "prompt_tokens": pl.Int32(),
    "completion_tokens": pl.Int32(),
}
VERDICT: Columns = {
    "outcome": pl.String(),
    "score": pl.Float64(),
    "extracted": pl.String(),
    "detail": pl.String(),
}
JUDGEMENT: Columns = {
    "judge_verdict": pl.String(),  # "correct" | "incorrect" | "unclear"; null = not asked
    "judge_text": pl.String(),
    "judge_tokens": pl.Int32(),  # that the judge wrote, over all votes
    "accepted": pl.Boolean(),  # by the policy over rule and judge
    "accepted_by": pl.String(),  # "rule" | "judge" | "both" | "" (not accepted)
}
LEDGER: Columns = {"key": pl.String(), "reason": pl.String(), "detail": pl.String()}


def empty(columns: Columns) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(columns))
