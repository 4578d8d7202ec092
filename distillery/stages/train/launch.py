"""What the three training stages share: a spec file, and a trainer that reads it in this process or on many
ranks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from distillery.engines.request_store import RequestStore
from distillery.errors import ConfigError, DistilleryError
from distillery.installed.extras import require
from distillery.installed.shipped import find
from distillery.stages.base import ModelReference, Trainer, TrainJob, computed
from distillery.train.options import OPTIONS, Options
from distillery.train.spec import JudgeSpec, TrainSpec

_LOADS_A_MODEL = ("transformers", "vllm", "vllm_server")


@dataclass(frozen=True, kw_only=True)
class FromModel(Trainer):
    model: ModelReference = field(metadata={"identity": None})  # counted as what it leads to
    """What the training starts from: a folder, a hub id, or `{from: STAGE}`."""

    @computed
    def starts_from(self) -> ModelReference:
        return self.model


def train(kind: Literal["base", "sft", "grpo"], options: Options, job: TrainJob) -> dict[str, float]:
    """Trains, or goes on where a killed training stopped; returns the numbers of its summary."""
    require("trl", "train", where=f"train.{kind}")
    job.work.mkdir(parents=True, exist_ok=True)
    given = asdict(options)
    spec = TrainSpec(
        kind=kind,
        options={f.name: given[f.name] for f in fields(OPTIONS[kind])},
        tables=list(job.tables),
        work=job.work,
        out=job.out,
        seed=job.seed,
        model=None if job.model is None else str(job.model),
        threads=job.threads,
        chat_template=job.chat_template,
        judge=_judge(job, options.accelerate_config),
    )
    file = job.work / "spec.json"
    spec.save(file)
    if options.accelerate_config:
        _launch(file, options.accelerate_config)
        return _drawn(spec)
    from distillery.train import run

    summary: Mapping[str, Any] = run(file)
    numbers = {name: float(value) for name, value in summary.items() if isinstance(value, (int, float))}
    return numbers | _drawn(spec)


def _drawn(spec: TrainSpec) -> dict[str, float]:
    """What the judge was asked and said, by all processes, before and after each kill."""
    if spec.judge is None:
        return {}
    with closing(RequestStore(spec.requests).shelf(spec.judge.identity)) as shelf:
        asked, read, written = shelf.tokens()
    return {"asked": float(asked), "prompt_tokens": float(read), "completion_tokens": float(written)}


def _judge(job: TrainJob, accelerate_config: str) -> JudgeSpec | None:
    if not job.engines:
        return None
    ((name, engine),) = job.engines.items()
    if accelerate_config and engine.kind in _LOADS_A_MODEL:
        raise ConfigError(
            f"train.grpo.judge: engine {name!r} is of kind {engine.kind}, and each process would load its"
            " model; serve it and use kind: openai"
        )
    prompts = {name: list(prompt.turns) for name, prompt in job.prompts.items()}
    return JudgeSpec(
        kind=engine.kind, options=dict(engine.options), identity=engine.identity, prompts=prompts
    )


def _launch(spec: Path, accelerate_config: str) -> None:
    config = find(accelerate_config)
    if not config.is_file():
        raise ConfigError(f"accelerate_config: no file {accelerate_config}; `accelerate config` writes one")
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config)]
    code = subprocess.run([*command, "-m", "distillery.train", str(spec)], check=False).returncode
    if code:
        raise DistilleryError(
            f"{spec}: accelerate launch ended with {code}; its output is in the stage's log.txt"
        )
