"""A training from wherever it was to its end: checkpoints that count, and the order of rows in each epoch.

A checkpoint is complete when its marker, written last, is there.
"""

from __future__ import annotations

import re
import shutil
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillery.train.metrics import summary
from distillery.train.models import finish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distillery.train.spec import TrainSpec

MARKER, REFERENCE = "complete", "reference.pt"
_NAME = re.compile(r"checkpoint-(\d+)\Z")


def last_complete(folder: Path) -> Path | None:
    """The newest complete checkpoint; those that a kill left torn are removed."""
    if not folder.is_dir():
        return None
    found: dict[int, Path] = {}
    for entry in folder.iterdir():
        match = _NAME.match(entry.name)
        if match and (entry / MARKER).exists():
            found[int(match[1])] = entry
        elif match:
            shutil.rmtree(entry)
    return found[max(found)] if found else None


def train_to_the_end(trainer: Any, spec: TrainSpec) -> dict[str, Any]:
    """Goes on from the last complete checkpoint, or begins, and writes the model; the last metrics."""
    from transformers import PrinterCallback

    checkpoint = last_complete(spec.checkpoints)
    trainer.add_callback(_marker_callback())  # after all others that write into a checkpoint
    trainer.add_callback(epoch_callback())
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finish(trainer, spec.out)
    return summary(spec.metrics)


def _marker_callback() -> Any:
    from accelerate import PartialState
    from transformers import TrainerCallback

    class Mark(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            PartialState().wait_for_everyone()  # each rank has written its random state
            if state.is_world_process_zero:
                (_folder(args, state) / MARKER).touch()

    return Mark()


def reference_callback(trainer: Any) -> Any:
    """Keeps a reference model that moves with the policy; the trainer's own checkpoints forget it."""
    import torch
    from transformers import TrainerCallback

    reference = trainer.accelerator.unwrap_model(trainer.ref_model)

    class KeepReference(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            file = _folder(args, state) / REFERENCE
            if state.global_step and file.exists():
                reference.load_state_dict(torch.load(file, weights_only=True))

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.is_world_process_zero:
                torch.save(reference.state_dict(), _folder(args, state) / REFERENCE)

    return KeepReference()


def _folder(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"


def replaying(sampler: Any) -> Any:
    """TRL's RepeatSampler, whose order in an epoch hangs on every epoch before: begun in a later one, it
    draws theirs first. What an unbroken training sees is what it always saw."""
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
    """Tells the sampler which epoch begins. Trainer and accelerate do it too, but do not reach a sampler
    behind the wrappers of a resumed training on many ranks."""
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
