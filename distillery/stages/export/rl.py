"""export.rl: problems as prompts for reinforcement learning, in the columns that TRL and verl read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from distillery.curate.publish.hub_rows import RL, asked, rl_columns, verifiable
from distillery.dialogue import earlier
from distillery.stages.base import Context, Output, ShardStage
from distillery.stages.own_checkers import OwnCheckers
from distillery.verify import CHECKERS

_ADDED = ("prompt", "solution", "answer", "data_source", "ability", "reward_model", "extra_info")


class Unfit(StrEnum):
    """Why a problem gives no reward."""

    NO_QUESTION = "no_question"
    """The question is empty."""
    NOT_VERIFIABLE = "not_verifiable"
    """Neither gold nor payload."""
    UNKNOWN_CHECKER = "unknown_checker"
    """No checker of this name."""


@dataclass(frozen=True)
class ExportRl(OwnCheckers, ShardStage):
    """One row a problem; `prompt` is the conversation up to the question and replaces a column of that name.

    - id: rl
      use: export.rl
    """

    split: str = "train"
    """What verl's extra_info says."""

    version = 2
    reasons = tuple(Unfit)
    key = "problem_id"
    reads = ("problem_id", "question", "gold", "checker", "domain", "source", "payload")
    writes = {name: RL[name] for name in _ADDED}

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        unknown = ~pl.col("checker").is_in([*CHECKERS, *self.checkers])
        reason = (
            pl.when(pl.col("question").fill_null("").str.strip_chars() == "")
            .then(pl.lit(Unfit.NO_QUESTION.value))
            .when(unknown)
            .then(pl.lit(Unfit.UNKNOWN_CHECKER.value))
            .when(~verifiable())
            .then(pl.lit(Unfit.NOT_VERIFIABLE.value))
        )
        detail = pl.when(unknown).then(pl.col("checker"))
        unfit = table.select(reason.alias("reason"), detail.alias("detail"))
        prompt = pl.concat_list("_earlier", asked())
        rows = table.with_columns(earlier(table)).with_columns(rl_columns(prompt, split=self.split))
        rows = rows.drop("_earlier")
        typed = rows.with_columns(pl.col(name).cast(RL[name]) for name in _ADDED)
        return Output.marked(typed, unfit["reason"], unfit["detail"], key=self.key)
