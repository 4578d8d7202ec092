"""train.sft."""

from __future__ import annotations

from dataclasses import dataclass, field

from distillery.stages.base import ModelReference, Trainer, TrainJob, computed
from distillery.stages.train import launch as training
from distillery.train.options import SftOptions


@dataclass(frozen=True, kw_only=True)
class TrainSft(SftOptions, Trainer):
    """Supervised fine-tuning of `model` on `question` and `text`, or on `messages`; loss on responses only.

    - id: student
      use: train.sft
      from: chat
      with: {model: Qwen/Qwen2.5-1.5B, learning_rate: 1.0e-5, epochs: 2}
    """

    model: ModelReference = field(metadata={"identity": None})  # counted as what it leads to
    """What the training starts from: a folder, a hub id, or `{from: STAGE}`."""

    version = 1

    @computed
    def starts_from(self) -> ModelReference:
        return self.model

    def train(self, job: TrainJob) -> dict[str, float]:
        return training.train("sft", self, job)
