"""The JSON Schemas of whole files: `use` decides the options of a stage, `kind` those of an engine."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from distillery.engines import KINDS, engine_class
from distillery.installed.word_lists import word_lists
from distillery.pipeline.budget import Budget
from distillery.pipeline.expect import Expect
from distillery.pipeline.plan import Workers
from distillery.pipeline.prices import Prices
from distillery.reference.entries import entry
from distillery.reference.schema import REF, Schema, resolved, schemas
from distillery.stages import STAGES, stage_class

_SLOT: Schema = {"$ref": f"{REF}slot"}  # what `foreach` fills in


def price_schema() -> Schema:
    found, definitions = schemas({"": Prices})
    prices = resolved(found[""], definitions)
    used = {name: schema for name, schema in definitions.items() if schema is not prices}
    dialect = word_lists(__file__)["pipeline"]["$schema"]
    return {"$schema": dialect, "title": "A price file of distillery", **prices, "$defs": used}


def pipeline_schema() -> Schema:
    fixed: dict[str, Schema] = deepcopy(word_lists(__file__))
    stages, definitions = schemas({use: stage_class(use) for use in STAGES} | {"expect": Expect})
    for use in STAGES:
        _widen(resolved(stages[use], definitions), "engine", fixed["engine_of_a_stage"])
    for schema in definitions.values():
        _let_slots_in(schema)
    parts = {"workers": Workers, "budget": Budget}
    engines, more = schemas({kind: engine_class(kind) for kind in KINDS} | parts)
    for kind in KINDS:
        engine = resolved(engines[kind], more)
        _widen(engine, "model", fixed["made_model"])
        engine["properties"]["kind"] = {}
        engine.pop("required", None)  # a stage may name the model: {use: NAME, model: {from: STAGE}}
    whole = fixed["pipeline"]
    stage, engine = whole["$defs"]["stage"], whole["$defs"]["engine"]
    stage["properties"]["use"] = _one_of(STAGES, fixed["own_code"])
    stage["allOf"] = [_if("use", use, _with(stages[use], definitions)) for use in STAGES]
    engine["properties"]["kind"] = _one_of(KINDS, fixed["own_code"])
    engine["allOf"] = [_if("kind", kind, engines[kind]) for kind in KINDS]
    whole["$defs"] |= definitions | more
    return whole


def _with(options: Schema, definitions: dict[str, Schema]) -> Schema:
    needed = {"required": ["with"]} if resolved(options, definitions).get("required") else {}
    return {"properties": {"with": {"anyOf": [options, _SLOT]}}, **needed}


def _if(name: str, value: str, then: Schema) -> Schema:
    return {"if": {"properties": {name: {"const": value}}}, "then": then}


def _one_of(names: Iterable[str], own: Schema) -> Schema:
    known = list(names)
    return {"anyOf": [{"enum": known, "enumDescriptions": [entry(name).summary for name in known]}, own]}


def _widen(options: Schema, name: str, by: Schema) -> None:
    """Lets option `name` be something that the pipeline's loader resolves before the class sees it."""
    if name in options["properties"]:
        of: dict[str, Any] = options["properties"][name]
        options["properties"][name] = {"anyOf": [{"type": of.pop("type")}, by], **of}


def _let_slots_in(definition: Schema) -> None:
    for name, schema in definition.get("properties", {}).items():
        if not _takes_any_text(schema):
            said = {key: schema[key] for key in ("description", "default") if key in schema}
            rest = {key: value for key, value in schema.items() if key not in said}
            kinds = rest["anyOf"] if set(rest) == {"anyOf"} else [rest]
            definition["properties"][name] = {"anyOf": [*kinds, _SLOT], **said}


def _takes_any_text(schema: Schema) -> bool:
    plain = schema.get("type") == "string" and "enum" not in schema and "const" not in schema
    return plain or any(_takes_any_text(part) for part in schema.get("anyOf", ()))
