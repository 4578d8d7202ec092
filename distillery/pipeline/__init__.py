"""From a pipeline file to a plan: every name resolved, every column checked, nothing run."""

from __future__ import annotations

from distillery.pipeline.load import load_plan
from distillery.pipeline.plan import EngineSpec, Kind, Plan, Step, Workers

__all__ = ["EngineSpec", "Kind", "Plan", "Step", "Workers", "load_plan"]
