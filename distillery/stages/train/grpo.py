"""train.grpo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from distillery.hashing import Json
from distillery.stages.base import TrainJob
from distillery.stages.train import launch as training
from distillery.train.options import GrpoOptions


@dataclass(frozen=True, kw_only=True)
class TrainGrpo(GrpoOptions):
    """Group relative policy optimisation of `model` on `question`, rewarded by each row's own checker."""

    model: training.ModelReference = field(metadata={"identity": False})  # known by what it leads to

    version: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("problem_id", "question", "gold", "checker")

    @property
    def starts_from(self) -> training.ModelReference:
        return self.model

    def uses(self) -> dict[str, tuple[str, ...]]:
        """The judge and the prompts of the rewards that it gives."""
        if self.judge is None:
            return {}
        prompts = {
            "helpfulness": self.judge.helpfulness_prompt,
            "harmlessness": self.judge.harmlessness_prompt,
        }
        return {
            "engine": (self.judge.engine,),
            "prompt": tuple(prompt for reward, prompt in prompts.items() if reward in self.rewards),
        }

    def stamp(self) -> Json:
        return training.template_stamp(self.chat_template)

    def train(self, job: TrainJob) -> dict[str, float]:
        return training.train("grpo", self, job)
