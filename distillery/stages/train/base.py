"""train.base."""

from __future__ import annotations

from dataclasses import dataclass

from distillery.stages.base import Trainer, TrainJob
from distillery.stages.train.launch import train
from distillery.train.options import BaseOptions


@dataclass(frozen=True, kw_only=True)
class TrainBase(BaseOptions, Trainer):
    """Pretrains a small model, tokenizer included, on the `text` of a corpus, in its order.

    - id: base
      use: train.base
      with: {hidden_size: 64, layers: 3}
    """

    version = 1
    reads = ("text",)

    def train(self, job: TrainJob) -> dict[str, float]:
        return train("base", self, job)
