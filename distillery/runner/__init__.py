"""Runs a plan. Running again continues: what is done is never done twice."""

from __future__ import annotations

from distillery.runner.events import Executor, Watcher
from distillery.runner.record import RunDir, open_run
from distillery.runner.schedule import run

__all__ = ["Executor", "RunDir", "Watcher", "open_run", "run"]
