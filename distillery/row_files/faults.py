"""What is wrong with one row, where the rest of its file can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LONGEST = 1 << 28
"""Bytes of one line, or of one cell: a row that has more is a fault, and no memory is spent on it."""


class Drop(StrEnum):
    MALFORMED = "malformed"
    """It cannot be read: no JSON object, a column too few, a value that is none of its column's."""
    REPEATED = "repeated"
    """An earlier row has the same id."""
    ID_TAKEN = "id_taken"
    """An earlier row has the same `trace_id`, and another question or response."""
    NO_QUESTION = "no_question"
    """The question is missing or empty."""
    NO_TEXT = "no_text"
    """The response is missing or empty."""


@dataclass(frozen=True, slots=True)
class Fault:
    reason: Drop
    detail: str


Row = tuple[str, Mapping[str, Any] | Fault]
"""Its place in its file, and what stands there."""


def malformed(detail: str) -> Fault:
    return Fault(Drop.MALFORMED, detail[:200])


TOO_LONG = malformed(f"longer than {LONGEST >> 20} MiB")
