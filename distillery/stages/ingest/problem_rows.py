"""From anybody's rows to problems: the part that every ingest stage shares.

A row that cannot become a problem is a ledger entry, never an error; a column that no row has is one.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import chain, islice
from typing import Annotated, Any, ClassVar

import polars as pl
from pydantic import Field

from distillery.errors import ConfigError
from distillery.hashing import digest, text_mark
from distillery.reasoning import join, split
from distillery.records import LEDGER, PROBLEM, Columns, Problem, Thinking
from distillery.row_files import Drop, Fault, Row
from distillery.stages.base import Context, Output, Source, computed

_LOOK_AHEAD = 100  # rows that say which columns there are
_DERIVED = ("trace_id", "text", "reasoning", "answer")
_FIELDS = tuple(f.name for f in fields(Problem))

Path = str | dict[str, str]


@dataclass(frozen=True)
class RowMap:
    """Which of their columns is which of ours.

    What is not mapped is taken from a column of our name, where there is one. A dot goes into nested values
    (`messages.0.content`); a mapping builds the payload, to which a constant one adds. Of the columns to
    `keep`, where the rows have none, `trace_id` is made from the row's content, `text` from `reasoning` and
    `answer`, and these from `text`.
    """

    where: str
    columns: Mapping[str, Path] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    gold_pattern: str = ""

    def __post_init__(self) -> None:
        known = (*_FIELDS, *self.keep, "reasoning", "answer")
        for name in (*self.columns, *self.constants):
            if name not in known:
                raise ConfigError(
                    f"{self.where}: {name!r} is no column of a problem; known: {', '.join(_FIELDS)}; "
                    "name further columns in `keep`"
                )
            if isinstance(self.columns.get(name), dict) and name != "payload":
                raise ConfigError(
                    f"{self.where}.columns.{name}: only payload can be built from several columns"
                )
        if taken := [name for name in self.keep if name in PROBLEM]:
            raise ConfigError(f"{self.where}.keep: {', '.join(taken)} is a column of every problem already")
        try:
            if self.gold_pattern and re.compile(self.gold_pattern).groups < 1:
                raise ConfigError(
                    f"{self.where}.gold_pattern: {self.gold_pattern!r} has no group; group 1 is the gold"
                )
        except re.error as error:
            raise ConfigError(
                f"{self.where}.gold_pattern: {self.gold_pattern!r} is no regex: {error}"
            ) from None

    @property
    def writes(self) -> Columns:
        return {**PROBLEM, **{name: pl.String() for name in self.keep}}

    @property
    def key(self) -> str:
        return "trace_id" if "trace_id" in self.keep else "problem_id"

    @cached_property
    def _gold(self) -> re.Pattern[str] | None:
        return re.compile(self.gold_pattern) if self.gold_pattern else None

    def check(self, has: Iterable[str]) -> None:
        """Raises ConfigError when a column that the map needs is in none of the rows seen."""
        have = set(has)
        if not have:
            return
        asked = {ours: path for ours, path in self.columns.items() if ours not in self.constants}
        needed = [(ours, theirs) for ours, path in asked.items() for theirs in _leaves(path)]
        given = {*self.columns, *self.constants}
        needed += [(ours, ours) for ours in ("question", *self.keep) if ours not in (*given, *_DERIVED)]
        for ours, theirs in needed:
            if theirs not in have and theirs.partition(".")[0] not in have:
                raise ConfigError(
                    f"{self.where}.columns.{ours}: there is no column {theirs!r}; there are: "
                    f"{', '.join(sorted(have))}"
                )

    def row(self, theirs: Mapping[str, Any]) -> dict[str, str | None] | Fault:
        values = {name: self._value(name, theirs) for name in _FIELDS}
        question = values["question"]
        if question is None or not (isinstance(question, str) and question.strip()):
            shown = "missing" if question is None else repr(question)[:80]
            return Fault(Drop.NO_QUESTION, f"the question is {shown}")
        try:
            problem = Problem(**_strings(values))
            _ = problem.options, problem.history, problem.system  # a payload that is no object raises
            problem = self._with_gold(problem)
            thinking = Thinking(problem.thinking or Thinking.ON)  # "": label.thinking decides
        except (ValueError, TypeError) as why:
            return Fault(Drop.MALFORMED, str(why)[:200])
        kept = {name: _string(self._value(name, theirs)) for name in (*self.keep, "reasoning", "answer")}
        row: dict[str, str | None] = {**problem.row(), **self._derived(kept, thinking)}
        if "trace_id" in self.keep and not row["trace_id"]:
            values = (row[name] for name in self.writes if name != "trace_id")
            row["trace_id"] = digest(
                ["given", *(None if value is None else text_mark(value) for value in values)]
            )
        return {name: row[name] for name in self.writes}

    def _value(self, ours: str, theirs: Mapping[str, Any]) -> Any:
        path, constant = self.columns.get(ours, ours), self.constants.get(ours)
        if isinstance(path, dict) and isinstance(constant, dict | None):
            return {key: _at(theirs, leaf) for key, leaf in path.items()} | (constant or {})
        if ours in self.constants:
            return constant
        return _at(theirs, str(path))

    def _with_gold(self, problem: Problem) -> Problem:
        if self._gold is None:
            return problem
        found = self._gold.search(problem.gold)
        if not found:
            raise ValueError(f"gold_pattern does not match the gold {problem.gold[-80:]!r}")
        return replace(problem, gold=(found[1] or "").strip())

    def _derived(self, kept: dict[str, str | None], thinking: Thinking) -> dict[str, str | None]:
        if kept.get("text") is None and kept["answer"] is not None:
            kept["text"] = join(kept["reasoning"], kept["answer"])
        text = kept.get("text")
        if text is not None:
            parts = split(text)
            if thinking is Thinking.OFF and parts.reasoning is None:
                # the convention: an empty block stands where no thought is wanted
                kept["text"] = join("", text)
                parts = split(join("", text))
            kept["reasoning"] = kept["reasoning"] if kept["reasoning"] is not None else parts.reasoning
            kept["answer"] = kept["answer"] if kept["answer"] is not None else parts.answer
        return kept


def shards(
    rows: Iterable[Row], row_map: RowMap, *, shard_rows: int, limit: int | None = None
) -> Iterator[Output]:
    """Tables of `shard_rows` kept rows, at least one, maybe empty; `rows` are (the ledger's key, theirs)."""
    source = iter(rows)
    ahead = list(islice(source, _LOOK_AHEAD))
    row_map.check(dict.fromkeys(name for _, row in ahead if not isinstance(row, Fault) for name in row))
    seen: set[str] = set()
    kept: list[dict[str, str | None]] = []
    dropped: list[dict[str, str]] = []
    begun = False
    for key, row in chain(ahead, source):
        if limit is not None and len(seen) >= limit:
            break
        mapped = row if isinstance(row, Fault) else row_map.row(row)
        if not isinstance(mapped, Fault):
            name = str(mapped[row_map.key])
            if name in seen:
                mapped = Fault(Drop.REPEATED, name)
            else:
                seen.add(name)
                kept.append(mapped)
        if isinstance(mapped, Fault):
            dropped.append({"key": key, "reason": mapped.reason, "detail": mapped.detail})
        if len(kept) == shard_rows:
            yield _output(kept, dropped, row_map)
            kept, dropped, begun = [], [], True
    if kept or dropped or not begun:
        yield _output(kept, dropped, row_map)


@dataclass(frozen=True, kw_only=True)
class ProblemSource(Source):
    """What the stages share that read anybody's rows."""

    columns: dict[str, str | dict[str, str]] = field(default_factory=dict)
    """Our column: theirs; a dot goes into nested values. For `payload` a mapping of keys to their columns."""
    constants: dict[str, Any] = field(default_factory=dict)
    """Our column: its value in every row."""
    keep: tuple[str, ...] = ()
    """Further columns to take along, as text."""
    gold_pattern: str = ""
    r"""A regex whose group 1 is the gold, as `####\s*(.+)` for GSM8K; "": the whole column."""
    shard_rows: Annotated[int, Field(ge=1)] = 1000
    """Rows of a shard."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Problems to take; null: all."""

    version = 2
    reasons = tuple(Drop)
    use: ClassVar[str]

    def __post_init__(self) -> None:
        _ = self._map

    @property
    def _map(self) -> RowMap:
        return RowMap(self.use, self.columns, self.constants, self.keep, self.gold_pattern)

    @computed
    def writes(self) -> Columns:
        return self._map.writes

    @abstractmethod
    def rows(self) -> Iterable[Row]: ...

    def shards(self, ctx: Context) -> Iterator[Output]:
        yield from shards(self.rows(), self._map, shard_rows=self.shard_rows, limit=self.limit)


def _output(kept: list[dict[str, str | None]], dropped: list[dict[str, str]], row_map: RowMap) -> Output:
    return Output(pl.DataFrame(kept, schema=row_map.writes), pl.DataFrame(dropped, schema=LEDGER))


def _leaves(path: Path) -> list[str]:
    return list(path.values()) if isinstance(path, dict) else [path]


def _at(row: Any, path: str) -> Any:
    """A value by its column name or, where there is no such column, by its dotted path; None when absent."""
    if isinstance(row, dict) and path in row:
        return row[path]
    head, dot, rest = path.partition(".")
    if isinstance(row, dict) and dot and head in row:
        return _at(row[head], rest)
    if isinstance(row, list) and head.isdigit() and int(head) < len(row):
        return _at(row[int(head)], rest) if dot else row[int(head)]
    return None


def _strings(values: Mapping[str, Any]) -> dict[str, str]:
    strings = {name: _string(value) for name, value in values.items()}
    return {"gold": "", **{name: value for name, value in strings.items() if value is not None}}


def _string(value: Any) -> str | None:
    """Lists and objects as JSON, numbers as Python writes them, truth as JSON does."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (dict, list, tuple, bool)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
