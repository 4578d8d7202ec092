"""The JSON Schemas of whole files: `use` decides the options of a stage, `kind` those of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from distillery.engines import KINDS, engine_class
from distillery.pipeline.budget import Budget
from distillery.pipeline.expect import Expect
from distillery.pipeline.plan import Workers
from distillery.pipeline.prices import Prices
from distillery.reference.entries import entry
from distillery.reference.schema import REF, Schema, resolved, schemas
from distillery.stages import STAGES, stage_class

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SLOT: Schema = {"type": "string", "pattern": r"\$\{[\w.]+\}"}  # what `foreach` fills in
_OWN: Schema = {"type": "string", "pattern": r"^(\w+\.)*\w+:\w+$", "description": "Of your own: module:Name."}
_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_MADE_MODEL: Schema = {
    "type": "object",
    "properties": {"from": {"type": "string", "description": "Id of the stage that makes it."}},
    "required": ["from"],
    "additionalProperties": False,
}


def price_schema() -> Schema:
    found, definitions = schemas({"": Prices})
    prices = resolved(found[""], definitions)
    used = {name: schema for name, schema in definitions.items() if schema is not prices}
    return {"$schema": _DIALECT, "title": "A price file of distillery", **prices, "$defs": used}


def pipeline_schema() -> Schema:
    stages, definitions = schemas({use: stage_class(use) for use in STAGES} | {"expect": Expect})
    for use in STAGES:
        _widen(resolved(stages[use], definitions), "engine", _ENGINE_OF_A_STAGE)
    for schema in definitions.values():
        _let_slots_in(schema)
    others, more = schemas(
        {kind: engine_class(kind) for kind in KINDS} | {"workers": Workers, "budget": Budget}
    )
    for kind in KINDS:
        engine = resolved(others[kind], more)
        _widen(engine, "model", _MADE_MODEL)
        engine["properties"]["kind"] = {}
        engine.pop("required", None)  # a stage may name the model: {use: NAME, model: {from: STAGE}}
    return {
        "$schema": _DIALECT,
        "title": "A pipeline of distillery",
        "type": "object",
        "properties": {
            "pipeline": {"type": "string", "description": "Its name; the file's own where it has none."},
            "seed": {"type": "integer", "default": 0, "description": "All randomness is drawn from it."},
            "about": {"description": "For people, and for YAML anchors."},
            "engines": {
                "type": "object",
                "additionalProperties": {"$ref": f"{REF}engine"},
                "description": "Where completions come from, by a name that stages use.",
            },
            "stages": {"$ref": f"{REF}stages"},
            "workers": others["workers"],
            "budget": others["budget"],
        },
        "required": ["stages"],
        "additionalProperties": False,
        "$defs": {
            "stages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "if": {"required": ["foreach"]},
                    "then": {"$ref": f"{REF}foreach"},
                    "else": {"$ref": f"{REF}stage"},
                },
            },
            "foreach": _FOREACH,
            "stage": _stage(stages, definitions),
            "engine": _engine(others),
            "slot": _SLOT,
            **definitions,
            **more,
        },
    }


_ENGINE_OF_A_STAGE: Schema = {
    "type": "object",
    "properties": {
        "use": {
            "type": "string",
            "description": "Its name under `engines`; what stands beside replaces that engine's own options.",
        }
    },
    "required": ["use"],
}
_FOREACH: Schema = {
    "type": "object",
    "properties": {
        "foreach": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "array"},
            "description": "Names and lists of one length: the stages are repeated, `${name}` filled in.",
        },
        "stages": {"$ref": f"{REF}stages"},
    },
    "required": ["foreach", "stages"],
    "additionalProperties": False,
}


def _stage(options: Mapping[str, Schema], definitions: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "Its name in this file."},
            "use": _one_of(STAGES),
            "from": {
                "anyOf": [_TEXT, _TEXTS],
                "description": "Ids of the stages whose tables it reads; the one before, where it does not say.",
            },
            "with": {"description": "Its options."},
            "expect": options["expect"],
        },
        "required": ["id", "use"],
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"use": {"const": use}}},
                "then": {
                    "properties": {"with": {"anyOf": [options[use], {"$ref": f"{REF}slot"}]}},
                    **({"required": ["with"]} if resolved(options[use], definitions).get("required") else {}),
                },
            }
            for use in STAGES
        ],
    }


def _engine(options: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": {"kind": _one_of(KINDS)},
        "required": ["kind"],
        "allOf": [{"if": {"properties": {"kind": {"const": kind}}}, "then": options[kind]} for kind in KINDS],
    }


def _one_of(names: Iterable[str]) -> Schema:
    known = list(names)
    return {"anyOf": [{"enum": known, "enumDescriptions": [entry(name).summary for name in known]}, _OWN]}


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
            definition["properties"][name] = {"anyOf": [*kinds, {"$ref": f"{REF}slot"}], **said}


def _takes_any_text(schema: Schema) -> bool:
    plain = schema.get("type") == "string" and "enum" not in schema and "const" not in schema
    return plain or any(_takes_any_text(part) for part in schema.get("anyOf", ()))
