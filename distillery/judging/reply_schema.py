"""The JSON schema of a judge's reply, for servers that can hold a model to one."""

from __future__ import annotations

import json
from collections.abc import Sequence

from distillery.hashing import Json


def reply_form(**choices: Sequence[str] | Sequence[int]) -> str:
    """An object with an `analysis`, then each name with one of its choices.

    The analysis comes first: a model that must name its verdict first decides before it has compared.
    """
    fields: dict[str, Json] = {"analysis": {"type": "string"}}
    for name, values in choices.items():
        kind = "string" if isinstance(values[0], str) else "integer"
        fields[name] = {"type": kind, "enum": list(values)}
    form: dict[str, Json] = {"type": "object", "properties": fields, "required": list(fields)}
    return json.dumps(form | {"additionalProperties": False})
