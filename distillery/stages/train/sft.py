"""train.sft."""

from __future__ import annotations

from dataclasses import dataclass

from distillery.stages.base import TrainJob
from distillery.stages.train.launch import FromModel, train
from distillery.train.options import SftOptions


@dataclass(frozen=True, kw_only=True)
class TrainSft(SftOptions, FromModel):
    """Supervised fine-tuning of `model` on `question` and `text`, or on `messages`; loss on responses only.

    - id: student
      use: train.sft
      from: chat
      with: {model: Qwen/Qwen2.5-1.5B, learning_rate: 1.0e-5, epochs: 2}
    """

    version = 1

    def train(self, job: TrainJob) -> dict[str, float]:
        return train("sft", self, job)
