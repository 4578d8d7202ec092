"""Supervised fine-tuning with TRL's SFTTrainer, on token ids and labels made and checked here."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from distillery.errors import ConfigError
from distillery.train.arguments import prepare_process, shared_arguments
from distillery.train.examples import Examples, read_tables, sft_examples
from distillery.train.metrics import metrics_callback
from distillery.train.models import lora_config, open_model, open_tokenizer
from distillery.train.options import SftOptions
from distillery.train.resume import train_to_the_end

if TYPE_CHECKING:
    from distillery.train.spec import TrainSpec

log = logging.getLogger(__name__)


def train(spec: TrainSpec) -> dict[str, Any]:
    prepare_process(spec)
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    options = spec.read_options(SftOptions)
    tokenizer = open_tokenizer(spec.model or "", options, spec.chat_template)
    examples = sft_examples(read_tables(spec.tables), tokenizer, max_length=options.max_length)
    check_lengths(examples, options)
    arguments = SFTConfig(
        **shared_arguments(spec, options, steps=options.max_steps),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        max_length=options.max_length,
        packing=check_packing(options) != "off",
        use_liger_kernel=options.use_liger_kernel,
    )
    trainer = SFTTrainer(
        model=open_model(spec.model or "", options),
        args=arguments,
        train_dataset=Dataset.from_list([example._asdict() for example in examples.kept]),
        processing_class=tokenizer,
        peft_config=lora_config(options),
        callbacks=[metrics_callback(spec.metrics)],
    )
    metrics = train_to_the_end(trainer, spec)
    return metrics | {"examples": len(examples.kept), "too_long": examples.too_long}


def check_lengths(examples: Examples, options: SftOptions) -> None:
    """Refuses to leave out more long examples than the options allow: what they teach would be lost."""
    share = examples.too_long_share
    if share > options.max_truncated_share or not examples.kept:
        raise ConfigError(
            f"max_length: {share:.1%} of the examples are longer than {options.max_length} tokens, and they "
            f"are dropped; allowed are {options.max_truncated_share:.1%} (max_truncated_share)"
        )
    if examples.too_long:
        log.warning("%d examples are longer than %d tokens: dropped", examples.too_long, options.max_length)


def check_packing(options: SftOptions) -> str:
    """Without variable-length attention, packed examples would read one another."""
    if options.packing != "off" and not options.attention.startswith("flash_attention"):
        raise ConfigError(
            f"packing: {options.packing!r} needs attention: flash_attention_2, not {options.attention!r}"
        )
    return options.packing
