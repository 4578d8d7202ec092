"""Training, in a process of its own: a spec file in, a Hugging Face folder and its metrics out.

The same code trains at every size. It knows no pipeline and no store, and of engines only the judge's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def run(spec_file: Path) -> dict[str, Any]:
    """Trains what the file asks for, or goes on where a killed run stopped; the summary's metrics."""
    from distillery.train.spec import TrainSpec

    spec = TrainSpec.load(spec_file)
    return import_module(f"distillery.train.{spec.kind}").train(spec)
