"""Somebody's rows, looked at and tried: their form, what becomes of them, and what can judge them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from distillery.config import build
from distillery.curate.publish.hub_rows import SCHEMAS
from distillery.errors import ConfigError
from distillery.hub import load_split
from distillery.records import Problem
from distillery.row_files import ENDINGS, Dialect, Fault, Row, count, files, read
from distillery.stages.ingest.file import IngestFile
from distillery.stages.ingest.hub import IngestHub
from distillery.stages.ingest.mapping.columns_seen import UntoldGoldError
from distillery.stages.ingest.mapping.row_options import FIELDS
from distillery.stages.ingest.problem_rows import LOOK_AHEAD, ProblemSource, shards
from distillery.starter.shapes import Shape, published, shape_of, taken
from distillery.verify.gold import gold_faults

_MOSTLY = 0.9
_TESTS = re.compile(
    r"(?:\w+_)?tests?(?:_?(?:cases?|list|code))?|input_output|verification_info|entry_point", re.IGNORECASE
)
_VERDICT = re.compile(
    r"(?:is_)?correct(?:ness\w*)?|verdict|label|reward|score|(?:\w+_)?pass_?rate|verified|is_reasoning_complete",
    re.IGNORECASE,
)
_MATHS = re.compile(r"\d|\\")
_LETTER = re.compile(r"[A-J]")


@dataclass(frozen=True)
class Tried:
    """A source as a pipeline would have it."""

    place: str
    use: str
    shape: Shape
    options: Mapping[str, Any]
    traces: bool
    """Are its rows responses?"""
    checker: str
    """Of all rows; "": each says its own."""
    size: int | None
    """Rows of all; None: unknown."""
    looked: int
    made: int
    """Rows of ours that the rows looked at become."""
    left: Sequence[tuple[str, str, int]]
    """Why the others are none: reason, an example's detail, and how many."""
    golds: tuple[int, int]
    """How many of the golds looked at can be read, and how many there are."""
    verdicts: Sequence[str]
    """Columns that are not mapped and seem to hold what others found of a response."""
    takes: Sequence[str]
    """Columns, or paths into them, that are mapped."""
    unused: Sequence[str]
    """Columns that nothing is made of."""
    tests: str
    """A column that seems to hold a program's tests; "": none."""
    look: str
    """What a person must decide; "": nothing."""


def tried(
    place: str,
    *,
    config: str | None,
    split: str,
    dialect: Mapping[str, str],
    source: str,
    alone: bool,
) -> Tried:
    """`source`: its name; its rows' own take precedence where it is `alone`. Raises ConfigError where nothing
    lies there, or its rows have no form that is known."""
    stage, options, size, rows = _opened(place, config, split, dialect)
    theirs = [row for _, row in rows if not isinstance(row, Fault)]
    if not theirs:
        why = next((f"; the first: {row.detail}" for _, row in rows if isinstance(row, Fault)), "")
        raise ConfigError(f"init: {place} has no row that can be read{why}")
    shape = published(stage.our_config) if stage.our_config else shape_of(theirs)
    if shape is None:
        named = ", ".join(dict.fromkeys(name for row in theirs for name in row))
        raise ConfigError(
            f"init: the rows of {place} have no form that is known (columns: {named}); "
            f"map them by hand: distillery stages {stage.use}"
        )
    own = SCHEMAS.get(stage.our_config, {})
    mapped, constants = dict(shape.options), dict(shape.options.get("constants", {}))
    constants |= {} if alone and "source" in {*own, *shape.columns} else {"source": source}
    look = ""
    try:
        table, left = _made(rows, stage, {**options, **mapped, "constants": constants})
    except UntoldGoldError as why:
        look = f"the golds are left out, for {str(why).partition(': ')[2]}"
        mapped["columns"] = {name: path for name, path in mapped["columns"].items() if name != "gold"}
        constants["gold"] = ""
        table, left = _made(rows, stage, {**options, **mapped, "constants": constants})
    if "checker" in own:
        checker, golds = "", _of_its_own(table)
    else:
        checker, golds = _checker(table, constants.get("checker", "choice" if mapped.get("choices") else ""))
        general = {} if golds[1] or "domain" in own else {"domain": "general"}
        constants = {"checker": checker, **general, **constants}
    if "reasoning" in table.columns and _mostly(table["reasoning"].fill_null("") == "", table.height):
        constants |= {"thinking": "off"}
    given = {**options, **mapped, **({"constants": constants} if constants else {})}
    counts = (size, len(rows), table.height, left, golds)
    takes = [*shape.columns.values()] if stage.our_config else taken(given)
    unused = () if stage.our_config else _unused(theirs, takes)
    tests = next((name for name in unused if _TESTS.fullmatch(name)), "")
    traces = "trace_id" in table.columns
    verdicts = [name for name in unused if traces and _VERDICT.fullmatch(name)]
    return Tried(
        place, stage.use, shape, given, traces, checker, *counts, verdicts, takes, unused, tests, look
    )


def _unused(rows: Sequence[Mapping[str, Any]], takes: Sequence[str]) -> list[str]:
    used = {*takes, *(path.partition(".")[0] for path in takes)}
    return [
        name for name in dict.fromkeys(name for row in rows for name in row) if name not in {*used, *FIELDS}
    ]


def _opened(
    place: str, config: str | None, split: str, dialect: Mapping[str, str]
) -> tuple[ProblemSource, dict[str, Any], int | None, list[Row]]:
    """The source as it stands, its options, its size and its first rows."""
    if _is_file(place):
        found, said = files(place, where="init"), Dialect(**dialect, where="init --")
        rows = list(islice((row for file in found for row in read(file, said)), LOOK_AHEAD))
        options = {"path": place, **{name: value for name, value in dialect.items() if value}}
        return (
            build(IngestFile, options, where="init"),
            options,
            sum(count(file, said) for file in found),
            rows,
        )
    dataset = load_split(place, where="init", config=config, split=split, streaming=True)
    rows = [(f"{place}:{split}:{n}", row) for n, row in enumerate(islice(dataset, LOOK_AHEAD), start=1)]
    options = {"name": place, **({"config": config} if config else {}), "split": split}
    return build(IngestHub, options, where="init"), options, None, rows


def _is_file(place: str) -> bool:
    path = Path(place)
    if path.is_dir():
        return not any((path / name).exists() for name in ("README.md", "dataset_info.json"))
    return path.exists() or "*" in place or place.endswith(tuple(ENDINGS))


def _made(
    rows: Sequence[Row], source: ProblemSource, options: Mapping[str, Any]
) -> tuple[pl.DataFrame, list[tuple[str, str, int]]]:
    stage = build(type(source), options, where="init")
    outputs = list(shards(rows, stage.row_map, shard_rows=len(rows) * 100))
    left = pl.concat([output.dropped for output in outputs])
    counts = Counter(left["reason"])
    details = dict(zip(reversed(left["reason"]), reversed(left["detail"]), strict=True))
    return pl.concat([output.kept for output in outputs]), [
        (reason, details[reason], number) for reason, number in counts.most_common()
    ]


def _of_its_own(table: pl.DataFrame) -> tuple[int, int]:
    """Of the golds, which say their checkers: how many those read, and how many there are."""
    problems = [problem for problem in _problems(table) if problem.gold.strip()]
    return sum(fault is None for fault in gold_faults(problems, deadline_s=5.0, workers=1)), len(problems)


def _problems(table: pl.DataFrame) -> list[Problem]:
    return [Problem.from_row(row) for row in table.unique("problem_id").iter_rows(named=True)]


def _checker(table: pl.DataFrame, given: str) -> tuple[str, tuple[int, int]]:
    """The checker that the golds suggest; how many of them it reads, and how many there are."""
    problems = [problem for problem in _problems(table) if problem.gold.strip()]
    if not problems:
        return "layout", (0, 0)
    golds = [problem.gold.strip() for problem in problems]
    letters = _mostly(map(_LETTER.fullmatch, golds), len(golds))
    maths = _mostly(map(_MATHS.search, golds), len(golds))
    *others, last = [given] if given else [*["choice"] * letters, *["math"] * maths, "exact"]
    for checker in others:
        if _mostly(readable := _readable(problems, checker), len(golds)):
            return checker, (sum(readable), len(golds))
    return last, (sum(_readable(problems, last)), len(golds))


def _readable(problems: Sequence[Problem], checker: str) -> list[bool]:
    asked = [replace(problem, checker=checker) for problem in problems]
    return [fault is None for fault in gold_faults(asked, deadline_s=5.0, workers=1)]


def _mostly(tests: Iterable[object], of: int) -> bool:
    return sum(map(bool, tests)) >= _MOSTLY * of
