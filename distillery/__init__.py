"""A factory that turns problems into verified reasoning data, and data into models.

From Python: `load_plan` and `run`; `judge` one answer or `judge_many`; `open_run(...).rows(stage)`; the
nouns;
and what a stage, checker or engine of your own is made of. Nothing is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from distillery.installed.version import VERSION

if TYPE_CHECKING:
    from distillery.api import Run, judge, judge_many, open_run, run
    from distillery.config import build
    from distillery.engines import Engine
    from distillery.errors import ConfigError, DistilleryError
    from distillery.pipeline import Plan, load_plan
    from distillery.records import Outcome, Problem, Thinking, Verdict
    from distillery.stages.base import (
        AskingStage,
        Context,
        Decision,
        Output,
        ShardStage,
        Sink,
        Source,
        TableStage,
        Trainer,
        computed,
    )
    from distillery.verify.base import Checker

__version__ = VERSION

_WHERE = {
    "distillery.api": ("Run", "judge", "judge_many", "open_run", "run"),
    "distillery.config": ("build",),
    "distillery.engines": ("Engine",),
    "distillery.errors": ("ConfigError", "DistilleryError"),
    "distillery.pipeline": ("Plan", "load_plan"),
    "distillery.records": ("Outcome", "Problem", "Thinking", "Verdict"),
    "distillery.stages.base": (
        "AskingStage", "Context", "Decision", "Output",
        "ShardStage", "Sink", "Source", "TableStage", "Trainer", "computed",
    ),
    "distillery.verify.base": ("Checker",),
}  # fmt: skip

__all__ = [
    "AskingStage", "Checker", "ConfigError", "Context", "Decision", "DistilleryError", "Engine", "Outcome",
    "Output", "Plan", "Problem", "Run", "ShardStage", "Sink", "Source", "TableStage", "Thinking", "Trainer",
    "Verdict",
    "__version__", "build", "computed", "judge", "judge_many", "load_plan", "open_run", "run",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for module, names in _WHERE.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'distillery' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
