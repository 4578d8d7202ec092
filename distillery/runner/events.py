"""What the scheduler, the places where work runs, and the people who watch say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from distillery.pipeline import Plan, Step
from distillery.stages.note import Note


@dataclass(frozen=True)
class Unit:
    """A step, or every `parts`-th shard of one."""

    step: Step
    part: int = 0
    parts: int = 1


@dataclass(frozen=True)
class Moved:
    """Counters that grew: rows, tokens, accepted, truncated, steps."""

    unit: Unit
    counts: Mapping[str, float]


def add_counts(sums: dict[str, float], counts: Mapping[str, float]) -> None:
    for name, value in counts.items():
        sums[name] = sums.get(name, 0) + value


@dataclass(frozen=True)
class Done:
    unit: Unit


@dataclass(frozen=True)
class Failed:
    unit: Unit
    error: Exception


@dataclass(frozen=True)
class Alarmed:
    """A unit has something to say that a person should look at."""

    unit: Unit
    text: str


Event = Moved | Alarmed | Done | Failed


class Executor(Protocol):
    """Where units run. Several may run at once; each ends in exactly one Done or Failed."""

    @property
    def slots(self) -> int: ...
    def start(self, plan: Plan, store: Path) -> None: ...
    def submit(self, unit: Unit) -> None: ...
    def wait(self, timeout_s: float) -> list[Event]: ...
    def drain(self) -> None:
        """No new request is asked; what is in flight is heard and stored, then the units end as stopped."""

    def close(self) -> None:
        """Ends what still runs, at once; finished shards and stored completions stay."""


@dataclass
class Watcher:
    """Hears what happens; this one only counts, the command line's ones also show."""

    counts: dict[str, dict[str, float]] = field(default_factory=dict)

    def begins(self, plan: Plan, folder: Path) -> None: ...
    def starts(self, step: Step) -> None: ...
    def moves(self, step: Step, counts: Mapping[str, float]) -> None:
        add_counts(self.counts.setdefault(step.id, {}), counts)

    def ends(self, step: Step, note: Note) -> None: ...
    def reuses(self, step: Step, note: Note) -> None: ...
    def waits(self, step: Step, reason: str) -> None: ...
    def alarms(self, step: Step, text: str) -> None: ...
    def tick(self) -> None: ...
    def finishes(self) -> None: ...
