"""A finished or half-finished run as plain values, read from its folder and the store; nothing is
rendered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from distillery.errors import ConfigError, StoreError
from distillery.pipeline.lineage import UNKNOWN, Role, Standing
from distillery.pipeline.published import published_text
from distillery.report.copies import Clusters, read_clusters
from distillery.report.samples import Folder, Sample, across_models, dropped_samples, kept_samples
from distillery.stages.base import Kind
from distillery.store.stage_dir import StageDir

_GRPO_CURVES = ("reward", "completions/mean_length", "entropy", "kl", "frac_reward_zero_std")
_LOSS_CURVES = ("loss", "mean_token_accuracy")  # the loss of GRPO says nothing about progress
_TRACES = 20
_View = TypeVar("_View")


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of results.json."""

    model: str = ""
    bench: str = ""
    metric: str = ""
    value: float = 0.0
    stderr: float | None = None
    problems: int = 0
    samples: int = 0
    standing: Standing = UNKNOWN  # of the model among those of its run


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity over a training's logged steps."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    id: str
    use: str
    status: str
    reasons: Mapping[str, int]
    curves: tuple[Curve, ...]
    alarms: tuple[str, ...]
    remarks: tuple[str, ...]  # what it could not look at
    trains: bool
    parents: Sequence[str] = ()
    model_parent: str | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    rows_dropped: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    pipeline: str
    number: int
    status: str
    started: str = ""
    finished: str = ""
    seed: int = 0
    git: str = ""
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    steps: tuple[StepView, ...]
    metrics: tuple[Metric, ...]
    samples: tuple[Sample, ...]
    same_question: tuple[Sample, ...]  # one question, as every model of the run answered it
    yaml: str  # of its pipeline, as others may see it
    clusters: tuple[Clusters, ...]


def load_run(folder: Path, store: Path) -> RunView:
    """Reads what is there; a step that has not run yet is a step without numbers."""
    run = read_json(folder / "run.json")
    folders = [_folder(step, store) for step in run["steps"]]
    found = kept_samples(folders, count=_TRACES - 6)
    pipeline = folder / "pipeline.yaml"
    return _filled(
        RunView,
        run,
        steps=tuple(_step(step, place) for step, place in zip(run["steps"], folders, strict=True)),
        metrics=read_metrics(folder),
        samples=(*found, *dropped_samples(folders, count=_TRACES - len(found))),
        same_question=across_models(folders),
        yaml=published_text(pipeline.read_text(encoding="utf-8")) if pipeline.exists() else "",
        clusters=read_clusters(folders),
    )


def read_metrics(folder: Path) -> tuple[Metric, ...]:
    """From a run's results.json, the largest bench first; a value that is not a number was not measured."""
    file = folder / "results.json"
    rows: Sequence[Mapping[str, Any]] = read_json(file)["metrics"] if file.exists() else ()
    steps = read_json(folder / "run.json")["steps"] if rows else ()
    scored = {
        step["id"]: Standing(**step["scored"] | {"role": Role(step["scored"]["role"])})
        for step in steps
        if "scored" in step
    }
    found = [
        _filled(Metric, row, standing=scored.get(row.get("stage"), UNKNOWN))
        for row in rows
        if isinstance(row.get("value"), int | float)
    ]
    size: dict[str, int] = {}
    for metric in found:
        size[metric.bench] = max(metric.problems, size.get(metric.bench, 0))
    return tuple(sorted(found, key=lambda metric: -size[metric.bench]))


def _filled(cls: type[_View], facts: Mapping[str, Any], **more: Any) -> _View:
    """With those facts that have the names of its fields; null is none."""
    known = {name: facts[name] for name in signature(cls).parameters if facts.get(name) is not None}
    return cls(**known | more)


def read_json(file: Path) -> Any:
    if not file.is_file():
        raise ConfigError(f"{file}: no such file; the folder of a run has one")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise StoreError(f"{file}: not JSON; run its pipeline again to write it anew") from None


def _folder(step: Mapping[str, Any], store: Path) -> Folder:
    place = store / str(step["folder"])
    return Folder(
        id=step["id"],
        use=step["use"],
        parents=tuple(step.get("parents") or ()),
        shards=tuple(sorted(place.glob("shard-*.parquet"))),
        ledgers=tuple(sorted(place.glob("dropped-*.parquet"))),
        path=place,
        note=StageDir(place).note(),
    )


def _step(step: Mapping[str, Any], place: Folder) -> StepView:
    curves, alarms = _training(place.path)
    return _filled(
        StepView,
        step,
        reasons=_reasons(place.ledgers),
        curves=curves,
        alarms=(*alarms, *(place.note.facts.get("alarms", ()) if place.note else ())),
        remarks=tuple(place.note.remarks) if place.note else (),
        trains=step.get("kind") == Kind.TRAINER,
    )


def _reasons(ledgers: Sequence[Path]) -> dict[str, int]:
    """Most frequent first."""
    if not ledgers:
        return {}
    counts = pl.concat(pl.read_parquet(file, columns=["reason"]) for file in ledgers)["reason"].value_counts()
    return dict(counts.sort("count", "reason", descending=[True, False]).iter_rows())


def _training(place: Path) -> tuple[tuple[Curve, ...], tuple[str, ...]]:
    files = [file for file in (place / "metrics.jsonl", place / "work" / "metrics.jsonl") if file.exists()]
    if not files:
        return (), ()
    rows = [row for line in files[0].read_text(encoding="utf-8").splitlines() if (row := _row(line))]
    alarms = dict.fromkeys(f"{alarm} (step {row['step']})" for row in rows for alarm in row.get("alarms", ()))
    names = dict.fromkeys(name for row in rows for name in row)
    rewards = [name for name in names if name.startswith("rewards/") and name.endswith("/mean")]
    wanted = [*_GRPO_CURVES, *rewards] if "reward" in names else _LOSS_CURVES
    curves = [curve for name in wanted if len((curve := _curve(name, rows)).values) > 1]
    return tuple(curves), tuple(alarms)


def _row(line: str) -> dict[str, Any] | None:
    """None for a line that a kill has torn."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "step" in row else None


def _curve(name: str, rows: Sequence[Mapping[str, Any]]) -> Curve:
    points = [
        (float(row["step"]), float(row[name]))
        for row in rows
        if isinstance(row.get(name), int | float) and row[name] == row[name]
    ]
    return Curve(name, tuple(step for step, _ in points), tuple(value for _, value in points))
