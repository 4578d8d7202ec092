"""Programs of ours that run inside a sandbox, where this package is not: each is sent whole, as one text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[2]
_IMPORT = re.compile(r"^from distillery\.(\S+) import", re.MULTILINE)
_MODULE = """\
import sys as _sys, types as _types
_m = _sys.modules[{name!r}] = _types.ModuleType({name!r})
exec(compile({text!r}, {file!r}, "exec"), vars(_m))
"""


@cache
def bundle(program: str, *, of: str = "program") -> str:
    """The text of a module of `in_sandbox`, with those of ours that it needs before it."""
    *needed, (name, text) = _with_needs(f"verify.{of}.in_sandbox.{program}").items()
    parts = [_MODULE.format(name=f"distillery.{one}", file=f"{one}.py", text=its) for one, its in needed]
    return "".join([*parts, f"exec(compile({text!r}, {name + '.py'!r}, 'exec'))\n"])


def _with_needs(name: str) -> dict[str, str]:
    """A module's text by its name, behind those that it imports."""
    text = _PACKAGE.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    needs: dict[str, str] = {}
    for needed in _IMPORT.findall(text):
        needs |= _with_needs(needed)
    return needs | {name: text}
