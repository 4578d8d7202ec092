"""Where work runs: processes of this machine, or a Ray cluster over a shared folder."""

from __future__ import annotations

from distillery.errors import ConfigError
from distillery.pipeline import Workers
from distillery.runner import Executor

KINDS = ("local", "ray")


def open_executor(kind: str, workers: Workers) -> Executor:
    if kind == "local":
        from distillery.executors.local import Local

        return Local(workers)
    if kind == "ray":
        from distillery.executors.on_ray import OnRay

        return OnRay(workers)
    raise ConfigError(f"--executor {kind}: unknown; known executors: {', '.join(KINDS)}")
