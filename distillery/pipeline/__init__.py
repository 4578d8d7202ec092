"""From a pipeline file to a plan: every name resolved, every column checked, nothing run."""

from __future__ import annotations

from distillery.pipeline.load import load_plan
from distillery.pipeline.plan import EngineSpec, Plan, Step, Workers
from distillery.stages.base import Kind

__all__ = ["EngineSpec", "Kind", "Plan", "Step", "Workers", "load_plan"]
