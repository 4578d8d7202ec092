"""What is noted of a finished piece of work: stage.json, its marker."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

UNTOLD_LANGUAGE = "untold_language"
"""Count of rows whose language nothing tells."""
LENT_GOLD = "lent_gold"
"""Count of rows without a gold that took that of another row of their problem."""
NOT_TAKEN = "not_taken"
"""Count of values in columns that have a name of ours, are not mapped, and hold what is none of ours."""
_REMARKS = {
    NOT_TAKEN: "{n:,.0f} values in unmapped columns of our names are none of ours and were not taken",
    LENT_GOLD: "gold: {n:,.0f} of {of:,} rows had none and took that of another row of their problem",
    UNTOLD_LANGUAGE: "language: {n:,.0f} of {of:,} rows could not be told; not checked",
    "untold_prompts": "language: {n:,.0f} of {of:,} prompts do not tell it; only their thoughts could",
}


@dataclass(frozen=True, kw_only=True)
class Note:
    """Raises ValueError where the text is not JSON, or lacks who it is about."""

    id: str
    use: str
    fingerprint: str
    shards: int = 0
    rows_in: int = 0
    rows_out: int = 0
    rows_dropped: int = 0
    counts: Mapping[str, float] = field(default_factory=dict[str, float])  # over shards, or of a training
    metrics: Sequence[Mapping[str, Any]] = ()  # rows of results.json
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])  # for the report
    model: bool = False  # it made a model, not a table
    seconds: float = 0.0
    files: Mapping[str, str] = field(default_factory=dict[str, str])  # sha256 by path, of all that it made

    @classmethod
    def read(cls, text: str) -> Self:
        known = json.loads(text)
        try:
            return cls(**{f.name: known[f.name] for f in fields(cls) if f.name in known})
        except TypeError as error:
            raise ValueError(str(error)) from None

    @property
    def remarks(self) -> list[str]:
        """What it could not look at, in words for people."""
        return remarks({**self.facts, **self.counts}, self.rows_in)

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


def remarks(counts: Mapping[str, Any], rows_in: int) -> list[str]:
    return [text.format(n=counts[name], of=rows_in) for name, text in _REMARKS.items() if counts.get(name)]
