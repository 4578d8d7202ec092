"""A plan: steps in order, each with its inputs, its columns and the fingerprint that names its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from distillery.engines import Engine, open_engine
from distillery.errors import ConfigError
from distillery.hashing import Json
from distillery.pipeline.budget import Budget
from distillery.prompts import Prompt
from distillery.records import Columns
from distillery.stages.base import AnyStage, Kind, RowStage, Trainer


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """An engine as the file describes it; it becomes an engine once the model it needs exists."""

    name: str
    kind: str
    options: Mapping[str, Any]
    model_from: str | None  # id of the step that makes its model
    identity: Json

    def open(self, models: Mapping[str, Path]) -> Engine:
        return open_engine(self.kind, self.settings(models), where=f"engines.{self.name}")

    def settings(self, models: Mapping[str, Path]) -> dict[str, Any]:
        """Its options, with the folder of the model where a step makes it."""
        made = {} if self.model_from is None else {"model": str(models[self.model_from])}
        return {**self.options, **made}


@dataclass(frozen=True, kw_only=True)
class Step:
    id: str
    use: str
    stage: AnyStage
    parents: tuple[str, ...]  # steps whose tables it reads, in order
    models: tuple[str, ...] = ()  # steps whose models it needs: its own start, and its engines'
    starts_from: str | None = None  # the one of `models` a trainer starts from
    chat_template: str = ""  # of a trainer: its text; "": the model's own
    extras: Mapping[str, str] = field(default_factory=dict)  # further tables of a sink, by name
    engines: tuple[str, ...] = ()
    columns: Columns
    fingerprint: str
    seed: int
    expect: Mapping[str, Any] = field(default_factory=dict)  # planning figures, no part of the identity

    @property
    def kind(self) -> Kind:
        return self.stage.kind

    @property
    def row_stage(self) -> RowStage:
        """The stage of a step that makes a table out of a table; TypeError for any other."""
        if not isinstance(self.stage, RowStage):
            raise TypeError(f"{self.id}: {self.use} makes no table out of a table")
        return self.stage

    @property
    def trainer(self) -> Trainer:
        """The stage of a step that makes a model; TypeError for any other."""
        if not isinstance(self.stage, Trainer):
            raise TypeError(f"{self.id}: {self.use} makes no model")
        return self.stage

    @property
    def folder(self) -> str:
        return f"{self.use.replace(':', '.')}-{self.fingerprint}"

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.parents, *self.models, *self.extras.values())))

    @property
    def makes_table(self) -> bool:
        return self.kind in (Kind.SOURCE, Kind.SHARD, Kind.TABLE)


@dataclass(frozen=True, kw_only=True)
class Workers:
    """How much runs at once: `jobs` steps (or shards) side by side, `threads` for each one's arithmetic."""

    jobs: Annotated[int, Field(ge=1)] = 1
    """Steps or shards side by side."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """For each one's arithmetic; null: as many as there are cores."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    name: str
    seed: int
    steps: tuple[Step, ...]
    engines: Mapping[str, EngineSpec]
    prompts: Mapping[str, Prompt]
    workers: Workers
    limit: int | None  # rows taken from each source; None = all
    resolved: Mapping[str, Any]  # the file after --set and foreach: enough to run it again
    budget: Budget = field(default_factory=Budget)

    def step(self, step_id: str) -> Step:
        for step in self.steps:
            if step.id == step_id:
                return step
        raise ConfigError(
            f"pipeline {self.name}: no stage {step_id!r}; it has {', '.join(s.id for s in self.steps)}"
        )

    def ancestors(self, step_id: str) -> list[Step]:
        """Every step that `step_id` stands on, itself last, in plan order."""
        wanted: set[str] = set()
        queue = [step_id]
        while queue:
            current = queue.pop()
            if current not in wanted:
                wanted.add(current)
                queue.extend(self.step(current).needs)
        return [step for step in self.steps if step.id in wanted]

    def until(self, step_ids: Iterable[str]) -> Plan:
        """The part of the plan that leads to the named steps."""
        wanted = {step.id for step_id in step_ids for step in self.ancestors(step_id)}
        return replace(self, steps=tuple(step for step in self.steps if step.id in wanted))
