"""A tiny tokenizer and a tiny model, made once a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from distillery.miniature import corpus, sums
from distillery.prompts import load_template
from distillery.train.spec import Kind, TrainSpec
from distillery.train.tokenizers import train_tokenizer

PROMPTS = Path(__file__).parents[2] / "prompts"
PLAIN = load_template("plain.jinja", PROMPTS).strip()


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return train_tokenizer(corpus.documents(300, seed=0), vocabulary=400, chat_template=PLAIN)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model that has read a little: enough to be trained on, not to be right."""
    from distillery.train.base import train

    folder = tmp_path_factory.mktemp("base")
    table = folder / "corpus.parquet"
    pl.DataFrame({"text": list(corpus.documents(640, seed=0))}).write_parquet(table)
    train(spec_in(folder, "base", SMALL_BASE, table=table))
    return folder / "model"


SMALL_BASE = {"hidden_size": 16, "layers": 1, "heads": 2, "documents_per_step": 64, "logging_steps": 1}


def spec_in(
    folder: Path, kind: Kind, options: dict[str, Any], *, table: Path, model: Path | None = None
) -> TrainSpec:
    return TrainSpec(
        kind=kind,
        options=options,
        model=str(model) if model else None,
        tables=[table],
        work=folder / "work",
        out=folder / "model",
        seed=3,
        threads=1,
        chat_template=PLAIN if kind == "base" else "",
    )


@pytest.fixture(scope="session")
def make_spec() -> Callable[..., TrainSpec]:
    return spec_in


@pytest.fixture
def worked(tmp_path: Path) -> Path:
    """Thirty-two problems with the responses of a careful author."""
    pl.DataFrame(sums.worked(32, seed=0)).write_parquet(tmp_path / "worked.parquet")
    return tmp_path / "worked.parquet"
