"""Everything that has a name in a pipeline file, and what is to be said of it."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

import polars as pl
import yaml

from distillery.config import build, did_you_mean
from distillery.engines import KINDS, Engine, engine_class
from distillery.errors import ConfigError
from distillery.installed import dotted
from distillery.pipeline.budget import Budget
from distillery.pipeline.expect import Expect
from distillery.pipeline.plan import Workers
from distillery.pipeline.prices import Prices
from distillery.records import JUDGEMENT, PROBLEM, TRACE, VERDICT, Columns
from distillery.reference.docstrings import docstrings
from distillery.reference.options import Option, options
from distillery.stages import STAGES, stage_class
from distillery.stages.base import AnyStage, RowStage, Source
from distillery.train.options import JUDGED
from distillery.train.rewards import PARTS
from distillery.verify import CHECKERS, get_checker


class Group(StrEnum):
    """Where a name stands, with the heading of all that stand there."""

    SOURCE = "Source: nothing to a table"
    SHARD = "Shard stage: each shard of a table alone"
    TABLE = "Table stage: decides over all rows"
    TRAINER = "Trainer: tables and a model to a model"
    SINK = "Sink: a table to a folder for other people"
    ENGINE = "Engine: a `kind` under `engines`"
    CHECKER = "Checker: in the column `checker` of a row"
    REWARD = "Reward: under `rewards` of train.grpo, beside any checker"
    PART = "Part of a file"


PARTS_OF_A_FILE: Mapping[str, tuple[type, str]] = {
    "budget": (Budget, "budget: {max_cost: 200, max_hours: 12}"),
    "workers": (Workers, "workers: {jobs: 2, threads: 1}"),
    "expect": (Expect, "- {id: math, use: ingest.hub, with: {name: openai/gsm8k}, expect: {rows: 7473}}"),
    "prices": (Prices, "gpus:\n  H100: {usd_per_hour: 3.0, tflops: 989}"),
}


@dataclass(frozen=True)
class Entry:
    name: str
    group: Group
    about: str  # paragraphs, with an empty line between two
    example: str  # YAML; "": none
    options: tuple[Option, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict[str, str])  # by what the stage does with them
    reasons: Mapping[str, str] = field(
        default_factory=dict[str, str]
    )  # of dropping a row, with their meanings

    @property
    def summary(self) -> str:
        """The first sentence."""
        return re.split(r"\.(?:$| (?=[A-Z`]))|\n\n", self.about, maxsplit=1)[0]


def names() -> dict[str, Group]:
    """All that can be looked up, group by group."""
    found = {use: Group[stage_class(use).kind.name] for use in STAGES}
    found |= dict.fromkeys(KINDS, Group.ENGINE) | dict.fromkeys(CHECKERS, Group.CHECKER)
    found |= dict.fromkeys([*PARTS, *JUDGED], Group.REWARD) | dict.fromkeys(PARTS_OF_A_FILE, Group.PART)
    return {name: group for group in Group for name in found if found[name] is group}


def entry(name: str) -> Entry:
    """Of a name that `names` has, or of a stage, engine or checker in a user's own file, `module:name`."""
    group = _own(name) if ":" in name else names().get(name)
    match group:
        case Group.ENGINE:
            cls = engine_class(name)
            about, example = _said(cls.__doc__)
            return Entry(name, group, about, example, options(cls))
        case Group.CHECKER:
            get_checker(name, own=[name])
            about, example = _said(sys.modules[CHECKERS.get(name, name).partition(":")[0]].__doc__)
            return Entry(name, group, about, example)
        case Group.REWARD:
            return Entry(name, group, _reward(name), f"rewards: {{{name}: 1.0}}")
        case Group.PART:
            cls, example = PARTS_OF_A_FILE[name]
            return Entry(name, group, _said(cls.__doc__)[0], example, options(cls))
        case None:
            hint = did_you_mean(name, names(), "`distillery stages` lists all that there is")
            raise ConfigError(f"stages: no stage, engine, checker or reward is called {name!r}; {hint}")
        case _:
            return _stage(name, group)


def _own(name: str) -> Group:
    found = dotted.load(name, where="stages", what="it would be a stage, an engine or a checker")
    if isinstance(found, type):
        return Group.ENGINE if issubclass(found, Engine) else Group[stage_class(name).kind.name]
    return Group.CHECKER


def _stage(use: str, group: Group) -> Entry:
    cls = stage_class(use)
    about, example = _said(cls.__doc__)
    columns = dict(_columns(example_stage(use)))
    reasons = {reason.value: docstrings(type(reason)).get(reason.name, "") for reason in cls.reasons}
    return Entry(use, group, about, example, options(cls), columns, reasons)


def example_stage(use: str) -> AnyStage | None:
    """The stage that stands in its class's docstring, else one with its defaults; None: it needs options."""
    cls = stage_class(use)
    for one in yaml.safe_load(_said(cls.__doc__)[1]) or ():
        if one["use"] == use:
            return build(cls, one.get("with") or {}, where=f"the example of {use}")
    try:
        return build(cls, {}, where=use)
    except ConfigError:
        return None


def _said(docstring: str | None) -> tuple[str, str]:
    """A docstring in two: its text, and the YAML that stands in it."""
    paragraphs = [textwrap.dedent(part) for part in inspect.cleandoc(docstring or "").split("\n\n")]
    examples = [part for part in paragraphs if part.startswith(("- id:", "engines:"))]
    texts = (" ".join(part.split()) for part in paragraphs if part not in examples)
    return "\n\n".join(re.sub(r":$", ".", text) for text in texts), "\n\n".join(examples)


def _reward(name: str) -> str:
    if name in JUDGED:
        return f"What a model says of rows whose checker is `{JUDGED[name]}`; the option `judge` names it."
    return f"What the checker `{PARTS[name]}` says." if PARTS[name] else "What the row's own checker says."


def _columns(stage: AnyStage | None) -> Iterator[tuple[str, str]]:
    if stage and stage.reads:
        yield "reads", _typed(stage.reads)
    if isinstance(stage, RowStage):
        if stage.also_reads:
            yield "reads where they are there", _typed(stage.also_reads)
        if stage.writes:
            yield "writes", _typed(stage.writes, stage.writes)
        yield "names a row by", stage.key
    if isinstance(stage, Source):
        yield "writes", _typed(stage.writes, stage.writes)


def _typed(columns: Iterable[str], types: Columns | None = None) -> str:
    known = {**column_types(), **(types or {})}
    return ", ".join(f"{name} ({_type(known[name])})" if name in known else name for name in columns)


@lru_cache
def column_types() -> Columns:
    """Of all columns that some stage writes."""
    written: Columns = {}
    for use in STAGES:
        stage = example_stage(use)
        written |= stage.writes if isinstance(stage, Source | RowStage) else {}
    return {**written, **PROBLEM, **TRACE, **VERDICT, **JUDGEMENT}


def _type(kind: Any) -> str:
    match kind:
        case pl.List(inner=inner):
            return f"list of {_type(inner)}"
        case pl.Struct(fields=inside):
            return f"{{{', '.join(f'{one.name}: {_type(one.dtype)}' for one in inside)}}}"
        case _:
            words = {pl.String: "text", pl.Boolean: "true or false"}
            numbers = "whole number" if kind.is_integer() else "number" if kind.is_float() else str(kind)
            return next((said for known, said in words.items() if kind == known), numbers)
