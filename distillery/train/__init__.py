"""Training, in a process of its own: a spec file in, a Hugging Face folder and its metrics out.

The same code trains at every size. It reads files; it knows no pipeline and no store, and of engines only the judge's.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["run"]

log = logging.getLogger(__name__)


def run(spec_file: Path) -> dict[str, Any]:
    """Trains what the file asks for, or goes on where a killed run stopped; the summary's metrics."""
    from distillery.train.spec import TrainSpec

    spec = TrainSpec.load(spec_file)
    match spec.kind:
        case "base":
            from distillery.train.base import train
        case "sft":
            from distillery.train.sft import train
        case "grpo":
            from distillery.train.grpo import train
    return train(spec)
