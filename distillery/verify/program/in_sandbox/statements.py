"""Runs inside the sandbox, sent there as text: when a test learns what a call did to its arguments.

Between its statements, and between what `and` and `or` join. Within one, `f(x) == sorted(x)` is about the x
that was given: a function that empties its argument and returns nothing of it is not right thereby.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

FILE, NAME = "test.py", "__between__"


class Statements:
    """Changes that wait for the statement that made them to end."""

    def __init__(self) -> None:
        self._owed: list[tuple[FrameType, Callable[[], None]]] = []

    def later(self, change: Callable[[], None]) -> None:
        frame = inspect.currentframe()
        while frame and frame.f_code.co_filename != FILE:
            frame = frame.f_back
        if frame is None:
            change()
        else:
            self._owed.append((frame, change))

    def now(self) -> None:
        owed, self._owed = self._owed, []
        for _, change in owed:
            change()

    def between(self) -> bool:
        """True, where a statement of a test begins. Not of a helper that another statement waits for."""
        if self._owed:
            frame = inspect.currentframe()
            test = frame and frame.f_back
            waiting = {id(caller) for caller in _callers(test)}
            if not any(id(frame) in waiting for frame, _ in self._owed):
                self.now()
        return True


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame and (frame := frame.f_back):
        yield frame


def marked(tests: ast.Module) -> ast.Module:
    """`tests` with a call of `NAME` before each statement, and before what follows an `and` or `or`."""
    return ast.fix_missing_locations(_Marker().visit(tests))


def _call(beside: ast.AST) -> ast.Call:
    return ast.copy_location(ast.Call(ast.Name(NAME, ast.Load()), [], []), beside)


class _Marker(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            body: Any = getattr(node, field, None)
            if isinstance(body, list) and not isinstance(node, ast.ClassDef):
                setattr(
                    node, field, [part for place, line in enumerate(body) for part in _before(place, line)]
                )
        if isinstance(node, ast.BoolOp):
            node.values[1:] = [
                ast.copy_location(ast.IfExp(_call(value), value, ast.Constant(None)), value)
                for value in node.values[1:]
            ]
        return node


def _before(place: int, line: ast.stmt) -> list[ast.stmt]:
    docstring = place == 0 and isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
    future = isinstance(line, ast.ImportFrom) and line.module == "__future__"
    return [line] if docstring or future else [ast.copy_location(ast.Expr(_call(line)), line), line]
