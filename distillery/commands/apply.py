"""`distillery apply`: any table stage on one file, with what it drops beside the output.

Columns are those of `distillery.records`; key columns and columns with a default that the file lacks are
filled in for the stage and left out of the output again. Several completions of one question, and one
history, are samples of one problem.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError
from rich.console import Console

from distillery import row_files
from distillery.config import read_setting
from distillery.engines import Engine
from distillery.errors import ConfigError
from distillery.hashing import digest
from distillery.prompts import Prompt
from distillery.records import PROBLEM, TRACE, Problem, earlier_turns, problem_id
from distillery.runner.one_table import apply_alone
from distillery.stages import stage_class
from distillery.stages.base import ShardStage, TableStage
from distillery.stages.declared import open_stage
from distillery.stages.note import remarks
from distillery.store.stage_dir import disk_errors


@dataclass(frozen=True)
class FileContext:
    """What a stage may reach when there is no pipeline around it."""

    seed: int

    def engine(self, name: str) -> Engine:
        raise _needs("engine", name)

    def prompt(self, name: str) -> Prompt:
        raise _needs("prompt", name)

    def progress(self, **counts: float) -> None: ...

    def alarm(self, text: str) -> None:
        Console(stderr=True, highlight=False).print(f"LOOK: {text}", markup=False)


def _needs(what: str, name: str) -> ConfigError:
    return ConfigError(f"apply: this stage needs the {what} {name!r}; stages with {what}s run in a pipeline")


def main(arguments: argparse.Namespace) -> int:
    where = f"apply {arguments.stage}"
    options = dict(read_setting(one, "option", f"{where}: --set") for one in arguments.settings)
    cls = stage_class(arguments.stage, where="apply")
    stage = open_stage(cls, options, use=arguments.stage, where=where)
    if not isinstance(stage, ShardStage | TableStage):
        raise ConfigError(
            f"{where}: makes no table from a table; apply takes stages such as verify.answers, dedup.exact"
        )
    dropped_file = dropped_name(arguments.output)
    dialect = row_files.Dialect(arguments.delimiter, arguments.encoding, where="apply --")
    given = _given(row_files.files(arguments.input, where="apply"), dialect)
    if _are_traces(given):
        stage = _keyed_by_trace(stage)
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
    made = f"{output.kept.height:,} to {arguments.output}, {lost.height:,} to {dropped_file}"
    console.print(f"{given.height:,} rows in, {made}")
    if reasons:
        console.print(f"dropped: {reasons}")
    for remark in remarks(output.metrics, given.height):
        console.print(remark)
    return 0


def _given(files: list[Path], dialect: row_files.Dialect) -> pl.DataFrame:
    tables = [row_files.table(file, dialect) for file in files]
    try:
        return tables[0] if len(tables) == 1 else pl.concat(tables, how="diagonal_relaxed")
    except PolarsError as error:
        why = str(error).partition("\n")[0]
        raise ConfigError(f"apply: {files[0]} and those after it make no one table ({why})") from None


def _filled(table: pl.DataFrame, stage: ShardStage | TableStage, where: str, file: str) -> pl.DataFrame:
    """With the columns the stage reads or could use, as far as they follow from others or have defaults."""
    key = stage.key
    defaults = {f.name: f.default for f in fields(Problem) if isinstance(f.default, str)}
    wanted = (defaults.keys() & {*stage.reads, "payload"}) - set(table.columns)
    table = table.with_columns(pl.lit(defaults[name]).alias(name) for name in defaults if name in wanted)
    texts = [name for name in PROBLEM if name in table.columns and table.schema[name] != pl.String]
    table = table.with_columns(_as_text(table[name]) for name in texts)
    if key != "problem_id" and "question" in table.columns and "problem_id" not in table.columns:
        table = table.with_columns(_problem_ids(table, where, file))
    if key not in table.columns:
        rows = table.select(pl.struct(pl.all()).alias("row"))["row"]
        texts = (json.dumps(row, sort_keys=True, default=str) for row in rows)
        ids = [digest([number, text]) for number, text in enumerate(texts)]
        table = table.with_columns(pl.Series(key, ids, dtype=pl.String))
    table = table.with_columns(pl.col(key).cast(pl.String))
    if table[key].n_unique() != table.height:
        twice = table.filter(pl.col(key).is_duplicated())[key][0]
        raise ConfigError(
            f"{where}: {file}: {key} {twice!r} names several rows; it must name one row each"
            " (for a file of traces: --set key=trace_id, where the stage takes it; or leave the column out)"
        )
    if missing := [name for name in stage.reads if name not in table.columns]:
        has = ", ".join(table.columns) or "no columns"
        raise ConfigError(f"{where}: {file} lacks {', '.join(missing)}; it has {has}")
    return table


def _keyed_by_trace(stage: Any) -> Any:
    """The same stage, where its key is an option and names problems."""
    chosen = stage.key == "problem_id" and any(f.name == "key" for f in fields(stage))
    return replace(stage, key="trace_id") if chosen else stage


def _are_traces(table: pl.DataFrame) -> bool:
    """Without a problem_id, and with several completions of one question."""
    if "problem_id" in table.columns or "question" not in table.columns:
        return False
    said = [
        name for name in table.columns if name in ("question", *TRACE) and not table[name].dtype.is_nested()
    ]
    return table.select(said).n_unique() > table["question"].n_unique()


def _problem_ids(table: pl.DataFrame, where: str, file: str) -> pl.Series:
    payloads = table["payload"] if "payload" in table.columns else [None] * table.height
    ids: list[str] = []
    for row, (question, payload) in enumerate(zip(table["question"], payloads, strict=True), start=1):
        try:
            ids.append(problem_id(str(question), earlier_turns(payload)))
        except ValueError as error:
            raise ConfigError(f"{where}: {file}: row {row}: payload: {error}") from error
    return pl.Series("problem_id", ids, dtype=pl.String)


def _as_text(column: pl.Series) -> pl.Series:
    if not column.dtype.is_nested():
        return column.cast(pl.String)
    dump = partial(json.dumps, ensure_ascii=False, default=_plain)
    texts = [None if value is None else dump(value) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, pl.Series) else str(value)


def dropped_name(file: Path) -> Path:
    ending = row_files.ending(file, row_files.WRITTEN)
    return file.with_name(file.name.removesuffix(ending) + ".dropped" + ending)
