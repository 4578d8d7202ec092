"""How documents become steps, and what of them is trained on."""

from __future__ import annotations

from typing import Any

import pytest

from distillery.errors import ConfigError
from distillery.miniature import corpus
from distillery.train.base import Collate, batch_documents
from distillery.train.options import BaseOptions

TEXTS = list(corpus.documents(512, seed=0))
OPTIONS = BaseOptions(documents_per_step=32)


def test_every_step_takes_as_many_documents(tokenizer: Any) -> None:
    steps = batch_documents(TEXTS, tokenizer, OPTIONS, seed=0)
    assert [len(step) for step in steps] == [32] * 16


def test_documents_of_a_step_are_near_in_length(tokenizer: Any) -> None:
    steps = batch_documents(TEXTS, tokenizer, OPTIONS, seed=0)
    tokens = sum(len(document) for step in steps for document in step)
    padded = sum(len(step) * max(map(len, step)) for step in steps)
    assert padded < 1.2 * tokens


def test_no_document_is_lost_or_read_twice(tokenizer: Any) -> None:
    steps = batch_documents(TEXTS, tokenizer, OPTIONS, seed=0)
    read = sorted(tokenizer.decode(document) for step in steps for document in step)
    assert read == sorted(TEXTS)


def test_reading_order_depends_on_the_seed_alone(tokenizer: Any) -> None:
    first, again, other = (batch_documents(TEXTS, tokenizer, OPTIONS, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_too_few_documents_for_one_step_are_refused(tokenizer: Any) -> None:
    with pytest.raises(ConfigError, match="5 documents are less than documents_per_step, 32"):
        batch_documents(TEXTS[:5], tokenizer, OPTIONS, seed=0)


def test_user_weighs_less_and_padding_nothing(tokenizer: Any) -> None:
    documents = [
        tokenizer("<|user|>Repeat: 1<|end|><|assistant|>1<|end|>")["input_ids"],
        tokenizer("1 plus 2")["input_ids"],
    ]
    batch = Collate(tokenizer, prompt_weight=0.25)([documents])
    asked = documents[0].index(tokenizer.convert_tokens_to_ids("<|assistant|>")) + 1
    said, bare = len(documents[0]) - asked, len(documents[1])
    assert batch["weights"][0].tolist() == [0.25] * asked + [1.0] * said
    assert batch["weights"][1].tolist() == [1.0] * bare + [0.0] * (asked + said - bare)
