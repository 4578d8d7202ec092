"""Resolves a pipeline file: stages built, inputs found, columns checked, identities taken.

A name such as `1_zero.yaml#zero` is a stage of another file beside this one: its steps join the plan under
`1_zero/zero`, so that running the last file of a recipe runs what is missing of the files before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from distillery.config import build, did_you_mean, identity
from distillery.engines import Engine, engine_identity, open_engine
from distillery.engines.local.model_files import model_name
from distillery.errors import ConfigError
from distillery.hashing import Json, digest
from distillery.installed import dotted
from distillery.pipeline.budget import Budget
from distillery.pipeline.plan import EngineSpec, Plan, Step, Workers
from distillery.pipeline.raw import read_pipeline
from distillery.prompts import Prompt, load_prompt, load_template, prompt_folders
from distillery.records import SCHEMA_VERSION, Columns
from distillery.stages import stage_class
from distillery.stages.base import AnyStage, Kind, RowStage, Sink, Source, Trainer
from distillery.stages.declared import open_stage, stamp_of
from distillery.stages.mix_union import MixUnion

_IDS = ("trace_id", "problem_id", "document_id")
"""Columns that name a row, the narrowest first."""


def load_plan(
    file: Path | str,
    *,
    settings: Sequence[str] = (),
    limit: int | None = None,
    prompts: Path | None = None,
    engines: Mapping[str, Engine] | None = None,
) -> Plan:
    """The plan of `file`; as tests do, `engines` replaces its engines by ready ones, `prompts` its prompts'
    folders."""
    return _Loader(Path(file), settings, limit, prompts, engines or {}).load()


class _Loader:
    def __init__(
        self,
        file: Path,
        settings: Sequence[str],
        limit: int | None,
        prompts: Path | None,
        ready: Mapping[str, Engine],
        files: tuple[Path, ...] = (),
        plans: dict[Path, Plan] | None = None,
    ) -> None:
        self.file, self.limit, self.only_prompts, self.ready = file, limit, prompts, ready
        self.folders = prompt_folders(file) if prompts is None else (prompts,)
        self.raw = read_pipeline(file, settings)
        self.files = (*files, file.resolve())
        self.seed = self._integer("seed", 0)
        self.engines_raw: dict[str, dict[str, Any]] = dict(self.raw.get("engines") or {})
        self.engines: dict[str, EngineSpec] = {}
        self.prompts: dict[str, Prompt] = {}
        self.steps: dict[str, Step] = {}
        self.guests: set[Path] = set()
        self.plans = {} if plans is None else plans  # of files already read, whoever named them

    def load(self) -> Plan:
        last: str | None = None
        for number, entry in enumerate(self.raw["stages"]):
            where = f"{self.file}: stages[{number}] ({entry['id']})"
            if entry["id"] in self.steps:
                raise ConfigError(f"{where}: the id {entry['id']!r} is taken by an earlier stage")
            step = self._step(entry, last, where)
            self.steps[step.id] = step
            last = step.id if step.makes_table else last
        for name in self.engines_raw.keys() - {name.partition("(")[0] for name in self.engines}:
            self._check_engine(name)
        workers = build(Workers, self.raw.get("workers") or {}, where=f"{self.file}: workers")
        return Plan(
            name=str(self.raw["pipeline"]),
            seed=self.seed,
            steps=tuple(self.steps.values()),
            engines=self.engines,
            prompts=self.prompts,
            workers=workers,
            limit=self.limit,
            resolved=self.raw,
            budget=build(Budget, self.raw.get("budget") or {}, where=f"{self.file}: budget"),
        )

    def _integer(self, name: str, default: int) -> int:
        value = self.raw.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ConfigError(f"{self.file}: {name} is {value!r}; it must be a whole number")
        return value

    def _step(self, entry: Mapping[str, Any], last: str | None, where: str) -> Step:
        options = dict(entry.get("with") or {})
        self._name_engines(options, where)
        use, cls = entry["use"], stage_class(entry["use"], where=where)
        stage = open_stage(cls, options, use=use, where=where)
        parents = self._parents(entry, stage, last, where)
        if isinstance(stage, MixUnion):
            stage = self._union(stage, parents, where)
        elif len(parents) > 1:
            parents = self._united(entry["id"], stage, parents, where)
        return self._made(entry["id"], entry["use"], stage, parents, entry.get("expect") or {}, where)

    def _made(
        self,
        name: str,
        use: str,
        stage: AnyStage,
        parents: tuple[str, ...],
        expect: Mapping[str, Any],
        where: str,
    ) -> Step:
        given = self._columns(parents, where)
        self._check_reads(stage, given, parents, where)
        start, start_identity = self._start(stage, where) if isinstance(stage, Trainer) else (None, None)
        uses = stage.uses()
        specs = [self._engine(name, where) for name in uses.engines]
        raw = stage.raw if isinstance(stage, Sink) else ""
        extras = {"raw": self._find(raw, f"{where}.raw")} if raw else {}
        models = [m for m in (start, *(spec.model_from for spec in specs)) if m is not None]
        named = stage.chat_template if isinstance(stage, Trainer) else ""
        template = load_template(named, *self.folders) if named else ""
        stamp = digest(template) if template else stamp_of(stage, use=use, where=where)
        parts: list[Json] = [
            [SCHEMA_VERSION, self.seed, use, stage.version, identity(stage), stamp],
            [self.steps[parent].fingerprint for parent in parents],
            [start_identity, *(spec.identity for spec in specs)],
            [self._one(load_prompt(name, *self.folders)).digest for name in uses.prompts],
            {name: self.steps[step].fingerprint for name, step in extras.items()},
            self.limit if isinstance(stage, Source) else None,
        ]
        if code := [name for name in (use, *stage.code()) if ":" in name]:
            parts.append({name: dotted.source_digest(name) for name in code})
        return Step(
            id=name,
            use=use,
            stage=stage,
            parents=parents,
            models=tuple(dict.fromkeys(models)),
            starts_from=start,
            chat_template=template,
            extras=extras,
            engines=uses.engines,
            columns={**given, **stage.writes} if isinstance(stage, Source | RowStage) else {},
            fingerprint=digest(parts),
            seed=self.seed,
            expect=expect,
        )

    def _parents(
        self, entry: Mapping[str, Any], stage: AnyStage, last: str | None, where: str
    ) -> tuple[str, ...]:
        if isinstance(stage, Source):
            if "from" in entry:
                raise ConfigError(f"{where}: {entry['use']} is a source and takes no `from`")
            return ()
        named = entry.get("from", last)
        if named is None:
            right = "a pipeline starts with a source such as ingest.file"
            raise ConfigError(f"{where}: nothing stands before it; {right}")
        names = named if isinstance(named, list) else [named]
        found = tuple(self._find(str(name), f"{where}: from") for name in names)
        for name in found:
            if not self.steps[name].makes_table:
                raise ConfigError(f"{where}: from: {name!r} gives a {_gives(self.steps[name])}, not a table")
            if found.count(name) > 1:
                raise ConfigError(f"{where}: from: names {name!r} twice; every row stands in a table once")
        return found

    def _united(self, name: str, stage: AnyStage, parents: tuple[str, ...], where: str) -> tuple[str, ...]:
        """The union of several inputs, one for all steps that read these; without an id in common no row can
        stand in two of them, and they stay as they are."""
        if isinstance(stage, RowStage):
            self._check_keyed(stage.key, parents, where)
        key = self._id_of_all(parents, getattr(stage, "key", ""))
        if key is None:
            return parents
        union = MixUnion(key=key)
        for step in self.steps.values():
            if step.stage == union and step.parents == parents:
                return (step.id,)
        if (inputs := f"{name}.inputs") in self.steps:
            raise ConfigError(f"{where}: from: its inputs together are {inputs!r}, and a stage is called so")
        self.steps[inputs] = self._made(inputs, "mix.union", union, parents, {}, where)
        return (inputs,)

    def _union(self, stage: MixUnion, parents: tuple[str, ...], where: str) -> MixUnion:
        """One that the file names, with its key."""
        if len(parents) < 2:
            raise ConfigError(f"{where}: from: is {', '.join(parents)}; a union is of several: [a, b]")
        if stage.key:
            self._check_keyed(stage.key, parents, where)
            return stage
        key = self._id_of_all(parents)
        if key is None:
            ids = ", ".join(_IDS)
            raise ConfigError(f"{where}: {' and '.join(parents)} share none of {ids}; name their `key`")
        return dataclasses.replace(stage, key=key)

    def _id_of_all(self, parents: Sequence[str], own: str = "") -> str | None:
        """The column that names the rows of all; `own` is the key of the stage that reads them."""
        first, *others = _IDS
        wanted = (first, own, *others)
        return next((n for n in wanted if all(n in self.steps[p].columns for p in parents)), None)

    def _check_keyed(self, key: str, parents: Sequence[str], where: str) -> None:
        for name in parents:
            if key not in self.steps[name].columns:
                has = ", ".join(sorted(self.steps[name].columns))
                raise ConfigError(f"{where}: from: {name!r} has no {key}, which names a row; it has {has}")

    def _find(self, name: str, where: str) -> str:
        """The id of an earlier step; steps of a file named as `file#stage` join the plan first."""
        file, mark, stage = name.partition("#")
        if mark:
            return self._join(self.file.parent / file, stage, where)
        if name not in self.steps:
            hint = did_you_mean(name, self.steps, f"earlier ones: {', '.join(self.steps)}")
            raise ConfigError(f"{where}: {name!r} names no earlier stage; {hint}")
        return name

    def _join(self, file: Path, stage: str, where: str) -> str:
        prefix = f"{file.stem}/"
        if file.resolve() in self.files:
            raise ConfigError(f"{where}: {file} leads back to itself")
        if file not in self.guests:
            plan = self._guest_plan(file)
            self.guests.add(file)
            for prompt in plan.prompts.values():
                self._one(prompt)
            for name, spec in plan.engines.items():
                model = None if spec.model_from is None else _guest(prefix, spec.model_from)
                self.engines[_guest(prefix, name)] = dataclasses.replace(spec, model_from=model)
            for step in plan.steps:
                if _guest(prefix, step.id) not in self.steps:
                    self.steps[_guest(prefix, step.id)] = _renamed(step, prefix)
        if prefix + stage not in self.steps:
            raise ConfigError(f"{where}: {file} has no stage {stage!r}")
        return prefix + stage

    def _guest_plan(self, file: Path) -> Plan:
        place = file.resolve()
        if place not in self.plans:
            guest = _Loader(file, (), self.limit, self.only_prompts, self.ready, self.files, self.plans)
            self.plans[place] = guest.load()
        return self.plans[place]

    def _columns(self, parents: Sequence[str], where: str) -> Columns:
        merged: Columns = {}
        for parent in parents:
            for name, kind in self.steps[parent].columns.items():
                if (known := merged.setdefault(name, kind)) != kind:
                    where = f"{where}: column {name!r}"
                    raise ConfigError(f"{where} is {known} in one input, {kind} in {parent!r}")
        return merged

    def _check_reads(self, stage: AnyStage, given: Columns, parents: Sequence[str], where: str) -> None:
        missing = [name for name in stage.reads if name not in given]
        if missing:
            raise ConfigError(
                f"{where}: reads {', '.join(missing)}, which {' + '.join(parents)} does not give;"
                f" it gives {', '.join(sorted(given))}"
            )
        if isinstance(stage, RowStage) and given.get(stage.key) != pl.String():
            texts = ", ".join(sorted(name for name, kind in given.items() if kind == pl.String())) or "none"
            is_what = f"is a {given[stage.key]}" if stage.key in given else "is not there"
            raise ConfigError(
                f"{where}: its key {stage.key!r} {is_what}; a key is a text, and there are {texts}"
            )

    def _start(self, stage: Trainer, where: str) -> tuple[str | None, Json]:
        reference = stage.starts_from
        if reference is None:
            return None, None
        if isinstance(reference, str):
            try:
                return None, model_name(reference, "")
            except ConfigError as error:
                raise ConfigError(f"{where}.model: {error}") from None
        step = self._model_step(reference, f"{where}.model")
        return step, self.steps[step].fingerprint

    def _model_step(self, reference: Mapping[str, Any], where: str) -> str:
        if set(reference) != {"from"}:
            raise ConfigError(f"{where}: is {dict(reference)!r}; write a path, a hub id or {{from: STAGE}}")
        step = self._find(str(reference["from"]), where)
        if self.steps[step].kind is not Kind.TRAINER:
            raise ConfigError(f"{where}: {step!r} gives a {_gives(self.steps[step])}, not a model")
        return step

    def _name_engines(self, options: dict[str, Any], where: str) -> None:
        """`engine: {use: local, model: {from: zero}}` becomes an engine of its own, named local(zero)."""
        value = options.get("engine")
        if not isinstance(value, dict):
            return
        value = dict(value)  # the plan's own copy of the file keeps `use`
        base = value.pop("use", None)
        if base not in self.engines_raw:
            there = f"the file has {sorted(self.engines_raw)}"
            raise ConfigError(f"{where}.engine: use: {base!r} names no engine; {there}")
        name = f"{base}({', '.join(_short(item) for item in value.values())})"
        self.engines_raw.setdefault(name, {**self.engines_raw[base], **value})
        options["engine"] = name

    def _engine(self, name: str, where: str) -> EngineSpec:
        if name not in self.engines and name in self.ready:
            identity = self.ready[name].identity
            self.engines[name] = EngineSpec(
                name=name, kind="ready", options={}, model_from=None, identity=identity
            )
        elif name not in self.engines:
            self.engines[name] = self._engine_from_file(name, where)
        return self.engines[name]

    def _engine_from_file(self, name: str, where: str) -> EngineSpec:
        if name not in self.engines_raw:
            hint = did_you_mean(
                name, self.engines_raw, f"the file has {', '.join(self.engines_raw) or 'none'}"
            )
            raise ConfigError(f"{where}: no engine {name!r}; {hint}")
        options = dict(self.engines_raw[name])
        place = f"{self.file}: engines.{name}"
        kind = str(options.pop("kind", ""))
        model_from, model = None, options.get("model")
        if isinstance(model, dict):
            model_from = self._model_step(model, f"{place}.model")
            options["model"] = f"stage:{self.steps[model_from].fingerprint}"
        known_as = engine_identity(kind, open_engine(kind, options, where=place), where=place)
        return EngineSpec(name=name, kind=kind, options=options, model_from=model_from, identity=known_as)

    def _check_engine(self, name: str) -> None:
        """Of an engine that no stage asks."""
        options, place = dict(self.engines_raw[name]), f"{self.file}: engines.{name}"
        kind = str(options.pop("kind", ""))
        if isinstance(options.get("model"), dict):
            options["model"] = self._model_step(options["model"], f"{place}.model")
        open_engine(kind, options, where=place)

    def _one(self, prompt: Prompt) -> Prompt:
        """A run knows a prompt by its name alone, and each file may have its own beside it."""
        if self.prompts.setdefault(prompt.name, prompt).digest != prompt.digest:
            raise ConfigError(
                f"{self.file}: prompt {prompt.name} has another text beside a file that it names;"
                " give one of them a new version"
            )
        return prompt


def _gives(step: Step) -> str:
    return {Kind.TRAINER: "model", Kind.SINK: "folder"}.get(step.kind, "table")


def _short(value: Any) -> str:
    return str(value["from"]) if isinstance(value, dict) and "from" in value else str(value)


def _guest(prefix: str, name: str) -> str:
    """A step of a guest's guest keeps its own prefix."""
    return name if "/" in name else prefix + name


def _renamed(step: Step, prefix: str) -> Step:
    several = ("parents", "models", "engines")
    return dataclasses.replace(
        step,
        id=_guest(prefix, step.id),
        starts_from=step.starts_from and _guest(prefix, step.starts_from),
        extras={name: _guest(prefix, other) for name, other in step.extras.items()},
        **{of: tuple(_guest(prefix, name) for name in getattr(step, of)) for of in several},
    )
