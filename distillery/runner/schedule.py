"""Walks a plan's graph: starts what is ready, as much as the executor holds, the longest line first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from distillery.errors import DistilleryError, StoppedError
from distillery.pipeline import Kind, Plan, Step
from distillery.pipeline.prices import Prices
from distillery.runner.events import Alarmed, Done, Event, Executor, Failed, Moved, Unit, Watcher
from distillery.runner.execute import folder_of, note_of_shards, parent_shards
from distillery.runner.record import RunDir
from distillery.runner.spending import Purse, Spent
from distillery.store.stage_dir import FolderLock

SILENT_S = 600.0  # without a word from a step that asks, after which a person should hear of it
_TICK_S = 0.25
_RAISE_IT = "what was drawn is stored; raise the limit and run the same command to go on"


def run(
    plan: Plan,
    *,
    store: Path,
    record: RunDir,
    executor: Executor,
    watcher: Watcher,
    prices: Prices | None = None,
) -> None:
    """Does what the plan still owes. An error lets the work in flight end, then is raised.

    The first Ctrl-C asks nothing new and keeps what is in flight, the second ends at once. A budget that is
    used
    up does as the first does, and raises `StoppedError`; `prices` is what its money is counted by.
    """
    purse = Purse(plan, prices or Prices()) if plan.budget else None
    record.update(plan, store, status="running")
    record.say("run", pipeline=plan.name, seed=plan.seed)
    watcher.begins(plan, record.path)
    status = "failed"
    try:
        executor.start(plan, store)
        _Schedule(plan, store, record, executor, watcher, purse).walk()
        status = "done"
    except StoppedError:
        status = "stopped"
        raise
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        executor.close()
        watcher.finishes()
        _write_down(record, plan, store, status)


def _write_down(record: RunDir, plan: Plan, store: Path, status: str) -> None:
    try:
        record.update(plan, store, status=status)
        record.say(status)
    except DistilleryError:
        if status == "done":  # else the first error is the one to hear of
            raise


@dataclass
class _Running:
    step: Step
    lock: FolderLock
    started: float
    parts: int
    left: int
    heard: float = field(default_factory=time.monotonic)  # when it last said anything


@dataclass
class _Schedule:
    plan: Plan
    store: Path
    record: RunDir
    executor: Executor
    watcher: Watcher
    purse: Purse | None = None
    begun: float = field(default_factory=time.monotonic)
    spent: dict[str, Spent] = field(default_factory=dict[str, Spent])  # by step id
    stop: KeyboardInterrupt | StoppedError | None = None
    done: set[str] = field(default_factory=set)
    running: dict[str, _Running] = field(default_factory=dict)
    waiting: list[Unit] = field(default_factory=list)  # units of running steps, not yet submitted
    flying: int = 0
    failure: Failed | None = None
    said: set[str] = field(default_factory=set)

    def walk(self) -> None:
        self.depth = _depths(self.plan)
        try:
            while len(self.done) < len(self.plan.steps):
                try:
                    self._turn()
                except KeyboardInterrupt as interrupt:
                    if self.stop is not None:
                        raise
                    self._drain(interrupt, "interrupted")
        finally:
            for running in self.running.values():
                running.lock.release()

    def _turn(self) -> None:
        if self.failure is None and self.stop is None:
            self._start_ready()
        if self.flying == 0 and self.failure is not None:
            raise self.failure.error
        if self.flying == 0 and self.stop is not None:
            raise self.stop
        for event in self.executor.wait(_TICK_S):
            self._take(event)
        self._listen()
        reached = self.purse.reached(self.spent, time.monotonic() - self.begun) if self.purse else ""
        if reached and self.stop is None:
            self._drain(StoppedError(f"budget.{reached}; {_RAISE_IT}"), "budget used up")
        self.watcher.tick()

    def _listen(self) -> None:
        """For a sign of life from steps that ask; one whose engine gives its turn says what is late."""
        for running in self.running.values():
            silent_s = time.monotonic() - running.heard
            if running.step.kind is Kind.SHARD and running.step.engines and silent_s > SILENT_S:
                running.heard = time.monotonic()
                names = ", ".join(running.step.engines)
                said = f"nothing was heard for {silent_s:.0f} s: {names} gives no reply and no turn"
                self._alarm(running.step, said)

    def _drain(self, stop: KeyboardInterrupt | StoppedError, why: str) -> None:
        self.stop = stop
        self.waiting.clear()
        for running in self.running.values():
            self.watcher.alarms(running.step, f"{why}: saves what is in flight; Ctrl-C leaves at once")
        self.executor.drain()

    def _start_ready(self) -> None:
        progress = True
        while progress:  # a step that was done already makes others ready
            progress = False
            for step in sorted(self.plan.steps, key=lambda s: -self.depth[s.id]):
                if step.id in self.done or step.id in self.running or not self.done.issuperset(step.needs):
                    continue
                if self._reuse(step):
                    progress = True
                elif self.flying + len(self.waiting) < self.executor.slots:
                    progress |= self._begin(step)
        while self.waiting and self.flying < self.executor.slots:
            self.executor.submit(self.waiting.pop(0))
            self.flying += 1

    def _reuse(self, step: Step) -> bool:
        note = folder_of(step, self.store).done()
        if note is None:
            return False
        self.done.add(step.id)
        self._count(step, note.counts)
        self.watcher.reuses(step, note)
        for text in note.facts.get("alarms", ()):  # what its rows lack, whoever made it
            self._alarm(step, text)
        return True

    def _count(self, step: Step, counts: Mapping[str, float]) -> None:
        """Tokens of work that was done before this run."""
        if step.engines:
            said = counts.get("completion_tokens", 0.0)
            self.spent[step.id] = Spent(counts.get("prompt_tokens", 0.0), said)

    def _begin(self, step: Step) -> bool:
        folder = folder_of(step, self.store)
        lock = FolderLock(folder.path)
        if not lock.acquire():
            if step.id not in self.said:
                self.said.add(step.id)
                self.watcher.waits(step, f"another process works on {folder.path}")
            return False
        if self._reuse(step):
            lock.release()
            return True
        if step.engines and self.purse:
            self._count(step, folder.sums(folder.on_disk()).counts)
        parts = 1
        if step.kind is Kind.SHARD and not step.engines:
            parts = max(1, min(self.executor.slots, len(parent_shards(step, self.plan, self.store))))
        self.running[step.id] = _Running(step, lock, time.monotonic(), parts, parts)
        self.waiting.extend(Unit(step, part, parts) for part in range(parts))
        self.watcher.starts(step)
        self.record.say("starts", step=step.id, folder=step.folder)
        return True

    def _spend(self, step: Step, counts: Mapping[str, float]) -> None:
        if step.engines:
            read, said = self.spent.get(step.id, Spent())
            self.spent[step.id] = Spent(read + counts.get("prompt_tokens", 0), said + counts.get("tokens", 0))

    def _take(self, event: Event) -> None:
        step = event.unit.step
        if running := self.running.get(step.id):
            running.heard = time.monotonic()
        match event:
            case Moved():
                self._spend(step, event.counts)
                self.watcher.moves(step, event.counts)
            case Alarmed():
                self._alarm(step, event.text)
            case Failed(error=StoppedError()) if self.stop is not None:
                self.flying -= 1
            case Failed():
                self.flying -= 1
                self.record.say("failed", step=step.id, error=str(event.error))
                self.failure = self.failure or event
                self.waiting.clear()
            case Done():
                self.flying -= 1
                running = self.running[step.id]
                running.left -= 1
                if running.left == 0 and self.failure is None:
                    self._end(running)

    def _alarm(self, step: Step, text: str) -> None:
        self.record.say("alarm", step=step.id, text=text)
        self.watcher.alarms(step, text)

    def _end(self, running: _Running) -> None:
        step, folder = running.step, folder_of(running.step, self.store)
        if running.parts > 1:
            count = len(parent_shards(step, self.plan, self.store))
            seconds = round(time.monotonic() - running.started, 3)
            folder.finish(note_of_shards(step, folder, count, seconds=seconds))
        note = folder.done()
        assert note is not None
        if step.kind is Kind.TRAINER:  # whose processes report no tokens on their way
            self._count(step, note.counts)
        del self.running[step.id]
        running.lock.release()
        self.done.add(step.id)
        self.watcher.ends(step, note)
        if note.rows_dropped and not note.rows_out:
            self._alarm(step, _why_all(folder.ledger()))
        facts = {f: getattr(note, f) for f in ("rows_in", "rows_out", "rows_dropped", "seconds")}
        self.record.say("done", step=step.id, **facts)


def _why_all(ledger: pl.DataFrame) -> str:
    """Of a step that has no row left."""
    reasons = ledger.group_by("reason").agg(pl.len(), pl.col("detail").first())
    most = reasons.sort("len", "reason", descending=True).head(3).iter_rows()
    said = [f"{rows:,} {reason} ({(detail or '')[:200]})" for reason, rows, detail in most]
    return f"no row is left of {ledger.height:,}: {'; '.join(said)}"


def _depths(plan: Plan) -> dict[str, int]:
    """Length of the longest line of trainers and engine stages that hangs on each step: whom to start
    first."""
    depth: dict[str, int] = {step.id: 0 for step in plan.steps}
    for step in reversed(plan.steps):
        own = depth[step.id] + (3 if step.kind is Kind.TRAINER else 2 if step.engines else 1)
        depth[step.id] = own
        for need in step.needs:
            depth[need] = max(depth[need], own)
    return depth
