"""Does one unit of work: reads the parents' shards, applies the stage, holds it to the laws, writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from distillery import shards
from distillery.engines import Engine
from distillery.engines.cached import Cached
from distillery.engines.request_store import RequestStore
from distillery.pipeline import Kind, Plan, Step
from distillery.prompts import Prompt
from distillery.runner.asking import Conversation
from distillery.runner.events import Unit
from distillery.runner.laws import check_columns, check_decision, check_unique, sketch_keys
from distillery.runner.rows import Input, keep, look
from distillery.stages.base import AskingStage, Decision, EngineJob, ExportJob, Output, TrainJob
from distillery.store.stage_dir import StageDir

Tell = Callable[[Mapping[str, float]], None]


def _say_nothing(text: str) -> None: ...


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Line:
    """What a unit of work can say to whoever watches it, and hear from them."""

    tell: Tell
    alarm: Callable[[str], None] = _say_nothing
    stopping: Callable[[], bool] = _never  # true once no new request is to be asked


@dataclass
class StepContext:
    """All a stage may reach besides its table; engines open when first asked for."""

    plan: Plan
    step: Step
    store: Path
    line: Line
    ready: Mapping[str, Engine] = field(default_factory=dict)
    opened: dict[str, Engine] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        return self.step.seed

    def engine(self, name: str) -> Engine:
        """The engine behind the request store, known by the identity that the plan took."""
        if name not in self.opened:
            spec = self.plan.engines[self._own(name)]
            engine = self.ready.get(name) or spec.open(self._models())
            store = RequestStore(self.store / "requests")
            self.opened[name] = Cached(engine, store, known_as=spec.identity)
        return self.opened[name]

    def engine_job(self, name: str) -> EngineJob:
        spec = self.plan.engines[self._own(name)]
        return EngineJob(spec.kind, spec.settings(self._models()), spec.identity)

    def prompt(self, name: str) -> Prompt:
        return self.plan.prompts[name]

    def progress(self, **counts: float) -> None:
        self.line.tell(counts)

    def alarm(self, text: str) -> None:
        self.line.alarm(text)

    def close(self) -> None:
        for engine in self.opened.values():
            engine.close()

    def _models(self) -> dict[str, Path]:
        return {step: folder_of(self.plan.step(step), self.store).model for step in self.step.models}

    def _own(self, name: str) -> str:
        """A step that came from another file names its engines as that file does."""
        return next(own for own in self.step.engines if own == name or own.endswith(f"/{name}"))


def folder_of(step: Step, store: Path) -> StageDir:
    return StageDir(store / step.folder)


def execute(
    unit: Unit, plan: Plan, store: Path, line: Line, *, ready: Mapping[str, Engine] | None = None
) -> None:
    """Runs `unit` to its end; what its folder already holds is not done again."""
    step, folder = unit.step, folder_of(unit.step, store)
    ctx = StepContext(plan, step, store, line, ready=ready or {})
    started = time.monotonic()
    try:
        match step.kind:
            case Kind.SOURCE:
                note = _run_source(ctx, folder)
            case Kind.SHARD:
                note = _run_shards(ctx, folder, unit)
            case Kind.TABLE:
                note = _run_table(ctx, folder)
            case Kind.TRAINER:
                note = _run_trainer(ctx, folder)
            case Kind.SINK:
                note = _run_sink(ctx, folder)
    finally:
        ctx.close()
    note["seconds"] = round(time.monotonic() - started, 3)
    if unit.parts == 1:
        finish(step, folder, note)


def finish(step: Step, folder: StageDir, note: Mapping[str, Any]) -> None:
    """Writes the marker that says this step is done."""
    known = {"id": step.id, "use": step.use, "fingerprint": step.fingerprint}
    empty: dict[str, Any] = {"shards": 0, "rows_in": 0, "rows_out": 0, "rows_dropped": 0}
    rest: dict[str, Any] = {"counts": {}, "metrics": [], "facts": {}, "model": False}
    folder.finish({**known, **empty, **rest, **note})


def parent_shards(step: Step, plan: Plan, store: Path) -> list[Path]:
    """Every shard of every parent, in order: shard n of this step stands on the n-th."""
    return [file for parent in step.parents for file in folder_of(plan.step(parent), store).shards()]


def sum_shards(folder: StageDir, count: int) -> dict[str, Any]:
    """Rows and counts over the shards on disk."""
    total = {"shards": count, "rows_in": 0, "rows_out": 0, "rows_dropped": 0}
    counts: dict[str, float] = {}
    for shard in range(count):
        note, (kept, dropped) = folder.shard_note(shard), folder.count(shard)
        total["rows_in"] += note["rows_in"]
        total["rows_out"] += kept
        total["rows_dropped"] += dropped
        for name, value in note["metrics"].items():
            counts[name] = counts.get(name, 0) + value
    return {**total, "counts": counts}


def _run_source(ctx: StepContext, folder: StageDir) -> dict[str, Any]:
    limit, seen = ctx.plan.limit, 0
    number = 0
    with ThreadPoolExecutor(1) as beside:  # a shard is written while the next one is made
        writing: Future[int] | None = None
        for output in ctx.step.stage.shards(ctx):
            if limit is not None and seen + output.kept.height > limit:
                output = Output(output.kept.head(limit - seen), output.dropped, output.metrics)
            seen += output.kept.height
            if writing is not None:
                ctx.progress(rows=writing.result())
            writing = beside.submit(_write_source, ctx, folder, number, output)
            number += 1
            if limit is not None and seen >= limit:
                break
        if writing is not None:
            ctx.progress(rows=writing.result())
    return sum_shards(folder, number)


def _write_source(ctx: StepContext, folder: StageDir, number: int, output: Output) -> int:
    """Rows that were written; who counts them is the thread that may speak with the watcher."""
    if folder.has(number):
        return 0
    check_columns(ctx.step, output)
    folder.write(number, output, output.kept.height + output.dropped.height)
    return output.kept.height


def _run_shards(ctx: StepContext, folder: StageDir, unit: Unit) -> dict[str, Any]:
    step = ctx.step
    inputs = parent_shards(step, ctx.plan, ctx.store)
    owed = (shard for shard in range(unit.part, len(inputs), unit.parts) if not folder.has(shard))

    seen: dict[int, Input] = {}

    def read(shard: int) -> pl.DataFrame:
        seen[shard] = look(step, ctx.plan, inputs[shard])
        check_unique(step, seen[shard].table, step.stage.key)  # before anything is paid for
        return seen[shard].table

    def write(shard: int, _: pl.DataFrame, output: Output, asked: Sequence[str] | None = None) -> None:
        if asked is not None:
            folder.write_asked(shard, asked)
        keep(step, ctx.plan, folder, shard, seen.pop(shard), output)

    if isinstance(step.stage, AskingStage):
        engine = ctx.engine(step.stage.uses()["engine"][0])
        stopping = ctx.line.stopping
        Conversation(step.stage, ctx, engine, read=read, write=write, stopping=stopping).hold(owed)
    else:
        for shard in owed:
            table = read(shard)
            write(shard, table, step.stage.apply(table, ctx))
    return {} if unit.parts > 1 else sum_shards(folder, len(inputs))


def _run_table(ctx: StepContext, folder: StageDir) -> dict[str, Any]:
    step, stage = ctx.step, ctx.step.stage
    inputs = parent_shards(step, ctx.plan, ctx.store)
    sketches: list[pl.DataFrame] = []
    for shard, file in enumerate(inputs):
        sketch = folder.read_sketch(shard)
        if sketch is None:
            table = look(step, ctx.plan, file).table
            sketch = stage.sketch(table, ctx)
            folder.write_sketch(shard, sketch)
            ctx.progress(rows=table.height)
        sketches.append(sketch)
    if not sketches:
        return {"shards": 0}
    together = pl.concat(sketches)
    sketches.clear()
    decision: Decision = stage.decide(together, ctx)
    check_decision(step, decision, sketch_keys(step, together))
    for shard, file in enumerate(inputs):
        seen = look(step, ctx.plan, file, only=[stage.key])
        keep(step, ctx.plan, folder, shard, seen, _decided(step, seen.table, decision))
    return {**sum_shards(folder, len(inputs)), "metrics": list(decision.metrics), "facts": decision.facts}


def _decided(step: Step, table: pl.DataFrame, decision: Decision) -> Output:
    key = step.stage.key
    kept = table.join(decision.dropped, left_on=key, right_on="key", how="anti", maintain_order="left")
    dropped = decision.dropped.join(
        table.select(key), left_on="key", right_on=key, how="semi", maintain_order="left"
    )
    if decision.added is not None:
        kept = kept.drop([name for name in step.stage.writes if name in kept.columns])
        kept = kept.join(decision.added, on=key, how="left", maintain_order="left")
    return Output(kept, dropped)


def _run_trainer(ctx: StepContext, folder: StageDir) -> dict[str, Any]:
    step = ctx.step
    start = step.starts_from
    reference = None if start is None else folder_of(ctx.plan.step(start), ctx.store).model
    if start is None and isinstance(step.stage.starts_from, str):
        reference = Path(step.stage.starts_from)
    tables = parent_shards(step, ctx.plan, ctx.store)
    uses: Mapping[str, Sequence[str]] = step.stage.uses() if hasattr(step.stage, "uses") else {}
    job = TrainJob(
        tables=tables,
        model=reference,
        work=folder.work,
        out=folder.model,
        seed=step.seed,
        threads=ctx.plan.workers.threads,
        engines={name: ctx.engine_job(name) for name in uses.get("engine", ())},
        prompts={name: ctx.prompt(name) for name in uses.get("prompt", ())},
    )
    metrics = step.stage.train(job)
    rows = sum(map(shards.rows, tables))
    return {"model": True, "rows_in": rows, "counts": metrics}


def _run_sink(ctx: StepContext, folder: StageDir) -> dict[str, Any]:
    step, plan = ctx.step, ctx.plan
    before = [folder_of(other, ctx.store) for other in plan.ancestors(step.id)[:-1]]
    raw = step.extras.get("raw")
    job = ExportJob(
        tables=parent_shards(step, plan, ctx.store),
        ledger=[file for other in before for file in other.ledgers()],
        history=[json.loads((other.path / "stage.json").read_text()) for other in before],
        pipeline=yaml.safe_dump(dict(plan.resolved), sort_keys=False, allow_unicode=True),
        out=folder.path / "out",
        seed=step.seed,
        raw=None if raw is None else folder_of(plan.step(raw), ctx.store).shards(),
    )
    counts = step.stage.export(job)
    rows = sum(map(shards.rows, job.tables))
    return {"rows_in": rows, "rows_out": rows, "counts": counts}
