"""Programs of ours that run inside a sandbox, where this package is not: each is sent whole, as one text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[2]
_MODULE = """\
import sys as _sys, types as _types
_m = _sys.modules[{name!r}] = _types.ModuleType({name!r})
exec(compile({text!r}, {file!r}, "exec"), vars(_m))
"""


@cache
def bundle(program: str, *modules: str) -> str:
    """The text of a module ("verify.program.in_sandbox.function_judge"), with those that it imports before it, in the order of their need."""
    parts = [
        _MODULE.format(name=f"distillery.{name}", file=f"{name}.py", text=_text(name)) for name in modules
    ]
    return "".join([*parts, f"exec(compile({_text(program)!r}, {program + '.py'!r}, 'exec'))\n"])


def _text(name: str) -> str:
    return _PACKAGE.joinpath(*name.split(".")).with_suffix(".py").read_text(encoding="utf-8")
