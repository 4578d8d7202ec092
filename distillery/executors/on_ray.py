"""Each unit of work as a Ray task, on any node of a cluster that shares the data folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distillery import errors
from distillery.errors import ConfigError, DistilleryError
from distillery.pipeline import Kind, Plan, Workers
from distillery.runner.events import Done, Event, Failed, Unit
from distillery.runner.execute import Line, execute


class OnRay:
    """Joins the cluster that RAY_ADDRESS names, or starts one on this machine; `workers.jobs` tasks at once."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._tasks: dict[Any, Unit] = {}

    @property
    def slots(self) -> int:
        return self._workers.jobs

    def start(self, plan: Plan, store: Path) -> None:
        try:
            import ray
        except ImportError:
            raise ConfigError("--executor ray: ray is not installed; pip install 'distillery[ray]'") from None
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
        return [self._event(reference) for reference in ready]

    def drain(self) -> None:
        """A task on another node is not told; it is ended, and what it stored stays."""
        self.close()

    def close(self) -> None:
        for reference in self._tasks:
            self._ray.cancel(reference, force=True)
        self._tasks.clear()

    def _event(self, reference: Any) -> Event:
        from ray.exceptions import RayError

        unit = self._tasks.pop(reference)
        try:
            error: tuple[str, str] | None = self._ray.get(reference)
        except RayError as lost:
            return Failed(unit, DistilleryError(f"stage {unit.step.id}: the Ray task was lost: {lost}"))
        if error is None:
            return Done(unit)
        name, message = error
        return Failed(unit, getattr(errors, name, DistilleryError)(message))


def _work(unit: Unit, plan: Plan, store: Path) -> tuple[str, str] | None:
    def silent(counts: Mapping[str, float]) -> None:
        """Counters stay on the node: the shards on disk tell how far it is."""

    try:
        execute(unit, plan, store, Line(silent))
    except DistilleryError as error:
        return type(error).__name__, str(error)
    return None
