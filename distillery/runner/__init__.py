"""Runs a plan. Running again continues: what is done is never done twice."""

from __future__ import annotations

from distillery.runner.events import Done, Event, Executor, Failed, Moved, Unit, Watcher
from distillery.runner.execute import execute
from distillery.runner.inline import Inline
from distillery.runner.record import RunDir, open_run
from distillery.runner.schedule import run

__all__ = [
    "Done",
    "Event",
    "Executor",
    "Failed",
    "Inline",
    "Moved",
    "RunDir",
    "Unit",
    "Watcher",
    "execute",
    "open_run",
    "run",
]
