"""Does one unit of work: reads the parents' shards, applies the stage, holds it to the laws, writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from distillery import shards
from distillery.engines import Engine
from distillery.engines.cached import Cached
from distillery.engines.request_store import RequestStore
from distillery.pipeline import Plan, Step
from distillery.pipeline.published import published
from distillery.prompts import Prompt
from distillery.runner.asking import Conversation
from distillery.runner.events import Unit
from distillery.runner.laws import (
    check_columns,
    check_counts,
    check_decision,
    check_given,
    check_named,
    check_output,
    check_reasons,
    check_sketch,
    check_unique,
    sketch_keys,
)
from distillery.runner.rows import Input, decided, keep, look
from distillery.runner.union import unite
from distillery.stages.base import (
    AskingStage,
    EngineJob,
    ExportJob,
    Output,
    ShardStage,
    Sink,
    Source,
    TableStage,
    Trainer,
    TrainJob,
    UnionStage,
)
from distillery.stages.note import Note
from distillery.store.stage_dir import StageDir

Tell = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True)
class Line:
    """What a unit of work can say to whoever watches it, and hear from them."""

    tell: Tell
    alarm: Callable[[str], None]
    stopping: Callable[[], bool] = lambda: False  # true once no new request is to be asked


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
            self.opened[name] = Cached(engine, store, known_as=spec.identity, name=spec.name, kind=spec.kind)
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
    return StageDir(store / step.folder, step.id)


def execute(
    unit: Unit, plan: Plan, store: Path, line: Line, *, ready: Mapping[str, Engine] | None = None
) -> None:
    """Runs `unit` to its end; what its folder already holds is not done again."""
    step, folder = unit.step, folder_of(unit.step, store)
    ctx = StepContext(plan, step, store, line, ready=ready or {})
    started = time.monotonic()
    try:
        match step.stage:
            case Source():
                note = _run_source(ctx, step.stage, folder)
            case ShardStage():
                note = _run_shards(ctx, step.stage, folder, unit)
            case TableStage():
                note = _run_table(ctx, step.stage, folder)
            case UnionStage():
                note = _run_union(ctx, folder)
            case Trainer():
                note = _run_trainer(ctx, step.stage, folder)
            case Sink():
                note = _run_sink(ctx, step.stage, folder)
    finally:
        ctx.close()
    if unit.parts == 1:
        folder.finish(replace(note, seconds=round(time.monotonic() - started, 3)))


def parent_shards(step: Step, plan: Plan, store: Path) -> list[Path]:
    """Every shard of every parent, in order: shard n of this step stands on the n-th."""
    return [file for parent in step.parents for file in folder_of(plan.step(parent), store).shards()]


def note_of(step: Step, **more: Any) -> Note:
    return Note(id=step.id, use=step.use, fingerprint=step.fingerprint, **more)


def note_of_shards(step: Step, folder: StageDir, count: int, **more: Any) -> Note:
    """With the rows and counts of the shards on disk."""
    return note_of(step, shards=count, **folder.sums(range(count))._asdict(), **more)


def _run_source(ctx: StepContext, stage: Source, folder: StageDir) -> Note:
    limit, seen, number = ctx.plan.limit, 0, 0
    with ThreadPoolExecutor(1) as beside:  # a shard is written while the next one is made
        writing: Future[int] | None = None
        made = stage.shards(ctx)
        check_given(ctx.step, "shards", made, Iterable)
        for output in made:
            check_output(ctx.step, "shards", output)
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
    return note_of_shards(ctx.step, folder, number)


def _write_source(ctx: StepContext, folder: StageDir, number: int, output: Output) -> int:
    """Rows that were written; who counts them is the thread that may speak with the watcher."""
    if folder.has(number):
        return 0
    check_columns(ctx.step, output)
    check_reasons(ctx.step, output.dropped)
    folder.write(number, output, output.kept.height + output.dropped.height)
    return output.kept.height


def _run_shards(ctx: StepContext, stage: ShardStage, folder: StageDir, unit: Unit) -> Note:
    step = ctx.step
    inputs = parent_shards(step, ctx.plan, ctx.store)
    owed = (shard for shard in range(unit.part, len(inputs), unit.parts) if not folder.has(shard))
    seen: dict[int, Input] = {}

    def read(shard: int) -> pl.DataFrame:
        seen[shard] = look(step, ctx.plan, inputs[shard])
        check_unique(step, seen[shard].table, stage.key)  # before anything is paid for
        return seen[shard].table.clone()  # the stage may change what it is given

    def write(shard: int, _: pl.DataFrame, output: Output, asked: Sequence[str] | None = None) -> None:
        if asked is not None:
            folder.write_asked(shard, asked)
        keep(step, ctx.plan, folder, shard, seen.pop(shard), output)

    if isinstance(stage, AskingStage):
        engine, stopping = ctx.engine(stage.uses().engines[0]), ctx.line.stopping
        Conversation(stage, ctx, engine, read=read, write=write, stopping=stopping).hold(owed)
    else:
        for shard in owed:
            table = read(shard)
            write(shard, table, stage.apply(table, ctx))
    return note_of(step) if unit.parts > 1 else note_of_shards(step, folder, len(inputs))


def _run_table(ctx: StepContext, stage: TableStage, folder: StageDir) -> Note:
    step = ctx.step
    inputs = parent_shards(step, ctx.plan, ctx.store)
    sketches: list[pl.DataFrame] = []
    with ThreadPoolExecutor(1) as beside:  # a sketch is written while the next one is made
        writing: Future[None] | None = None
        for shard, file in enumerate(inputs):
            sketch = folder.read_sketch(shard)
            if sketch is None:
                table = look(step, ctx.plan, file).table
                sketch = stage.sketch(table.clone(), ctx)
                check_sketch(step, table, sketch)
                if writing is not None:
                    writing.result()
                writing = beside.submit(folder.write_sketch, shard, sketch)
                ctx.progress(rows=table.height)
            sketches.append(sketch)
        if writing is not None:
            writing.result()
    if not sketches:
        return note_of(step)
    together = pl.concat(sketches)
    sketches.clear()
    decision = stage.decide(together, ctx)
    check_decision(step, decision, sketch_keys(step, together))
    for shard, file in enumerate(inputs):
        seen = look(step, ctx.plan, file, only=[stage.key])
        keep(step, ctx.plan, folder, shard, seen, decided(stage, seen.table, decision))
    return note_of_shards(step, folder, len(inputs), metrics=decision.metrics, facts=decision.facts)


def _run_union(ctx: StepContext, folder: StageDir) -> Note:
    step = ctx.step
    inputs = {name: folder_of(ctx.plan.step(name), ctx.store).shards() for name in step.parents}
    facts = unite(step, ctx.plan, folder, inputs)
    for text in facts["alarms"]:
        ctx.alarm(text)
    return note_of_shards(step, folder, sum(map(len, inputs.values())), facts=facts)


def _run_trainer(ctx: StepContext, stage: Trainer, folder: StageDir) -> Note:
    step, start, uses = ctx.step, stage.starts_from, stage.uses()
    reference = Path(start) if isinstance(start, str) else None
    if step.starts_from is not None:
        reference = folder_of(ctx.plan.step(step.starts_from), ctx.store).model
    tables = parent_shards(step, ctx.plan, ctx.store)
    job = TrainJob(
        tables=tables,
        model=reference,
        work=folder.work,
        out=folder.model,
        seed=step.seed,
        threads=ctx.plan.workers.threads,
        chat_template=step.chat_template,
        engines={name: ctx.engine_job(name) for name in uses.engines},
        prompts={name: ctx.prompt(name) for name in uses.prompts},
    )
    metrics = stage.train(job)
    check_counts(step, "train", metrics)
    return note_of(step, model=True, rows_in=sum(map(shards.rows, tables)), counts=metrics)


def _trace_ids(files: Sequence[Path]) -> pl.Series:
    none, known = pl.Series("trace_id", [], dtype=pl.String), "trace_id"
    return pl.concat(
        [none]
        + [
            shards.read(file, [known])[known].cast(pl.String)
            if known in shards.schema(file)
            else none.extend_constant(None, shards.rows(file))
            for file in files
        ]
    )


def _run_sink(ctx: StepContext, stage: Sink, folder: StageDir) -> Note:
    step, plan = ctx.step, ctx.plan
    before = [folder_of(other, ctx.store) for other in plan.ancestors(step.id)[:-1]]
    raw = step.extras.get("raw")
    shown = published(plan, step.id)
    job = ExportJob(
        tables=parent_shards(step, plan, ctx.store),
        ledger=[file for other in before for file in other.ledgers()],
        history=[note for other in before if (note := other.done())],
        pipeline=shown.text,
        private=shown.private,
        out=folder.path / "out",
        seed=step.seed,
        raw=None if raw is None else folder_of(plan.step(raw), ctx.store).shards(),
    )
    if "trace_id" in stage.reads:
        for what, files in (("its input", job.tables), (f"raw: {raw}", job.raw or ())):
            check_named(step, what, _trace_ids(files))
    counts = stage.export(job)
    check_counts(step, "export", counts)
    rows = sum(map(shards.rows, job.tables))
    return note_of(step, rows_in=rows, rows_out=rows, counts=counts)
