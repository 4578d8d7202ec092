"""The factory from Python: run a plan, read what came of it, judge answers. `import distillery` has the
names."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from distillery.errors import ConfigError
from distillery.executors import open_executor
from distillery.hashing import is_text
from distillery.pipeline import Plan
from distillery.pipeline.prices import Prices
from distillery.records import Problem, Verdict
from distillery.report import write_report
from distillery.runner import RunDir, Watcher
from distillery.runner import open_run as open_record
from distillery.runner import run as run_plan
from distillery.store.runs import find_run, find_stage, read_run, rows_of, stage_dir
from distillery.verify.pool.processes import judge as judge_rows


@dataclass(frozen=True)
class Run:
    """A run on disk, finished or not; what it has is read when it is asked for."""

    folder: Path
    data_dir: Path

    @property
    def stages(self) -> list[str]:
        """The ids of its stages, in order."""
        return [step["id"] for step in read_run(self.folder)["steps"]]

    @property
    def results(self) -> dict[str, Any]:
        """results.json: `metrics`, a row each, and `stages` with rows in, out and dropped."""
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    def rows(self, stage: str) -> pl.DataFrame:
        """What a stage has kept so far. Raises ConfigError where there is no such stage, or no table of
        it."""
        found = rows_of(self._step(stage), self.data_dir)
        if found is None:
            raise ConfigError(
                f"stage {stage!r}: has no rows yet, or makes no table; see `stages` for the others"
            )
        return found.collect()

    def dropped(self, stage: str) -> pl.DataFrame:
        """What a stage has dropped: `key`, `reason`, `detail`."""
        return stage_dir(self._step(stage), self.data_dir).ledger()

    def path(self, stage: str) -> Path:
        """The folder of what a stage made: `model/` of a training, `out/` of an export, shards of the
        rest."""
        return stage_dir(self._step(stage), self.data_dir).path

    def _step(self, stage: str) -> dict[str, Any]:
        return find_stage(read_run(self.folder), stage)


def run(
    plan: Plan,
    *,
    data_dir: Path | str = "data",
    executor: str = "local",
    jobs: int | None = None,
    watcher: Watcher | None = None,
    prices: Prices | None = None,
) -> Run:
    """Does what the plan still owes, and writes the report; `data_dir` holds store/ and runs/, as on the
    command line.

    `executor` is "local" (processes of this machine; a script needs its `if __name__ == "__main__":`) or
    "ray". A
    `watcher` hears how it goes, `prices` are what a budget in money counts by. Errors are DistilleryErrors,
    one line each.
    """
    if type(plan) is not Plan:
        raise ConfigError(f"run: {plan!r:.80} is no plan; load_plan makes one of a pipeline's file")
    data = Path(data_dir)
    workers = dataclasses.replace(plan.workers, jobs=jobs or plan.workers.jobs)
    record: RunDir = open_record(plan, data / "runs")
    run_plan(
        plan,
        store=data / "store",
        record=record,
        executor=open_executor(executor, workers),
        watcher=watcher or Watcher(),
        prices=prices,
    )
    write_report(record.path, data / "store")
    return Run(record.path, data)


def open_run(name: str, *, data_dir: Path | str = "data") -> Run:
    """A run by the name that the commands take: PIPELINE (its last run), PIPELINE/NUMBER, or the run's
    folder."""
    return Run(find_run(name, Path(data_dir)), Path(data_dir))


def judge(
    problem: Problem, text: str, *, deadline_s: float = 10.0, checkers: Collection[str] = ()
) -> Verdict:
    """The verdict of the problem's own checker on one raw completion, thought and all.

    Score None: not judged, for a reason that is not the answer's. `checkers` are those of your own that a
    problem may
    name, each `module:name`.
    """
    return judge_many([(problem, text)], deadline_s=deadline_s, checkers=checkers)[0]


def judge_many(
    rows: Iterable[tuple[Problem, str]], *, deadline_s: float = 10.0, checkers: Collection[str] = ()
) -> list[Verdict]:
    """The same for many, in order, on all cores; `deadline_s` is for each."""
    if isinstance(checkers, str):
        raise ConfigError(f"checkers: is {checkers!r}; it would be a list, [{checkers!r}]")
    held: list[tuple[Problem, str]] = []
    for number, row in enumerate(rows):
        if fault := _row_fault(row):
            raise ConfigError(f"rows[{number}]: {fault}")
        held.append(row)
    return judge_rows(held, deadline_s=deadline_s, own=checkers)


def _row_fault(row: Any) -> str | None:
    """The one place where values come in that no column has held to a type."""
    if not (isinstance(row, tuple) and len(row) == 2 and isinstance(row[0], Problem)):
        return f"is {row!r:.80}; it would be (Problem, text)"
    problem, text = row
    given = {field.name: getattr(problem, field.name) for field in dataclasses.fields(problem)}
    wrong = {name: value for name, value in (given | {"text": text}).items() if not is_text(value)}
    return next((f"{name} is {value!r:.80}; it would be a text" for name, value in wrong.items()), None)
