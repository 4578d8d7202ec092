"""The contract with whoever starts a training: one JSON file, read once, at the edge."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from distillery.config import build
from distillery.errors import ConfigError
from distillery.train.options import Options

OptionsT = TypeVar("OptionsT", bound=Options)
Kind = Literal["base", "sft", "grpo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSpec:
    """The engine that `judge` in the options names, as it is opened, and the prompts it is asked with."""

    kind: str
    options: dict[str, Any]  # no secrets: those stand in the environment
    identity: Any  # JSON; names its request keys
    prompts: dict[str, list[tuple[str, str]]]  # by name: turns of role and text, with slots


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSpec:
    kind: Kind
    options: dict[str, Any]
    tables: list[Path]  # parquet files, in order
    work: Path  # checkpoints and metrics.jsonl; kept when a run is killed
    out: Path  # the finished model; exists when, and only when, training is done
    seed: int
    model: str | None = None  # a folder or a hub id; None for a base
    threads: int | None = None  # of torch, on CPU; None: torch decides
    chat_template: str = ""  # its text; "": the model's own
    judge: JudgeSpec | None = None

    @classmethod
    def load(cls, file: Path) -> TrainSpec:
        spec = build(cls, json.loads(file.read_text()), where=str(file))
        base = spec.kind == "base"
        if (spec.model is None) is not base:
            wanted = "no model: a base is trained from nothing" if base else "a model to start from"
            raise ConfigError(f"{file}.model: {spec.model!r}; {spec.kind} takes {wanted}")
        return spec

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=1, default=str))

    def read_options(self, cls: type[OptionsT]) -> OptionsT:
        return build(cls, self.options, where=f"train.{self.kind}")

    @property
    def checkpoints(self) -> Path:
        return self.work / "checkpoints"

    @property
    def metrics(self) -> Path:
        return self.work / "metrics.jsonl"

    @property
    def requests(self) -> Path:
        """What the judge said, so that a resumed training hears the same."""
        return self.work / "requests"
