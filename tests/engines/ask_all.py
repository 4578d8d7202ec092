"""Every reply of an engine, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from distillery.engines import Request
from distillery.engines.base import Engine, Reply


def ask_all(engine: Engine, requests: Iterable[Request]) -> Iterator[Reply]:
    for group in engine.batches(requests):
        yield from group
