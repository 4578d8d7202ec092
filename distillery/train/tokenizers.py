"""A byte-level BPE tokenizer from a corpus, digit by digit, with the chat's marks as special tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distillery.train.models import TAGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from transformers import PreTrainedTokenizerFast

PAD, END = "<|pad|>", "<|end|>"
USER, ASSISTANT, SYSTEM = "<|user|>", "<|assistant|>", "<|system|>"


def train_tokenizer(texts: Iterable[str], *, vocabulary: int, chat_template: str) -> PreTrainedTokenizerFast:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(" ?[0-9]"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    inner.decoder = decoders.ByteLevel()
    # the tags are whole tokens but not special ones: completions are decoded without special tokens,
    # and a reward that never sees a tag is zero for ever
    marks = [AddedToken(mark, special=True, normalized=False) for mark in (PAD, END, USER, ASSISTANT, SYSTEM)]
    tags = [AddedToken(tag, special=False, normalized=False) for tag in TAGS]
    inner.add_special_tokens(marks)
    inner.add_tokens(tags)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(tags),
        special_tokens=marks,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = chat_template
    tokenizer.padding_side = "left"
    return tokenizer
