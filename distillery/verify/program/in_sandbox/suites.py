"""Runs inside the sandbox, sent there as text: tests that a test's code defines and does not run itself.

As pytest finds them, functions and classes by name, with parametrize and no fixtures; and unittest's cases.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import types
from typing import Any

from distillery.verify.program.in_sandbox.plain_values import TEST


class UnfitError(Exception):
    """A test that cannot be run here: it is at fault, and not the program."""


class Unittest:
    """What became of the cases, whoever ran them: `main` and runners that look at no result pass as well."""

    def __init__(self) -> None:
        self.module: Any = importlib.import_module("unittest")
        self.ran = 0
        self.failed: list[str] = []
        result = self.module.TestResult
        for name in ("addFailure", "addError", "addSubTest", "addUnexpectedSuccess"):
            setattr(result, name, self._noting(getattr(result, name)))
        result.startTest = self._counting(result.startTest)
        self.module.main = nothing  # its cases run below, guarded by __name__ or not

    def _counting(self, start: Any) -> Any:
        def counted(found: Any, case: Any) -> None:
            self.ran += 1
            start(found, case)

        return counted

    def _noting(self, add: Any) -> Any:
        def noted(found: Any, case: Any, *error: Any) -> None:
            add(found, case, *error)
            said = error[-1] if error else ("passed", "though it should fail")
            if said is not None:
                self.failed.append(f"{case}: {getattr(said[0], '__name__', said[0])}: {str(said[1])[:200]}")

        return noted

    def run(self, space: dict[str, Any]) -> None:
        """Those that no runner of the test's own has run. A failure is an AssertionError."""
        if not self.ran:
            for kind in own(space, type):
                if issubclass(kind, self.module.TestCase):
                    self.module.defaultTestLoader.loadTestsFromTestCase(kind).run(self.module.TestResult())
        if self.failed:
            raise AssertionError(self.failed[0])


def nothing(*_: object, **__: object) -> None:
    pass


def run_tests(tests: ast.Module, space: dict[str, Any]) -> None:
    names = [node for node in ast.walk(tests) if isinstance(node, ast.Name)]
    used = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    for function in own(space, types.FunctionType):
        if function.__name__.startswith("test"):
            run_function(function, [], helper=function.__name__ in used)
    for kind in own(space, type):
        if kind.__name__.startswith("Test") and not hasattr(kind, "assertEqual"):
            for name in [name for name in vars(kind) if name.startswith("test")]:
                case = kind()
                getattr(case, "setup_method", nothing)(*arguments(case, "setup_method", name))
                run_function(getattr(kind, name), [case], helper=False)


def arguments(case: Any, name: str, method: str) -> list[Any]:
    """pytest gives the method that is to run to a `setup_method` that asks for it."""
    code = getattr(getattr(case, name, None), "__code__", None)
    return [getattr(case, method)] if code and code.co_argcount > 1 else []


def own(space: dict[str, Any], kind: type) -> list[Any]:
    """What the test itself defines, in its order."""
    return [it for it in space.values() if isinstance(it, kind) and getattr(it, "__module__", "") == TEST]


def run_function(function: Any, first: list[Any], *, helper: bool) -> None:
    if any(mark.name in ("skip", "skipif", "xfail") for mark in marks(function)):
        return
    code, defaults = function.__code__, function.__defaults__ or ()
    needed = set(code.co_varnames[len(first) : code.co_argcount - len(defaults)])
    sets = [(mark.args[0], mark.args[1]) for mark in marks(function) if mark.name == "parametrize"]
    for values in itertools.product(*(rows for _, rows in sets)):
        given: dict[str, Any] = {}
        for (names, _), value in zip(sets, values, strict=True):
            listed = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
            row = value.values if hasattr(value, "marks") else value if len(listed) > 1 else (value,)
            given |= zip(listed, row, strict=True)
        if missing := ", ".join(sorted(needed - given.keys())):
            if helper:
                return  # the test calls it with what it needs
            raise UnfitError(f"{function.__name__} needs {missing}; there are no fixtures")
        settle(function(*first, **given))


def settle(found: Any) -> None:
    """An asynchronous test runs only when somebody waits for it."""
    if isinstance(found, types.CoroutineType):
        importlib.import_module("asyncio").run(found)


def marks(function: Any) -> list[Any]:
    return list(getattr(function, "pytestmark", []))
