"""Finds a run by the name people type: PIPELINE, PIPELINE/NUMBER, or its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from distillery import shards
from distillery.errors import ConfigError
from distillery.store.stage_dir import StageDir


def find_run(name: str, data: Path) -> Path:
    """The folder of the run; without a number, the last one."""
    root = data / "runs"
    for folder in (Path(name), root / name):
        if (folder / "run.json").is_file():
            return folder
        for last in numbered(folder)[-1:]:
            if (last / "run.json").is_file():
                return last
    known = ", ".join(f"{f.parent.parent.name}/{f.parent.name}" for f in sorted(root.glob("*/*/run.json")))
    raise ConfigError(f"run {name!r}: there is none under {root}; runs there: {known or 'none yet'}")


def numbered(pipeline: Path) -> list[Path]:
    """The folders of a pipeline's runs, the last one last."""
    return sorted((run for run in pipeline.glob("*") if run.name.isdigit()), key=lambda run: int(run.name))


def read_run(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text())


def find_stage(run: dict[str, Any], stage: str) -> dict[str, Any]:
    for step in run["steps"]:
        if step["id"] == stage:
            return step
    raise ConfigError(
        f"stage {stage!r}: the run {run['pipeline']}/{run['number']} has none of that id;"
        f" it has {', '.join(step['id'] for step in run['steps'])}"
    )


def stage_dir(step: dict[str, Any], data: Path) -> StageDir:
    return StageDir(data / "store" / step["folder"], step["id"])


def rows_of(step: dict[str, Any], data: Path) -> pl.LazyFrame | None:
    """Every row that a table stage has written so far, finished or not."""
    files = sorted(stage_dir(step, data).path.glob("shard-*.parquet"))
    return shards.scan(files) if files else None
