"""What a user says of somebody's rows, and what of it cannot be meant; `row_map` does what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

import polars as pl

from distillery.errors import ConfigError
from distillery.records import PROBLEM, Columns, Problem
from distillery.stages.ingest.mapping.choices import GoldIs
from distillery.stages.ingest.mapping.values import OURS, TYPES, Kind, Type, type_of

FIELDS = tuple(f.name for f in fields(Problem))
RESPONSE = ("text", "reasoning", "answer")
"""Kept columns of which `text` is the one that is read."""

Path = str | list[str] | dict[str, str]


class System(StrEnum):
    KEEP = "keep"
    """Part of the problem: in its payload and its id, and asked and exported with it."""
    DROP = "drop"
    """Gone."""


@dataclass(frozen=True)
class RowOptions:
    """Which of their columns is which of ours; see `ProblemSource` for each option.

    Taken for ours is what is mapped, and what has our name and is mapped to nothing else. A response is read
    from `text`, or from `reasoning` and `answer` where these are mapped.
    """

    where: str
    columns: Mapping[str, Path] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    gold_pattern: str = ""
    explode: tuple[str, ...] = ()
    siblings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of a list in `explode` that is none of theirs: the columns that it is made of."""
    messages: str = ""
    system: System = System.KEEP
    thought_tags: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    gold_is: GoldIs | None = None
    types: Mapping[str, Type] = field(default_factory=dict)
    """Of kept columns that are not ours; text where it says none."""

    def __post_init__(self) -> None:
        for rules in (self._names, self._types, self._pairs, self._payloads, self._responses, self._patterns):
            for place, wrong in rules():
                raise ConfigError(f"{self.where}.{place}: {wrong}")

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """`explode` makes traces, and each has an id."""
        more = ("trace_id",) if self.explode and "trace_id" not in self.keep else ()
        return (*self.keep, *more)

    @cached_property
    def writes(self) -> Columns:
        kinds = {name: self.type_of(name) for name in self.kept}
        return {
            **PROBLEM,
            **{n: TYPES[kind] if isinstance(kind, Kind) else kind for n, kind in kinds.items()},
        }

    @property
    def key(self) -> str:
        return "trace_id" if "trace_id" in self.kept else "problem_id"

    @cached_property
    def taken(self) -> frozenset[str]:
        """Their columns that a mapping reads, whole or in part."""
        read = [path for name in self.columns for path in self.paths(name)]
        read += [*self.choices, *([self.messages] if self.messages else [])]
        return frozenset(part for path in read for part in (path, path.partition(".")[0]))

    @cached_property
    def unmapped(self) -> frozenset[str]:
        """Columns of a problem that are read from theirs because these have their names."""
        return frozenset(name for name in FIELDS if name not in self.columns and self.paths(name))

    def paths(self, name: str) -> list[str]:
        """Where our column is read from; none for a constant, or where nothing is."""
        path = self.columns.get(name)
        if path is None:
            return [] if name in self.constants or name in self.taken else [name]
        return [path] if isinstance(path, str) else list(path.values() if isinstance(path, dict) else path)

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names of their columns that matter, or may."""
        paths = [path for name in (*FIELDS, *self.kept, *RESPONSE) for path in self.paths(name)]
        paths += [*RESPONSE, *self.explode, self.messages, *self.choices]
        paths += [path for columns in self.siblings.values() for path in columns]
        return frozenset(part for path in paths for part in (path, path.partition(".")[0]))

    @cached_property
    def response(self) -> str:
        """What a response is read from: `messages` where nothing else is mapped, `text`, its `parts`, or
        `either` (a column text, else those named as the parts); "" where nothing of it is kept."""
        if not set(RESPONSE) & set(self.keep):
            return ""
        if self.messages and not any(map(self._said, RESPONSE)):
            return "messages"
        if self._said("answer") or self._said("reasoning"):
            return "parts"
        return "text" if self._said("text") or "text" in self.keep else "either"

    def _said(self, name: str) -> bool:
        return name in self.columns or name in self.constants

    def type_of(self, name: str) -> Type:
        """Of a kept column."""
        known = OURS.get(name) or self.types.get(name)
        return known or (type_of(self.constants[name]) if name in self.constants else pl.String())

    def _names(self) -> Iterator[tuple[str, str]]:
        known = (*FIELDS, *self.kept, "reasoning", "answer")
        for option in ("columns", "constants"):
            for name in getattr(self, option).keys() - {*known}:
                end = f"known: {', '.join(FIELDS)}; name further columns in `keep`"
                yield option, f"{name!r} is no column of a problem; {end}"
        for name, path in self.columns.items():
            if isinstance(path, dict) and name != "payload":
                yield f"columns.{name}", "only payload can be built from several columns"
            if isinstance(path, list) and (name != "question" or not path):
                yield (
                    f"columns.{name}",
                    f"is {path}; only a question can be joined from columns, one at least",
                )
        if taken := [name for name in self.keep if name in PROBLEM]:
            yield "keep", f"{', '.join(taken)} is a column of every problem already"
        for option in ("keep", "explode", "choices"):
            given = getattr(self, option)
            if twice := [name for name in given if given.count(name) > 1]:
                yield option, f"{twice[0]!r} stands there twice"

    def _types(self) -> Iterator[tuple[str, str]]:
        for name in self.keep:
            ours, said = OURS.get(name), self.types.get(name)
            if ours is not None and isinstance(said, Kind) and not _agree(ours, TYPES[said]):
                yield f"keep.{name}", f"is {said.value!r}; this column of ours holds {ours}"

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for name in self.columns.keys() & self.constants.keys():
            if not (name == "payload" and isinstance(self.columns[name], dict)):
                yield f"columns.{name}", "is a constant too; one of them counts"
        if not self.messages:
            if self.system is not System.KEEP:
                yield "system", f"is {self.system.value!r}, but no `messages` are named whose turn it is"
            return
        if self.messages in self.explode:
            yield (
                "messages",
                f"{self.messages!r} is a conversation, or a list that `explode` takes apart; not both",
            )
        if self._said("question"):
            where = "columns" if "question" in self.columns else "constants"
            yield f"{where}.question", "`messages` gives it; leave one of them out"

    def _payloads(self) -> Iterator[tuple[str, str]]:
        payload = self.columns.get("payload")
        keys = {*(payload if isinstance(payload, dict) else ()), *(self.constants.get("payload") or ())}
        before = ("history", *(["system"] if self.system is System.KEEP else [])) if self.messages else ()
        given = {**dict.fromkeys(before, "messages"), **({"choices": "choices"} if self.choices else {})}
        for key, option in given.items():
            if key in keys:
                yield "columns.payload", f"{key!r} is given by `{option}`; leave one of them out"
        if self.gold_is and not self.choices:
            yield "gold_is", f"is {self.gold_is.value!r}, but no `choices` are named that a gold could mean"

    def _responses(self) -> Iterator[tuple[str, str]]:
        parts = [name for name in ("reasoning", "answer") if self._said(name)]
        if parts and self._said("text"):
            yield f"columns.{parts[0]}", "is a part of `text`, which is mapped too; map the one or the other"
        if parts and not self.response:
            yield f"columns.{parts[0]}", "nothing of a response is kept; keep text, reasoning or answer"
        derived = {*RESPONSE, "trace_id", *(["sample"] if self.explode else [])}
        for name in self.keep:
            if name in OURS and name not in derived and name in self.taken and not self._said(name):
                yield f"keep.{name}", f"their {name!r} is read as another column of ours; map {name} too"
        if self.response == "text" and not self._said("text") and "text" in self.taken:
            yield "keep.text", "their 'text' is read as another column of ours; map text too"
        for name in {"reasoning", "answer"} & {*self.keep} if self.response == "either" else ():
            if {"text", name} <= self.taken:
                yield f"keep.{name}", f"their {name!r} is read as another column of ours; map {name} too"

    def _patterns(self) -> Iterator[tuple[str, str]]:
        try:
            if self.gold_pattern and re.compile(self.gold_pattern).groups < 1:
                yield "gold_pattern", f"{self.gold_pattern!r} has no group; group 1 is the gold"
        except re.error as error:
            yield "gold_pattern", f"{self.gold_pattern!r} is no regex: {error}"
        tags = self.thought_tags
        if tags and (len(tags) not in (2, 4) or not all(tag.strip() for tag in tags)):
            yield "thought_tags", f"is {list(tags)}; a thought has two tags, or four with those of its answer"


def _agree(ours: pl.DataType, said: pl.DataType) -> bool:
    return ours == said or (ours.is_integer() and said.is_integer())
