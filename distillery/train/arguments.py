"""Options into the arguments that transformers and TRL take: what all trainers share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from distillery.errors import ConfigError

if TYPE_CHECKING:
    from distillery.train.options import Optimization
    from distillery.train.spec import TrainSpec

_SAME_NAMES = (  # as TrainingArguments has
    "learning_rate adam_beta2 weight_decay max_grad_norm gradient_accumulation_steps gradient_checkpointing "
    "logging_steps"
)


def world_size() -> int:
    """Processes that train together, as their launcher says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def prepare_process(spec: TrainSpec) -> None:
    """Threads and seeds, before any model exists."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    from datasets import disable_progress_bars
    from transformers import set_seed
    from transformers.utils import logging as transformers_logging

    disable_progress_bars()
    transformers_logging.disable_progress_bar()
    if spec.threads:
        torch.set_num_threads(spec.threads)
    set_seed(spec.seed)


def shared_arguments(spec: TrainSpec, options: Optimization, *, steps: int) -> dict[str, Any]:
    """For TrainingArguments and its children; `steps` is the whole run's, -1: as epochs say."""
    import torch

    return {name: getattr(options, name) for name in _SAME_NAMES.split()} | {
        "output_dir": str(spec.checkpoints),
        "max_steps": steps,
        "seed": spec.seed,
        "lr_scheduler_type": options.lr_schedule,
        "lr_scheduler_kwargs": schedule_arguments(options, steps=steps),
        "warmup_steps": options.warmup_fraction,  # below 1 it is a share of the steps
        "optim": options.optimizer,
        "bf16": options.precision == "bf16",
        "use_cpu": not torch.cuda.is_available(),
        "save_strategy": "steps" if options.save_steps else "no",
        "save_steps": options.save_steps or 1,
        "save_total_limit": options.keep_checkpoints,
        "logging_first_step": True,
        "report_to": options.report_to or "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": torch.cuda.is_available(),
    }


def schedule_arguments(options: Optimization, *, steps: int) -> dict[str, Any]:
    match options.lr_schedule:
        case "cosine_with_min_lr":
            return {"min_lr_rate": options.min_lr_ratio}
        case "warmup_stable_decay":
            if steps < 1:
                raise ConfigError("lr_schedule: warmup_stable_decay counts its decay in steps; set max_steps")
            decay = round(options.decay_fraction * steps)
            return {"num_decay_steps": decay, "min_lr_ratio": options.min_lr_ratio, "decay_type": "linear"}
        case _:
            return {}
