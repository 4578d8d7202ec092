"""What a pipeline may spend on completions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits; when one is reached, what is in flight is kept and the run stops. The same command goes on.

    Tokens and money are of the whole pipeline, what earlier runs of it drew included: raise the limit to go
    on. Hours are of one run. What the judge of a GRPO draws is counted when that training is done.
    """

    max_tokens: Annotated[float, Field(gt=0)] | None = None
    """Tokens of prompts and completions; null: no limit."""
    max_cost: Annotated[float, Field(gt=0)] | None = None
    """USD, by the price file; null: no limit."""
    max_hours: Annotated[float, Field(gt=0)] | None = None
    """Hours that one run may take; null: no limit."""

    def __bool__(self) -> bool:
        return any(limit is not None for limit in (self.max_tokens, self.max_cost, self.max_hours))
