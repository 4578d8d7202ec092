"""A base model from nothing: its tokenizer, then next-token training on documents in their order.

Documents are not packed. Each step takes the next ones, near in length, so that little is padding.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from distillery.errors import ConfigError
from distillery.hashing import derive_seed
from distillery.train.arguments import prepare_process, shared_arguments
from distillery.train.examples import read_tables
from distillery.train.metrics import metrics_callback
from distillery.train.options import BaseOptions
from distillery.train.resume import train_to_the_end
from distillery.train.tokenizers import ASSISTANT, train_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from distillery.train.spec import TrainSpec

_SAMPLE = 5_000  # documents the tokenizer is trained on
_WINDOW = 16  # steps whose documents are sorted by length together


def train(spec: TrainSpec) -> dict[str, Any]:
    prepare_process(spec)
    from transformers import TrainingArguments

    options = spec.read_options(BaseOptions)
    texts = read_tables(spec.tables)["text"].drop_nulls().to_list()
    every = max(1, len(texts) // _SAMPLE)
    tokenizer = train_tokenizer(
        texts[::every], vocabulary=options.vocabulary, chat_template=spec.chat_template.strip()
    )
    batches = batch_documents(texts, tokenizer, options, seed=spec.seed)
    trainer = _trainer_class()(
        model=new_model(tokenizer, options),
        args=TrainingArguments(
            **shared_arguments(spec, options, steps=len(batches)),
            per_device_train_batch_size=1,
            remove_unused_columns=False,
        ),
        train_dataset=batches,
        data_collator=Collate(tokenizer, prompt_weight=options.prompt_weight),
        processing_class=tokenizer,
        callbacks=[metrics_callback(spec.metrics)],
    )
    metrics = train_to_the_end(trainer, spec)
    tokens = sum(len(document) for batch in batches for document in batch)
    parameters = trainer.model.num_parameters()
    return metrics | {"documents": len(texts), "tokens": tokens, "parameters": parameters}


def batch_documents(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, options: BaseOptions, *, seed: int
) -> list[list[list[int]]]:
    """Token ids, document by document, step by step; the last, incomplete step is left out."""
    rng = Random(derive_seed("batch documents", seed))
    batches: list[list[list[int]]] = []
    size = options.documents_per_step
    window = size * _WINDOW
    for start in range(0, len(texts), window):
        ids: Any = tokenizer(list(texts[start : start + window]), add_special_tokens=False)["input_ids"]
        ids = sorted((document[: options.max_length] for document in ids), key=len)
        steps = [ids[at : at + size] for at in range(0, len(ids) - size + 1, size)]
        rng.shuffle(steps)
        batches += steps
    if not batches:
        raise ConfigError(f"tables: {len(texts)} documents are less than documents_per_step, {size}")
    return batches


class Collate:
    """One step's documents into tensors; what the user says weighs less, padding nothing."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, prompt_weight: float) -> None:
        self.pad: Any = tokenizer.pad_token_id
        self.assistant: Any = tokenizer.convert_tokens_to_ids(ASSISTANT)
        self.prompt_weight = prompt_weight

    def __call__(self, steps: Sequence[Sequence[Sequence[int]]]) -> dict[str, Any]:
        import torch

        documents = [document for step in steps for document in step]
        width = max(map(len, documents))
        ids = torch.full((len(documents), width), self.pad)
        weights = torch.zeros(len(documents), width)
        for row, document in enumerate(documents):
            ids[row, : len(document)] = torch.tensor(document)
            weights[row, : len(document)] = 1.0
            if self.assistant in document:
                weights[row, : document.index(self.assistant) + 1] = self.prompt_weight
        return {"input_ids": ids, "weights": weights}


def new_model(tokenizer: PreTrainedTokenizerBase, options: BaseOptions) -> PreTrainedModel:
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    known = {"qwen3": (Qwen3Config, Qwen3ForCausalLM), "llama": (LlamaConfig, LlamaForCausalLM)}
    config_class, model_class = known[options.architecture]
    eos: Any = tokenizer.eos_token_id
    pad: Any = tokenizer.pad_token_id
    config = config_class(
        eos_token_id=eos,
        pad_token_id=pad,
        bos_token_id=None,
        vocab_size=len(tokenizer),
        hidden_size=options.hidden_size,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        head_dim=options.hidden_size // options.heads,
        num_key_value_heads=options.key_value_heads or options.heads,
        intermediate_size=options.intermediate_size or 3 * options.hidden_size,
        max_position_embeddings=options.max_position_embeddings,
        rope_parameters={"rope_type": "default", "rope_theta": options.rope_theta},
        initializer_range=options.initializer_range,
        tie_word_embeddings=True,
    )
    return model_class(config)


def _trainer_class() -> Any:
    """Defined here, not above: its parent is a heavy import."""
    import torch
    from torch.utils.data import SequentialSampler
    from transformers import Trainer

    class BaseTrainer(Trainer):
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return SequentialSampler(self.train_dataset)  # pyright: ignore[reportArgumentType]: it is a list

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            logits = model(input_ids=inputs["input_ids"]).logits[:, :-1].float()
            targets, weights = inputs["input_ids"][:, 1:], inputs["weights"][:, 1:]
            losses = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), targets.flatten(), reduction="none"
            )
            return (losses * weights.flatten()).sum() / weights.sum()

    return BaseTrainer
