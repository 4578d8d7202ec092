"""What things cost: GPU-hours, API tokens, sizes and speeds, as a price file says. What it lacks is
unknown."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from distillery.config import build
from distillery.errors import ConfigError
from distillery.installed.shipped import ROOT
from distillery.pipeline.raw import read_yaml

_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([BM])(?:-A(\d+(?:\.\d+)?)B)?(?![\w.])", re.IGNORECASE)
_UNIT = {"B": 1e9, "M": 1e6}


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A kind of GPU."""

    usd_per_hour: float
    """USD an hour."""
    tflops: float
    """Dense bf16 peak."""


@dataclass(frozen=True, kw_only=True)
class ApiPrice:
    """What an endpoint asks for."""

    input_usd: float
    """USD a million tokens of prompts."""
    output_usd: float
    """USD a million tokens of completions."""


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """How large a model is."""

    parameters: float
    """In all."""
    active: float | None = None
    """Parameters in use for one token; null: all of them."""
    tokens_per_gpu_second: float | None = None
    """Output tokens a second on one GPU, where it was measured; null: by its size."""

    @property
    def active_parameters(self) -> float:
        return self.active or self.parameters


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast dense models of a size are."""

    parameters: float
    """Of a dense model."""
    tokens_per_gpu_second: float
    """Output tokens a second on one GPU."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """A price file: `prices.yaml` beside a pipeline, or in a folder above it. What it lacks is printed as
    "?"."""

    as_of: str = ""
    """When the prices were looked up."""
    gpu: str = ""
    """The kind that is used where a stage's `expect` names no other."""
    gpus: dict[str, Gpu] = field(default_factory=dict[str, Gpu])
    """Each kind's price and speed."""
    mfu: float | None = None
    """Share of the peak FLOPs that training reaches; null: GPU-hours of training are unknown."""
    bytes_per_token: float | None = None
    """Of a table of traces on disk; null: unknown."""
    bytes_per_parameter: float | None = None
    """Of a finished model on disk; null: unknown."""
    checkpoint_bytes_per_parameter: float | None = None
    """Of a checkpoint on disk; null: unknown."""
    api: dict[str, ApiPrice] = field(default_factory=dict[str, ApiPrice])
    """Prices of models behind an endpoint, by the model's name."""
    models: dict[str, ModelSize] = field(default_factory=dict[str, ModelSize])
    """Sizes of models by name; other names are read for a size such as 7B or 30B-A3B."""
    throughput_gpu: str = ""
    """The kind on which `throughput` was measured."""
    throughput: tuple[Speed, ...] = ()
    """Speeds of dense models by size; sizes between are interpolated."""

    def size(self, model: str) -> ModelSize | None:
        """By the price file, by the weights in a folder, or by a size in the name; None: unknown."""
        if model in self.models:
            return self.models[model]
        if Path(model).is_dir():
            count = count_parameters(Path(model))
            return ModelSize(parameters=count) if count else None
        found = _SIZE.search(model.rpartition("/")[2])
        if found is None:
            return None
        active = float(found[3]) * 1e9 if found[3] else None
        return ModelSize(parameters=float(found[1]) * _UNIT[found[2].upper()], active=active)

    def speed(self, size: ModelSize, gpu: str) -> float | None:
        """Output tokens a second on one GPU; dense models between two known sizes are interpolated."""
        if size.tokens_per_gpu_second is not None:
            return size.tokens_per_gpu_second
        known = sorted((s.parameters, s.tokens_per_gpu_second) for s in self.throughput)
        if size.active is not None or gpu not in self.gpus or self.throughput_gpu not in self.gpus:
            return None
        scale = self.gpus[gpu].tflops / self.gpus[self.throughput_gpu].tflops
        for (low, fast), (high, slow) in pairwise(known):
            if low <= size.parameters <= high:
                share = math.log(size.parameters / low) / math.log(high / low)
                return scale * fast * (slow / fast) ** share
        return None


def load_prices(file: Path | None) -> Prices:
    if file is None:
        return Prices()
    raw = read_yaml(file)
    if not isinstance(raw, dict):
        raise ConfigError(f"{file}: holds {type(raw).__name__}; a price file is a mapping")
    prices = build(Prices, {**raw, "as_of": str(raw.get("as_of", ""))}, where=str(file))
    for name in filter(None, (prices.gpu, prices.throughput_gpu)):
        if name not in prices.gpus:
            known = ", ".join(prices.gpus) or "none"
            raise ConfigError(f"{file}: no GPU {name!r} under gpus; there are {known}")
    return prices


def find_prices(pipeline: Path) -> Path | None:
    """The nearest to `pipeline`, in its folder or one above, else pipelines/prices.yaml here, else ours."""
    folders = (*pipeline.resolve().parents, Path("pipelines"), ROOT / "pipelines")
    return next((file for folder in folders if (file := folder / "prices.yaml").is_file()), None)


def count_parameters(folder: Path) -> int:
    """From the headers of the safetensors files; 0 where there are none."""
    total = 0
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as handle:
            header = json.loads(handle.read(int.from_bytes(handle.read(8), "little")))
        shapes = [entry["shape"] for name, entry in header.items() if name != "__metadata__"]
        total += sum(math.prod(shape) for shape in shapes)
    return total
