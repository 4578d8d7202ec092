"""What tests of stages that ask a model share."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from distillery.config import build
from distillery.engines.scripted import Scripted
from distillery.prompts import load_prompt, prompt_folders
from distillery.stages.base import AskingStage


@dataclass
class Context:
    """A run with one engine, whatever its name in the options, and the prompts of this repository."""

    its_engine: Scripted
    seed: int = 17

    def engine(self, name):
        return self.its_engine

    def prompt(self, name):
        return load_prompt(name, *prompt_folders())

    def progress(self, **counts): ...


@pytest.fixture
def judge_of():
    """Applies a stage to a table; gives the output and the engine, which holds its `calls`.

    `reply` is a text, or a function of the request.
    """

    def apply(stage, reply, table, **options):
        engine = Scripted(reply=reply if callable(reply) else lambda _: reply)
        built = build(stage, {"engine": "judge", **options}, where="here")
        assert isinstance(built, AskingStage)
        return built.apply(table, Context(engine)), engine

    return apply


@pytest.fixture
def judge(request, judge_of):
    """The same with the module's STAGE and OPTIONS; without arguments, its REPLY and its TABLE."""
    module = request.module

    def apply(reply=None, table=None, **options):
        given = {**getattr(module, "OPTIONS", {}), **options}
        reply, table = (module.REPLY if reply is None else reply), (module.TABLE if table is None else table)
        return judge_of(module.STAGE, reply, table, **given)

    return apply
