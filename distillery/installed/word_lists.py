"""Word lists and patterns that are data and not code: each lies in YAML beside the module that uses it.

A pattern's lines are one; {word} in it stands for the entry of that name, a list for any one of its items.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C reads ten times as fast
_SLOT = re.compile(r"\{([a-z_]+)\}")


@cache
def word_lists(module_file: str) -> dict[str, Any]:
    """All that lies beside a module: of harm.py, what harm.yaml says."""
    return yaml.load(Path(module_file).with_suffix(".yaml").read_text(encoding="utf-8"), _LOADER)


@cache
def pattern(module_file: str, name: str) -> re.Pattern[str]:
    """The pattern `name` of those beside a module; a dot goes into a group. Case does not count."""
    lists = word_lists(module_file)
    entry: Any = lists
    for part in name.split("."):
        entry = entry[part]
    return re.compile(_spelled_out(entry, lists), re.IGNORECASE)


def _spelled_out(entry: str | list[str], lists: dict[str, Any]) -> str:
    text = entry if isinstance(entry, str) else "|".join(entry)
    return _SLOT.sub(lambda slot: _spelled_out(lists[slot[1]], lists), text.replace("\n", ""))
