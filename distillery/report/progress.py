"""What a person sees while a run goes on: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.live import Live as RichLive
from rich.markup import escape

from distillery.pipeline import Kind, Plan, Step
from distillery.report.console import table_of
from distillery.runner import Watcher
from distillery.stages.base import Source
from distillery.stages.note import Note

_LINE_EVERY_S = 15.0
_LOOKS_BACK_S = 60.0


class Pace:
    """How fast a counter has grown of late: what came from the store at once is soon forgotten."""

    def __init__(self, now: float) -> None:
        self._seen = deque([(now, 0.0)])

    def rate(self, total: float, now: float) -> float:
        """A second, over the last minute, or since the beginning where that is later."""
        self._seen.append((now, total))
        while self._seen[1][0] <= now - _LOOKS_BACK_S:
            self._seen.popleft()
        then, before = self._seen[0]
        return (total - before) / max(now - then, 0.1)


@dataclass
class _Running:
    step: Step
    since: float
    pace: Pace


class _Clock(Watcher):
    """What both ways to show a run remember of it."""

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[str, _Running] = {}
        self._done = self._reused = 0

    def begins(self, plan: Plan, folder: Path) -> None:
        self._plan, self._begun = plan, time.monotonic()

    def starts(self, step: Step) -> None:
        now = time.monotonic()
        self._running[step.id] = _Running(step, now, Pace(now))

    def ends(self, step: Step, note: Note) -> None:
        self._running.pop(step.id, None)
        self._done += 1

    def reuses(self, step: Step, note: Note) -> None:
        self._done += 1
        self._reused += 1

    def _rates(self, running: _Running, now: float) -> str:
        return rates(self.counts.get(running.step.id, {}), running.pace, now)


class Lines(_Clock):
    """One line when a step starts, ends or has long been running."""

    def __init__(self, out: TextIO) -> None:
        super().__init__()
        self._out = out
        self._said: dict[str, float] = {}

    def begins(self, plan: Plan, folder: Path) -> None:
        super().begins(plan, folder)
        self._say(f"{plan.name}: {len(plan.steps)} steps, seed {plan.seed}, into {folder}")

    def starts(self, step: Step) -> None:
        super().starts(step)
        self._said[step.id] = time.monotonic()
        remark = step.stage.remark if isinstance(step.stage, Source) else ""
        self._say(f"{step.id:<26} starts ({', '.join(filter(None, (step.use, remark)))})")

    def ends(self, step: Step, note: Note) -> None:
        super().ends(step, note)
        self._say(f"{step.id:<26} done in {note.seconds:.1f} s: {describe(step, note)}")

    def waits(self, step: Step, reason: str) -> None:
        self._say(f"{step.id:<26} waits: {reason}")

    def alarms(self, step: Step, text: str) -> None:
        self._say(f"{step.id:<26} LOOK: {text}")

    def tick(self) -> None:
        now = time.monotonic()
        for step_id, running in self._running.items():
            if now - self._said[step_id] >= _LINE_EVERY_S:
                self._said[step_id] = now
                self._say(f"{step_id:<26} {now - running.since:.0f} s  {self._rates(running, now)}")

    def finishes(self) -> None:
        if self._reused:
            self._say(f"{self._reused} of {len(self._plan.steps)} steps were done already")
        self._say(f"{time.monotonic() - self._begun:.1f} s in all")

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


class Live(_Clock):
    """A table of what runs now, with rates and the share of the plan that is done."""

    def __init__(self, out: TextIO) -> None:
        super().__init__()
        self._console = Console(file=out)
        self._live = RichLive(console=self._console, refresh_per_second=4, transient=True)

    def begins(self, plan: Plan, folder: Path) -> None:
        super().begins(plan, folder)
        self._console.print(f"[bold]{plan.name}[/] · {len(plan.steps)} steps · seed {plan.seed} · {folder}")
        self._live.start()

    def starts(self, step: Step) -> None:
        super().starts(step)
        self.tick()

    def ends(self, step: Step, note: Note) -> None:
        super().ends(step, note)
        self._console.print(f"[green]✓[/] {step.id:<26} {note.seconds:>7.1f} s  {describe(step, note)}")
        self.tick()

    def waits(self, step: Step, reason: str) -> None:
        self._console.print(f"[yellow]…[/] {step.id:<26} waits: {reason}")

    def alarms(self, step: Step, text: str) -> None:
        self._console.print(f"[red]![/] {step.id:<26} {escape(text)}")

    def tick(self) -> None:
        now = time.monotonic()
        spent = now - self._begun
        table = table_of("running", "stage", "time", "progress", right=("time",))
        for step_id, running in self._running.items():
            lasts = f"{now - running.since:.0f} s"
            table.add_row(step_id, running.step.use, lasts, self._rates(running, now))
        fresh = self._done - self._reused
        owed = len(self._plan.steps) - self._done
        eta = f" · about {owed * spent / fresh:.0f} s to go" if fresh >= 3 else ""
        table.caption = f"{self._done}/{len(self._plan.steps)} steps · {spent:.0f} s{eta}"
        table.caption_justify = "left"
        self._live.update(table)

    def finishes(self) -> None:
        self._live.stop()
        again = f", {self._reused} done already" if self._reused else ""
        spent = time.monotonic() - self._begun
        self._console.print(f"{self._done} of {len(self._plan.steps)} steps{again} · {spent:.1f} s")


def rates(counts: Mapping[str, float], pace: Pace, now: float) -> str:
    """`1,200 rows · 340 tokens/s · 61 % accepted · 2 % truncated` from a step's counters."""
    rows = counts.get("rows", 0)
    parts: list[str] = []
    if counts.get("steps"):
        parts.append(f"step {counts['steps']:.0f}")
    if rows:
        parts.append(f"{rows:,.0f} rows")
    if counts.get("tokens"):
        parts.append(f"{pace.rate(counts['tokens'], now):,.0f} tokens/s")
    shares = ("accepted", "truncated") if rows else ()
    parts.extend(f"{counts[name] / rows:.0%} {name}" for name in shares if name in counts)
    return " · ".join(parts)


def describe(step: Step, note: Note) -> str:
    return "; ".join([_sums(step, note), *note.remarks])


def _sums(step: Step, note: Note) -> str:
    if step.kind is Kind.TRAINER:
        counts = note.counts
        shown = [f"{name} {counts[name]:.3g}" for name in ("train_loss", "loss", "reward") if name in counts]
        return ", ".join(["model", *shown])
    if step.kind is Kind.SINK:
        return f"{note.rows_out:,} rows written"
    if step.kind is Kind.SOURCE:
        return f"{note.rows_out:,} rows" + (f", {note.rows_dropped:,} dropped" if note.rows_dropped else "")
    return f"{note.rows_in:,} in, {note.rows_out:,} out, {note.rows_dropped:,} dropped"
