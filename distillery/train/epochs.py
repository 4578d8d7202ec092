"""The order of the rows in each epoch, also for a training that goes on in a later one than the first."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def replaying(sampler: Any) -> Any:
    """TRL's RepeatSampler, whose order in an epoch hangs on every epoch before: begun in a later one, it draws theirs
    first. What an unbroken training sees is what it always saw."""
    import torch
    from torch.utils.data import Sampler

    class Replaying(Sampler[int]):
        def __init__(self) -> None:
            self._epoch = 0

        def set_epoch(self, epoch: int) -> None:
            self._epoch = epoch

        def __iter__(self) -> Iterator[int]:
            sampler.generator.manual_seed(sampler.seed)
            for _ in range(self._epoch):
                torch.randperm(sampler.num_samples, generator=sampler.generator)
            yield from sampler

        def __len__(self) -> int:
            return len(sampler)

    return Replaying()


def epoch_callback() -> Any:
    """Tells the sampler which epoch begins. Trainer and accelerate do it too, but do not reach a sampler behind the
    wrappers of a resumed training on many ranks."""
    from transformers import TrainerCallback

    class TellEpoch(TrainerCallback):
        def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            loader = kwargs["train_dataloader"]
            steps = max(1, ceil(len(loader) / args.gradient_accumulation_steps))
            sampler = innermost_sampler(loader)
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(state.global_step // steps)

    return TellEpoch()


def innermost_sampler(loader: Any) -> Any:
    wrapper = loader.batch_sampler
    while hasattr(wrapper, "batch_sampler"):
        wrapper = wrapper.batch_sampler
    return wrapper.sampler
