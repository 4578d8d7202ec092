"""Runs units one after another in this very process: for tests, and for engines that are live objects."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path

from distillery.engines import Engine
from distillery.pipeline import Plan
from distillery.runner.events import Alarmed, Done, Event, Failed, Moved, Unit
from distillery.runner.execute import Line, execute


class Inline:
    """An executor with one slot; `engines` are used as they are instead of being opened by the plan."""

    slots = 1

    def __init__(self, engines: Mapping[str, Engine] | None = None) -> None:
        self._engines = dict(engines or {})
        self._queue: deque[Unit] = deque()
        self._draining = False

    def start(self, plan: Plan, store: Path) -> None:
        self._plan, self._store = plan, store

    def submit(self, unit: Unit) -> None:
        self._queue.append(unit)

    def wait(self, timeout_s: float) -> list[Event]:
        if not self._queue:
            return []
        unit = self._queue.popleft()
        events: list[Event] = []
        moved: dict[str, float] = {}  # summed: nobody looks before the unit is done

        def tell(counts: Mapping[str, float]) -> None:
            for name, value in counts.items():
                moved[name] = moved.get(name, 0) + value

        def alarm(text: str) -> None:
            events.append(Alarmed(unit, text))

        line = Line(tell, alarm, lambda: self._draining)
        try:
            execute(unit, self._plan, self._store, line, ready=self._engines)
        except Exception as error:  # noqa: BLE001 - the scheduler raises it once its own books are in order
            return [*events, Moved(unit, moved), Failed(unit, error)]
        return [*events, Moved(unit, moved), Done(unit)]

    def drain(self) -> None:
        self._draining = True

    def close(self) -> None:
        self._queue.clear()
