"""Each unit of work as a Ray task, on any node of a cluster that shares the data folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from distillery import errors
from distillery.errors import ConfigError, DistilleryError, StoppedError
from distillery.installed.extras import require
from distillery.pipeline import Kind, Plan, Workers
from distillery.runner.events import Alarmed, Done, Event, Failed, Moved, Unit, add_counts
from distillery.runner.execute import Line, execute


class OnRay:
    """Joins the cluster that RAY_ADDRESS names, or starts one on this machine; `workers.jobs` tasks at
    once."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._tasks: dict[Any, Unit] = {}
        self._draining = False

    @property
    def slots(self) -> int:
        return self._workers.jobs

    def start(self, plan: Plan, store: Path) -> None:
        if plan.budget.max_tokens or plan.budget.max_cost:
            raise ConfigError(
                "budget: max_tokens and max_cost need counts while a step runs, which --executor ray has not;"
                " use max_hours, or --executor local"
            )
        require("ray", "ray", where="--executor ray")
        import ray

        self._ray = ray
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False)
        self._plan, self._store = ray.put(plan), store.resolve()
        self._gpus = ray.cluster_resources().get("GPU", 0)

    def submit(self, unit: Unit) -> None:
        needs_gpu = unit.step.kind is Kind.TRAINER or bool(unit.step.engines)
        share = 1 if needs_gpu and self._gpus else 0
        task = self._ray.remote(num_cpus=1, num_gpus=share, max_retries=2)(_work)
        self._tasks[task.remote(unit, self._plan, self._store)] = unit

    def wait(self, timeout_s: float) -> list[Event]:
        if not self._tasks:
            return []
        ready, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=timeout_s)
        return [event for reference in ready for event in self._events(reference)]

    def drain(self) -> None:
        """A task on another node is not told; it is ended, and what it stored stays."""
        self._draining = True
        for reference in self._tasks:
            self._ray.cancel(reference, force=True)

    def close(self) -> None:
        self.drain()
        self._tasks.clear()

    def _events(self, reference: Any) -> list[Event]:
        from ray.exceptions import RayError

        unit = self._tasks.pop(reference)
        try:
            found: _Found = self._ray.get(reference)
        except RayError as lost:
            if self._draining:
                return [Failed(unit, StoppedError(f"stage {unit.step.id}: stopped"))]
            return [Failed(unit, DistilleryError(f"stage {unit.step.id}: the Ray task was lost: {lost}"))]
        said: list[Event] = [Moved(unit, found.counts), *(Alarmed(unit, text) for text in found.alarms)]
        if found.error is None:
            return [*said, Done(unit)]
        name, message = found.error
        return [*said, Failed(unit, getattr(errors, name, DistilleryError)(message))]


@dataclass
class _Found:
    """What a task brings home: while it runs nobody hears of it but through the shards on disk."""

    counts: dict[str, float] = field(default_factory=dict[str, float])
    alarms: list[str] = field(default_factory=list[str])
    error: tuple[str, str] | None = None  # name and message


def _work(unit: Unit, plan: Plan, store: Path) -> _Found:
    found = _Found()
    try:
        execute(unit, plan, store, Line(partial(add_counts, found.counts), found.alarms.append))
    except DistilleryError as error:
        found.error = type(error).__name__, str(error)
    return found
