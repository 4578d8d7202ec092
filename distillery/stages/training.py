"""What the three training stages share: a spec file, and a trainer that reads it in this process or on many ranks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from distillery.config import identity
from distillery.errors import ConfigError, DistilleryError
from distillery.hashing import Json, digest
from distillery.prompts import prompt_root
from distillery.stages.base import TrainJob
from distillery.train.options import OPTIONS, Options
from distillery.train.spec import TrainSpec

ModelReference = str | dict[str, str]


def template_stamp(chat_template: str) -> Json:
    """The chat template's content: a changed template trains another model."""
    if not chat_template:
        return None
    templates = prompt_root() / "templates"
    file = templates / chat_template
    if not file.is_file():
        known = ", ".join(sorted(f.name for f in templates.glob("*.jinja"))) or "none"
        raise ConfigError(f"chat_template: no file {file}; templates there: {known}")
    return digest(file.read_text(encoding="utf-8"))


def train(kind: Literal["base", "sft", "grpo"], options: Options, job: TrainJob) -> dict[str, float]:
    """Trains, or goes on where a killed training stopped; returns the numbers of its summary."""
    job.work.mkdir(parents=True, exist_ok=True)
    names = [f.name for f in fields(OPTIONS[kind])]
    spec = TrainSpec(
        kind=kind,
        options={name: _plain(getattr(options, name)) for name in names},
        tables=list(job.tables),
        work=job.work,
        out=job.out,
        seed=job.seed,
        model=None if job.model is None else str(job.model),
        threads=job.threads,
        templates=(prompt_root() / "templates").resolve(),
    )
    file = job.work / "spec.json"
    spec.save(file)
    if options.accelerate_config:
        _launch(file, options.accelerate_config)
        return {}
    from distillery.train import run

    summary: Mapping[str, Any] = run(file)
    return {name: float(value) for name, value in summary.items() if isinstance(value, (int, float))}


def _plain(value: Any) -> Any:
    return identity(value) if hasattr(value, "__dataclass_fields__") else value


def _launch(spec: Path, accelerate_config: str) -> None:
    if not Path(accelerate_config).is_file():
        raise ConfigError(f"accelerate_config: no file {accelerate_config}; `accelerate config` writes one")
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", accelerate_config]
    code = subprocess.run([*command, "-m", "distillery.train", str(spec)], check=False).returncode
    if code:
        raise DistilleryError(
            f"{spec}: accelerate launch ended with {code}; its output is in the stage's log.txt"
        )
