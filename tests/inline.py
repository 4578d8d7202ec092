"""An executor that runs units one after another in this very process, with engines that are live objects."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from distillery.engines import Engine
from distillery.errors import StoppedError
from distillery.pipeline import Plan
from distillery.runner.events import Alarmed, Done, Event, Failed, Moved, Unit, add_counts
from distillery.runner.execute import Line, execute


class Inline:
    """An executor with one slot; `engines` are used as they are instead of being opened by the plan."""

    slots = 1

    def __init__(self, engines: Mapping[str, Engine] | None = None) -> None:
        self._engines = dict(engines or {})
        self._queue: deque[Unit] = deque()
        self._draining = False
        self._interrupted: list[Event] = []

    def start(self, plan: Plan, store: Path) -> None:
        self._plan, self._store = plan, store

    def submit(self, unit: Unit) -> None:
        self._queue.append(unit)

    def wait(self, timeout_s: float) -> list[Event]:
        if self._interrupted or not self._queue:
            ended, self._interrupted = self._interrupted, []
            return ended
        unit = self._queue.popleft()
        events: list[Event] = []
        moved: dict[str, float] = {}  # summed: nobody looks before the unit is done

        def alarm(text: str) -> None:
            events.append(Alarmed(unit, text))

        line = Line(partial(add_counts, moved), alarm, lambda: self._draining)
        try:
            execute(unit, self._plan, self._store, line, ready=self._engines)
        except Exception as error:  # noqa: BLE001 - the scheduler raises it once its own books are in order
            return [*events, Moved(unit, moved), Failed(unit, error)]
        except KeyboardInterrupt:
            self._interrupted = [Failed(unit, StoppedError(f"stage {unit.step.id}: stopped"))]
            raise
        return [*events, Moved(unit, moved), Done(unit)]

    def drain(self) -> None:
        self._draining = True

    def close(self) -> None:
        self._queue.clear()
