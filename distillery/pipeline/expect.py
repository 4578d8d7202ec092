"""What a step's `expect` can say: planning figures, no part of what is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What `distillery plan` reckons with where a step has not run yet. Whatever is null is not known."""

    rows: Positive | None = None
    """Rows that come out."""
    keep: Share | None = None
    """Share of the rows that came in; for a step that samples, of its samples."""
    prompt_tokens: Positive | None = None
    """Of a source: mean tokens of a question; else of a request's whole prompt."""
    tokens: Annotated[float, Field(ge=0)] | None = None
    """Mean tokens of a completion."""
    samples: Positive | None = None
    """Mean number of samples asked for each problem."""
    asked: Share | None = None
    """Share of the rows (in GRPO: of the completions) that an engine is asked about."""
    judge_prompt_tokens: Positive | None = None
    """In GRPO: mean tokens of the whole prompt of a request to its judge."""
    judge_tokens: Positive | None = None
    """In GRPO: mean tokens of the judge's reply."""
    tokens_per_gpu_second: Positive | None = None
    """Output tokens a second on one GPU."""
    gpu: str = ""
    """The kind, as in the price file; "": the file's own."""
