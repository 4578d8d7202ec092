"""GRPO with TRL's GRPOTrainer, rewarded by the same checkers that verify and evaluate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distillery.errors import ConfigError
from distillery.train.arguments import prepare_process, shared_arguments, world_size
from distillery.train.examples import grpo_rows, read_tables
from distillery.train.metrics import metrics_callback
from distillery.train.models import lora_config, open_model, open_tokenizer
from distillery.train.options import GrpoOptions
from distillery.train.resume import reference_callback, replaying, train_to_the_end
from distillery.train.reward_judge import RewardJudge
from distillery.train.rewards import CheckedReward
from distillery.verify.language import wanted_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distillery.train.spec import TrainSpec

_SAME_NAMES = (  # as GRPOConfig has
    "num_generations num_iterations temperature top_p max_completion_length beta epsilon epsilon_high "
    "scale_rewards mask_truncated_completions log_completions"
)


def train(spec: TrainSpec) -> dict[str, Any]:
    prepare_process(spec)
    from datasets import Dataset
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    class Trainer(GRPOTrainer):
        def _get_train_sampler(self, dataset: Any = None) -> Any:
            return replaying(super()._get_train_sampler(dataset))

    options = spec.read_options(GrpoOptions)
    rows = grpo_rows(read_tables(spec.tables))
    check_rounds(options, prompts=len(rows))
    by_model = _reward_judge(spec, options)
    arguments = shared_arguments(spec, options, steps=options.max_steps)
    trainer = Trainer(
        model=open_model(spec.model or "", options),
        args=GRPOConfig(**arguments, **grpo_arguments(options, processes=world_size())),
        reward_funcs=[
            CheckedReward(
                options.rewards,
                by_model,
                own=options.own_checkers,
                repeats_are_wrong=options.repeats_are_wrong,
            )
        ],
        train_dataset=Dataset.from_list(rows),
        processing_class=open_tokenizer(spec.model or "", options, spec.chat_template),
        peft_config=lora_config(options),
        callbacks=[metrics_callback(spec.metrics, alarms=options.alarms)],
    )
    if options.sync_reference_steps:
        trainer.add_callback(reference_callback(trainer))
    metrics = train_to_the_end(trainer, spec)
    if by_model is not None:
        by_model.close()
    return metrics | {"prompts": len(rows)} | _untold(rows, options)


def _untold(rows: Sequence[Mapping[str, Any]], options: GrpoOptions) -> dict[str, int]:
    """Prompts of which only their thoughts can tell the language that is rewarded."""
    if "language" not in options.rewards:
        return {}
    untold = sum(not wanted_language(row["language"], row["question"], "") for row in rows)
    return {"untold_prompts": untold} if untold else {}


def _reward_judge(spec: TrainSpec, options: GrpoOptions) -> RewardJudge | None:
    if options.judge is None:
        return None
    if spec.judge is None:
        raise ConfigError(f"spec.judge: none; the options name {options.judge.engine!r}")
    return RewardJudge(spec.judge, options.judge, seed=spec.seed, store=spec.requests)


def check_rounds(options: GrpoOptions, *, prompts: int) -> None:
    """One round of sampling must fit into the prompts, and a checkpoint must not fall inside one."""
    needed = options.prompts_per_step * options.steps_per_generation
    if prompts < needed:
        raise ConfigError(f"tables: {prompts} prompts; one round of sampling takes {needed} of them")
    updates = options.steps_per_generation * options.num_iterations
    if options.save_steps % updates:
        # samples that wait for their update are in no checkpoint: resumed there, the run would differ
        raise ConfigError(
            f"save_steps: {options.save_steps}; it must be a multiple of {updates}, the updates of a round"
        )


def grpo_arguments(options: GrpoOptions, *, processes: int) -> dict[str, Any]:
    completions = options.prompts_per_step * options.num_generations
    parts = processes * options.gradient_accumulation_steps
    if completions % parts:
        raise ConfigError(
            f"prompts_per_step: {completions} completions a step cannot be shared by {processes} processes"
            f" with {options.gradient_accumulation_steps} accumulation steps each"
        )
    return {name: getattr(options, name) for name in _SAME_NAMES.split()} | {
        "per_device_train_batch_size": completions // parts,
        "steps_per_generation": options.steps_per_generation * options.gradient_accumulation_steps,
        "loss_type": options.loss,
        "sync_ref_model": options.sync_reference_steps > 0,
        "ref_model_sync_steps": options.sync_reference_steps or 1,
        "ref_model_mixup_alpha": options.sync_reference_alpha,
        "use_vllm": options.vllm != "off",
        "vllm_mode": "server" if options.vllm == "server" else "colocate",
        "vllm_gpu_memory_utilization": options.vllm_gpu_memory_share,
        "vllm_server_base_url": options.vllm_server_url or None,
    }
