"""Tokenizers that would silently teach nothing are refused; a finished folder stands on its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from distillery.errors import ConfigError
from distillery.train.base import new_model
from distillery.train.models import TAGS, check_tokenizer, open_tokenizer
from distillery.train.options import BaseOptions, SftOptions


def test_tags_are_single_tokens_that_decoding_keeps(tokenizer: Any) -> None:
    for tag in TAGS:
        ids = tokenizer(tag, add_special_tokens=False)["input_ids"]
        assert len(ids) == 1
        assert tokenizer.decode(ids, skip_special_tokens=True) == tag


def test_digits_stand_alone(tokenizer: Any) -> None:
    assert tokenizer.tokenize("123 + 45") == ["1", "2", "3", "Ġ+", "Ġ4", "5"]


def test_tags_that_are_special_tokens_are_refused(base: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<think>"]})
    with pytest.raises(ConfigError, match="<think> are special tokens; they must be ordinary"):
        check_tokenizer(tokenizer, where="here")


def test_pad_that_is_eos_is_refused_with_the_way_out(base: Path) -> None:
    with pytest.raises(ConfigError, match="name a pad_token of its own"):
        open_tokenizer(str(base), SftOptions(pad_token="<|end|>"), "")


def test_end_token_outside_the_vocabulary_is_refused(base: Path) -> None:
    with pytest.raises(ConfigError, match=r"'<.im_end.>' is not in the tokenizer's vocabulary"):
        open_tokenizer(str(base), SftOptions(eos_token="<|im_end|>"), "")


def test_finished_folder_has_weights_tokenizer_template_and_stops_at_eos(base: Path) -> None:
    names = {file.name for file in base.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "chat_template.jinja", "generation_config.json"} <= names
    assert "training_args.bin" not in names
    generation = json.loads((base / "generation_config.json").read_text())
    tokens = json.loads((base / "tokenizer.json").read_text())["added_tokens"]
    ids = {token["content"]: token["id"] for token in tokens}
    assert (generation["eos_token_id"], generation["pad_token_id"]) == (ids["<|end|>"], ids["<|pad|>"])


@pytest.mark.parametrize("architecture", ["qwen3", "llama"])
def test_reopened_tokenizer_cuts_text_as_the_trained_one_did(
    tokenizer: Any, tmp_path: Path, architecture: Literal["qwen3", "llama"]
) -> None:
    from transformers import AutoTokenizer

    new_model(
        tokenizer, BaseOptions(architecture=architecture, hidden_size=16, layers=1, heads=2)
    ).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    text = "<|user|>Calculate 9 - 8 + 6 .<|end|><|assistant|><think>\n9 减 8 加 6\n得 7\n</think>\n<answer>7</answer>"
    assert AutoTokenizer.from_pretrained(tmp_path).tokenize(text) == tokenizer.tokenize(text)
