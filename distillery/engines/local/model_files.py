"""What names a model: its files' content, or its hub id and revision."""

from __future__ import annotations

import hashlib
from pathlib import Path

from distillery.errors import ConfigError
from distillery.hashing import Json, digest
from distillery.installed.shipped import find

_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt")
_WHOLE = 64 << 20  # bytes; larger weights are sampled
_BLOCK, _BLOCKS = 1 << 20, 16


def model_name(model: str, revision: str) -> str:
    """`id@revision` for a hub id; for a folder the digest of what it says, wherever it lies."""
    if Path(model).is_dir():
        return f"local@{folder_digest(Path(model))}"
    if model.startswith(("/", ".")) or model.endswith("/") or model.count("/") > 1:
        raise ConfigError(
            f"model {model!r}: no such folder (working directory: {Path.cwd()}); give a folder with"
            " config.json or a hub id such as Qwen/Qwen2.5-Math-1.5B"
        )
    return f"{model}@{revision}" if revision else model


def folder_digest(folder: Path) -> str:
    files = sorted(file for file in folder.iterdir() if file.is_file() and _counts(file))
    if not (folder / "config.json").is_file():
        raise ConfigError(f"model {folder}: has no config.json; give a Hugging Face model folder")
    return digest({file.name: _file_digest(file) for file in files})


def read_template(file: Path) -> str:
    found = find(file)
    if not found.is_file():
        raise ConfigError(f"chat_template: no file {str(file)!r}; give a jinja template's path")
    return found.read_text()


def _counts(file: Path) -> bool:
    known = (*_WEIGHTS, ".json", ".jinja", ".model", ".txt")
    # trainer_state.json and training_args.bin change with every run and say nothing about the model
    return file.suffix in known and not file.name.startswith("train")


def _file_digest(file: Path) -> Json:
    size = file.stat().st_size
    if file.suffix not in _WEIGHTS or size <= _WHOLE:
        return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
    state = hashlib.blake2b(digest_size=16)
    with file.open("rb") as handle:
        for number in range(_BLOCKS):  # the first, the last, and between: training changes every block
            handle.seek(number * (size - _BLOCK) // (_BLOCKS - 1))
            state.update(handle.read(_BLOCK))
    return [size, state.hexdigest()]
