"""Each unit of work in a process of its own, forked from a server that has the heavy imports behind it.

A unit's memory is given back when it ends; its output goes to its folder's log.txt; it dies with its parent.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

from distillery import errors
from distillery.errors import DistilleryError, StoppedError
from distillery.executors import worker
from distillery.installed.extras import require
from distillery.pipeline import Kind, Plan, Workers
from distillery.runner.events import Alarmed, Done, Event, Failed, Moved, Unit
from distillery.runner.execute import folder_of

_LIGHT = ("distillery.executors.fork_server", "distillery.executors.worker")
_TRAINING = ("torch", "transformers", "trl.trainer.sft_trainer", "trl.trainer.grpo_trainer")
_LOCAL_MODEL = ("torch", "transformers")


@dataclass
class _Flight:
    unit: Unit
    process: BaseProcess
    pipe: Any  # a multiprocessing connection; its type differs between platforms
    leash: Any
    stopped: bool = False


class Local:
    """Processes of this machine, `workers.jobs` at once."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._flights: list[_Flight] = []

    @property
    def slots(self) -> int:
        return self._workers.jobs

    def start(self, plan: Plan, store: Path) -> None:
        self._plan, self._store = plan, store
        # read by OpenMP when torch is imported, so before the server starts
        if self._workers.threads is not None:
            os.environ["OMP_NUM_THREADS"] = str(self._workers.threads)
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(list(_preload(plan, store)))

    def submit(self, unit: Unit) -> None:
        mine, theirs = self._processes.Pipe(duplex=False)
        log = folder_of(unit.step, self._store).log
        # the worker dies when our end closes, however we end
        held, leash = self._processes.Pipe(duplex=False)
        arguments = (unit, self._plan, self._store, theirs, held, log, self._workers.threads)
        process = self._processes.Process(target=worker.main, args=arguments, name=unit.step.id)
        process.start()
        theirs.close()
        held.close()
        self._flights.append(_Flight(unit, process, mine, leash))

    def wait(self, timeout_s: float) -> list[Event]:
        ready = set(wait([flight.pipe for flight in self._flights], timeout_s))
        events: list[Event] = []
        for flight in [f for f in self._flights if f.pipe in ready]:
            events.extend(self._hear(flight))
        return events

    def drain(self) -> None:
        """Trainings end at once (they go on from their last checkpoint), as do stages that ask nobody."""
        for flight in self._flights:
            if flight.unit.step.engines:
                with contextlib.suppress(ProcessLookupError, TypeError):  # gone, or not yet there
                    os.kill(cast("int", flight.process.pid), worker.DRAIN)
            else:
                flight.stopped = True
                flight.process.kill()

    def close(self) -> None:
        for flight in self._flights:
            flight.process.kill()
        for flight in self._flights:
            flight.process.join()
            flight.pipe.close()
            flight.leash.close()
        self._flights.clear()

    def _hear(self, flight: _Flight) -> list[Event]:
        try:
            kind, *rest = flight.pipe.recv()
        except EOFError:
            kind, rest = "died", []
        if kind == "moved":
            return [Moved(flight.unit, rest[0])]
        if kind == "alarm":
            return [Alarmed(flight.unit, rest[0])]
        flight.process.join()
        flight.pipe.close()
        flight.leash.close()
        self._flights.remove(flight)
        if kind == "done":
            return [Done(flight.unit)]
        # to know what the signal means
        too_young = kind == "died" and flight.process.exitcode == -worker.DRAIN
        if flight.stopped or too_young:
            return [Failed(flight.unit, StoppedError(f"stage {flight.unit.step.id}: stopped"))]
        return [Failed(flight.unit, self._error(flight, kind, rest))]

    def _error(self, flight: _Flight, kind: str, rest: list[str]) -> DistilleryError:
        step, log = flight.unit.step, folder_of(flight.unit.step, self._store).log
        if kind == "raised":
            name, message = rest
            return getattr(errors, name)(message)
        code = flight.process.exitcode
        how = (
            f"died from signal {-code} (9 is often: out of memory)"
            if code and code < 0
            else f"ended with {code}"
        )
        what = rest[0] if rest else how
        return DistilleryError(f"stage {step.id} ({step.use}): {what}; the end of {log}:\n{tail(log)}")


def tail(log: Path, *, lines: int = 12) -> str:
    if not log.exists():
        return "  (no log)"
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "\n".join(f"  {line}" for line in text)


def _preload(plan: Plan, store: Path) -> tuple[str, ...]:
    """Imports that the plan's owed work will need; a plan without local models never pays for torch."""
    owed = [step for step in plan.steps if folder_of(step, store).done() is None]
    trainers = [step.id for step in owed if step.kind is Kind.TRAINER]
    if trainers:  # said now, and not when the money for the rows before them is spent
        require("trl", "train", where=f"stage {trainers[0]}")
        return _LIGHT + _TRAINING
    kinds = {plan.engines[name].kind for step in owed for name in step.engines}
    return _LIGHT + (_LOCAL_MODEL if "transformers" in kinds else ())
