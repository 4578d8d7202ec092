"""What supervised fine-tuning refuses before it costs anything, and what its process says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from distillery.errors import ConfigError
from distillery.train.examples import Encoded, Examples
from distillery.train.options import SftOptions
from distillery.train.sft import check_lengths, check_packing

ONE = Encoded([1, 2], [-100, 2])


def test_too_many_long_examples_are_refused_with_the_share() -> None:
    with pytest.raises(ConfigError, match=r"max_length: 2\.0% of the examples are longer than 32768 tokens"):
        check_lengths(Examples([ONE] * 98, too_long=2), SftOptions())


def test_a_few_long_examples_may_go() -> None:
    check_lengths(Examples([ONE] * 199, too_long=1), SftOptions())


def test_examples_that_are_all_too_long_are_refused_whatever_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"100\.0% of the examples"):
        check_lengths(Examples([], too_long=3), SftOptions(max_truncated_share=1.0))


def test_packing_without_variable_length_attention_is_refused() -> None:
    with pytest.raises(ConfigError, match="'bfd' needs attention: flash_attention_2, not 'sdpa'"):
        check_packing(SftOptions(packing="bfd"))
    assert check_packing(SftOptions(packing="bfd", attention="flash_attention_2")) == "bfd"


def test_process_ends_with_the_errors_exit_code_and_its_sentence(tmp_path: Path) -> None:
    spec = {"kind": "sft", "options": {}, "tables": [], "work": "w", "out": "o", "seed": 0}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "distillery.train", str(tmp_path / "spec.json")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "sft takes a model to start from" in ended.stderr
