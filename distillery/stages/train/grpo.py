"""train.grpo."""

from __future__ import annotations

from dataclasses import dataclass

from distillery.stages.base import TrainJob, Uses
from distillery.stages.train.launch import FromModel, train
from distillery.train.options import GrpoOptions


@dataclass(frozen=True, kw_only=True)
class TrainGrpo(GrpoOptions, FromModel):
    """Group relative policy optimisation of `model` on `question`, rewarded by each row's own checker.

    - id: zero
      use: train.grpo
      from: problems
      with: {model: {from: base}, max_steps: 50, rewards: {accuracy: 1.0, format: 0.2}}
    """

    version = 3
    reads = ("problem_id", "question", "gold", "checker")

    def uses(self) -> Uses:
        """The judge and the prompts of the rewards that it gives."""
        if (judge := self.judge) is None:
            return Uses()
        prompts = {"helpfulness": judge.helpfulness_prompt, "harmlessness": judge.harmlessness_prompt}
        return Uses((judge.engine,), tuple(prompts[reward] for reward in prompts if reward in self.rewards))

    def code(self) -> tuple[str, ...]:
        return self.own_checkers

    def train(self, job: TrainJob) -> dict[str, float]:
        return train("grpo", self, job)
