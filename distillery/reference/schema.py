"""JSON Schemas of option classes, by pydantic, with what the docstrings say; no unknown names."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_jsonable_python

from distillery.reference.docstrings import docstrings

Schema = dict[str, Any]
REF = "#/$defs/"
FREE = "No part of the identity."
"""Said of each option that may be changed without losing finished work."""


def schemas(classes: Mapping[str, type]) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The schema of each class, by the name it is given here, and the definitions that these refer to."""
    adapters: Iterable[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (name, "validation", TypeAdapter(cls)) for name, cls in classes.items()
    ]
    found, rest = TypeAdapter.json_schemas(adapters, schema_generator=_Documented)
    return {name: schema for (name, _), schema in found.items()}, rest.get("$defs", {})


def resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    return definitions[schema["$ref"].removeprefix(REF)] if "$ref" in schema else schema


class _Documented(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dataclass_schema(self, schema: Any) -> Schema:
        cls = schema["cls"]
        found = super().dataclass_schema(schema)
        docs = docstrings(cls)
        for field in dataclasses.fields(cls):
            if not field.init:
                found["properties"].pop(field.name, None)
            if (option := found["properties"].get(field.name)) is None:
                continue
            free = [FREE] if field.metadata.get("identity") is False else []
            option["description"] = " ".join([docs.get(field.name, ""), *free]).strip()
            if field.default_factory is not dataclasses.MISSING:
                option["default"] = to_jsonable_python(field.default_factory())
        del found["title"]
        return found | {"additionalProperties": False}

    def enum_schema(self, schema: Any) -> Schema:
        docs = docstrings(schema["cls"])
        meanings = [docs.get(member.name, "") for member in schema["members"]]
        found = super().enum_schema(schema) | {"enumDescriptions": meanings}
        return {name: value for name, value in found.items() if name != "title"}
