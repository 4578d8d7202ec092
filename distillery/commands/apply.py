"""`distillery apply`: any table stage on one file, with what it drops beside the output.

Columns are those of `distillery.records`; key columns and columns with a default that the file lacks are filled in
for the stage and left out of the output again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from rich.console import Console

from distillery import row_files
from distillery.config import build
from distillery.engines import Engine
from distillery.errors import ConfigError
from distillery.hashing import digest
from distillery.prompts import Prompt
from distillery.records import PROBLEM, Problem, problem_id
from distillery.runner.one_table import apply_alone
from distillery.stages import stage_class
from distillery.stages.base import ShardStage, TableStage
from distillery.store.stage_dir import disk_errors


@dataclass(frozen=True)
class FileContext:
    """What a stage may reach when there is no pipeline around it."""

    seed: int

    def engine(self, name: str) -> Engine:
        raise ConfigError(
            f"apply: this stage needs the engine {name!r}; stages with engines run in a pipeline"
        )

    def prompt(self, name: str) -> Prompt:
        raise ConfigError(
            f"apply: this stage needs the prompt {name!r}; stages with prompts run in a pipeline"
        )

    def progress(self, **counts: float) -> None: ...

    def alarm(self, text: str) -> None:
        Console(stderr=True, highlight=False).print(f"LOOK: {text}", markup=False)


def main(arguments: argparse.Namespace) -> int:
    where = f"apply {arguments.stage}"
    stage = build(
        stage_class(arguments.stage, where="apply"), _options(arguments.settings, where), where=where
    )
    if not isinstance(stage, ShardStage | TableStage):
        raise ConfigError(
            f"{where}: makes no table from a table; apply takes stages such as verify.answers, dedup.exact"
        )
    dropped_file = dropped_name(arguments.output)
    given = row_files.table(arguments.input)
    table = _filled(given, stage, where, arguments.input)
    output = apply_alone(arguments.stage, stage, table, FileContext(arguments.seed))
    added = [name for name in table.columns if name not in given.columns and name not in stage.writes]
    lost = table.join(output.dropped, left_on=stage.key, right_on="key", how="inner", maintain_order="left")
    with disk_errors(arguments.output):
        row_files.write(output.kept.drop(added), arguments.output)
        row_files.write(lost.drop(added), dropped_file)
    counts = output.dropped["reason"].value_counts(sort=True).iter_rows()
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts)
    console = Console()
    console.print(
        f"{given.height:,} rows in, {output.kept.height:,} to {arguments.output}, {lost.height:,} to {dropped_file}"
    )
    if reasons:
        console.print(f"dropped: {reasons}")
    return 0


def _filled(table: pl.DataFrame, stage: ShardStage | TableStage, where: str, file: Path) -> pl.DataFrame:
    """`table` with the columns the stage reads or could use, as far as they follow from others or have defaults."""
    key = stage.key
    if key != "problem_id" and "question" in table.columns and "problem_id" not in table.columns:
        ids = [problem_id(str(question)) for question in table["question"]]
        table = table.with_columns(pl.Series("problem_id", ids, dtype=pl.String))
    defaults = {f.name: f.default for f in fields(Problem) if isinstance(f.default, str)}
    wanted = [
        name for name in defaults if name not in table.columns and (name in stage.reads or name == "payload")
    ]
    table = table.with_columns(pl.lit(defaults[name]).alias(name) for name in wanted)
    texts = [name for name in PROBLEM if name in table.columns and table.schema[name] != pl.String]
    table = table.with_columns(_as_text(table[name]) for name in texts)
    if key not in table.columns:
        rows = table.select(pl.struct(pl.all()).alias("row"))["row"]
        ids = [
            digest([number, json.dumps(row, sort_keys=True, default=str)]) for number, row in enumerate(rows)
        ]
        table = table.with_columns(pl.Series(key, ids, dtype=pl.String))
    if table[key].dtype != pl.String:
        table = table.with_columns(pl.col(key).cast(pl.String))
    if table[key].n_unique() != table.height:
        twice = table.filter(pl.col(key).is_duplicated())[key][0]
        raise ConfigError(
            f"{where}: {file}: {key} {twice!r} names several rows; it must name one row each"
            " (for a file of traces: --set key=trace_id, where the stage takes it; or leave the column out)"
        )
    missing = [name for name in stage.reads if name not in table.columns]
    if missing:
        raise ConfigError(
            f"{where}: {file} lacks {', '.join(missing)}; it has {', '.join(table.columns) or 'no columns'}"
        )
    return table


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype.is_nested():
        values = [
            None if v is None else json.dumps(v, ensure_ascii=False, default=_plain) for v in column.to_list()
        ]
        return pl.Series(column.name, values, dtype=pl.String)
    return column.cast(pl.String)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, pl.Series) else str(value)


def _options(settings: list[str], where: str) -> Mapping[str, Any]:
    options: dict[str, Any] = {}
    for setting in settings:
        name, mark, text = setting.partition("=")
        if not mark:
            raise ConfigError(f"{where}: --set {setting}: no '=' in it; write it as option=value")
        try:
            options[name] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"{where}: --set {setting}: the value is not YAML ({error})") from None
    return options


def dropped_name(file: Path) -> Path:
    ending = row_files.ending(file, row_files.WRITTEN)
    return file.with_name(file.name.removesuffix(ending) + ".dropped" + ending)
