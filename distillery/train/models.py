"""Models and tokenizers as folders: how one is opened for training, and how a finished one is written.

A finished folder stands on its own: weights, tokenizer, chat template, and a generation config that stops.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from distillery.errors import ConfigError
from distillery.reasoning import CLOSE, OPEN

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from distillery.train.options import TuningOptions

TAGS = (OPEN, CLOSE, "<answer>", "</answer>")


def open_tokenizer(model: str, options: TuningOptions, chat_template: str) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    if options.eos_token:
        tokenizer.eos_token = _known(tokenizer, options.eos_token, "eos_token")
    if options.pad_token:
        tokenizer.pad_token = _known(tokenizer, options.pad_token, "pad_token")
    if chat_template:
        tokenizer.chat_template = chat_template.strip()
    check_tokenizer(tokenizer, where=model)
    tokenizer.padding_side = "left"
    return tokenizer


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, *, where: str) -> None:
    """Refuses what would train, and silently teach nothing."""
    if tokenizer.chat_template is None:
        raise ConfigError(f"{where}: the tokenizer has no chat template; name one with chat_template")
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        # padding is masked out of the loss, and the end of every answer would go with it
        pad, eos = tokenizer.pad_token, tokenizer.eos_token
        raise ConfigError(f"{where}: pad is {pad!r} and eos {eos!r}; name a pad_token of its own")
    if special := [tag for tag in TAGS if tag in tokenizer.all_special_tokens]:
        # completions are decoded without special tokens: no reward would ever see the tags
        raise ConfigError(f"{where}: {', '.join(special)} are special tokens; they must be ordinary ones")


def _known(tokenizer: PreTrainedTokenizerBase, token: str, option: str) -> str:
    if tokenizer.convert_tokens_to_ids(token) in (None, tokenizer.unk_token_id):
        raise ConfigError(f"{option}: {token!r} is not in the tokenizer's vocabulary")
    return token


def open_model(model: str, options: TuningOptions) -> PreTrainedModel:
    """In fp32: the master weights. The arithmetic's precision is the trainer's business."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(model)
    if options.rope_theta is not None:
        config.rope_parameters = {**(config.rope_parameters or {}), "rope_theta": options.rope_theta}
    if options.max_position_embeddings is not None:
        config.max_position_embeddings = options.max_position_embeddings
    return AutoModelForCausalLM.from_pretrained(
        model, config=config, dtype=torch.float32, attn_implementation=options.attention
    )


def lora_config(options: TuningOptions) -> Any:
    if options.lora is None:
        return None
    from peft import LoraConfig

    lora = options.lora
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        task_type="CAUSAL_LM",
    )


def finish(trainer: Any, out: Path) -> None:
    """Writes the folder beside its place, then renames it: `out` exists only when it is whole.

    Every process must call it: sharded weights are gathered on the way.
    """
    tokenizer = trainer.processing_class
    model = trainer.accelerator.unwrap_model(trainer.model)
    for config in (model.config, model.generation_config):
        config.eos_token_id, config.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
    model.config.use_cache = True
    part = out.with_name(f"{out.name}.part")
    if trainer.is_world_process_zero():
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    if hasattr(model, "merge_and_unload"):
        model.merge_and_unload().save_pretrained(part, is_main_process=trainer.is_world_process_zero())
    else:
        trainer.save_model(str(part))
    if trainer.is_world_process_zero():
        tokenizer.save_pretrained(part)
        (part / "training_args.bin").unlink(missing_ok=True)  # a pickle, with paths of this machine
        if out.exists():  # a run was killed after this line and before it could say that the stage is done
            shutil.rmtree(out)
        part.replace(out)
