"""train.grpo."""

from __future__ import annotations

from dataclasses import dataclass, field

from distillery.stages.base import ModelReference, Trainer, TrainJob, Uses, computed
from distillery.stages.train import launch as training
from distillery.train.options import GrpoOptions


@dataclass(frozen=True, kw_only=True)
class TrainGrpo(GrpoOptions, Trainer):
    """Group relative policy optimisation of `model` on `question`, rewarded by each row's own checker.

    - id: zero
      use: train.grpo
      from: problems
      with: {model: {from: base}, max_steps: 50, rewards: {accuracy: 1.0, format: 0.2}}
    """

    model: ModelReference = field(metadata={"identity": None})  # counted as what it leads to
    """What the training starts from: a folder, a hub id, or `{from: STAGE}`."""

    version = 1
    reads = ("problem_id", "question", "gold", "checker")

    @computed
    def starts_from(self) -> ModelReference:
        return self.model

    def uses(self) -> Uses:
        """The judge and the prompts of the rewards that it gives."""
        if self.judge is None:
            return Uses()
        prompts = {
            "helpfulness": self.judge.helpfulness_prompt,
            "harmlessness": self.judge.harmlessness_prompt,
        }
        given = tuple(prompt for reward, prompt in prompts.items() if reward in self.rewards)
        return Uses((self.judge.engine,), given)

    def code(self) -> tuple[str, ...]:
        return self.own_checkers

    def train(self, job: TrainJob) -> dict[str, float]:
        return training.train("grpo", self, job)
