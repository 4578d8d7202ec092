"""Options in words, at every depth: name, type, default, meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from distillery.reference.schema import Schema, resolved, schemas

_NOUNS = {"integer": "whole number", "string": "text", "boolean": "true or false"}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
_NO_DEFAULT = object()


@dataclass(frozen=True, kw_only=True)
class Option:
    # with dots into groups: `a.b`; `[]` stands for each one of a list, `*` for each name of a mapping
    name: str
    type: str
    default: str | None  # as YAML; None: it must be given; "": the options of the group say it
    about: str
    choices: tuple[tuple[str, str], ...]  # values of a closed set, and what they mean


def options(cls: type) -> tuple[Option, ...]:
    found, definitions = schemas({"": cls})
    return tuple(_options(resolved(found[""], definitions), definitions, "", {}))


def _options(
    group: Schema, definitions: Mapping[str, Schema], prefix: str, given: Mapping[str, Any]
) -> Iterator[Option]:
    """`given`: defaults that the class around this group has of its own."""
    for name, schema in group["properties"].items():
        default = given.get(name, schema.get("default", _NO_DEFAULT))
        groups = list(_groups(schema, definitions))
        own = default if isinstance(default, dict) and any(not step for step, _ in groups) else None
        yield Option(
            name=prefix + name,
            type=in_words(schema, definitions),
            default=None if default is _NO_DEFAULT else "" if own else _as_yaml(default),
            about=schema["description"],
            choices=tuple(_choices(schema, definitions)),
        )
        for step, nested in groups:
            yield from _options(nested, definitions, f"{prefix}{name}{step}.", {} if step else own or {})


def _parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """What a schema is made of, with what a name gets for each step down."""
    for part in schema.get("anyOf", ()):
        yield "", part
    if "items" in schema:
        yield "[]", schema["items"]
    if isinstance(inside := schema.get("additionalProperties"), dict):
        yield ".*", inside


def _groups(schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    schema = resolved(schema, definitions)
    if "properties" in schema:
        yield "", schema
        return
    for step, part in _parts(schema):
        for suffix, group in _groups(part, definitions):
            yield step + suffix, group


def _choices(schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[tuple[str, str]]:
    schema = resolved(schema, definitions)
    if "enumDescriptions" in schema:
        yield from zip(map(_as_yaml, schema["enum"]), schema["enumDescriptions"], strict=True)
    for _, part in _parts(schema):
        yield from _choices(part, definitions)


def in_words(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    schema = resolved(schema, definitions)
    match schema:
        case {"anyOf": parts}:
            return " or ".join(dict.fromkeys(in_words(part, definitions) for part in parts))
        case {"enum": values}:
            return f"one of {', '.join(map(_as_yaml, values))}" if len(values) > 1 else _as_yaml(values[0])
        case {"const": value}:
            return _as_yaml(value)
        case {"type": "array", "prefixItems": places}:
            return f"[{', '.join(in_words(place, definitions) for place in places)}]"
        case {"type": "array"}:
            some = "non-empty list" if schema.get("minItems") else "list"
            return f"{some} of {_each(schema['items'], definitions)}"
        case {"properties": _}:
            return "group"
        case {"type": "object"}:
            inside = schema.get("additionalProperties")
            return f"mapping to {_each(inside, definitions) if isinstance(inside, dict) else 'anything'}"
        case {"type": "string", "format": "path"}:
            return "path"
        case {"type": kind}:
            bounds = [f"{word} {schema[bound]:g}" for bound, word in _BOUNDS.items() if bound in schema]
            noun = str(_NOUNS.get(kind, kind))
            return f"{noun} ({', '.join(bounds)})" if bounds else noun
        case _:
            return "anything"


def _each(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    words = in_words(schema, definitions)
    return f"({words})" if " or " in words or words.startswith("one of") else words


def _as_yaml(value: Any) -> str:
    form: dict[str, Any] = {"default_flow_style": True, "allow_unicode": True, "width": 10_000}
    text = str(yaml.safe_dump(value, sort_keys=False, **form))
    return text.removesuffix("\n").removesuffix("\n...").replace("''", '""')
