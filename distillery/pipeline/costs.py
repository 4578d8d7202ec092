"""What an engine's and a training's tokens cost: GPU-hours by FLOPs and measured speeds, money by prices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from distillery.errors import ConfigError
from distillery.installed.shipped import find
from distillery.pipeline.expect import Expect
from distillery.pipeline.plan import EngineSpec, Plan, Step
from distillery.pipeline.prices import Gpu, ModelSize, Prices
from distillery.store.stage_dir import StageDir
from distillery.train.options import GrpoOptions, JudgeOptions, Optimization, SftOptions, TuningOptions

_FREE = ("scripted", "ready")  # engines that stand in for one
_FORWARD = 2.0  # FLOPs a parameter and token; backward twice that


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Totals; None = unknown, and at_most = no figure of it can be larger."""

    prompt_tokens: float | None = 0.0  # read by an engine
    tokens: float | None = 0.0  # written by an engine, or in GRPO's rollouts
    trained_tokens: float | None = 0.0
    gpu_hours: float | None = 0.0
    usd: float | None = 0.0
    at_most: bool = False
    notes: tuple[str, ...] = ()  # where each figure comes from


@dataclass(frozen=True, kw_only=True)
class Desk:
    """All that a cost depends on besides the tokens of one step."""

    plan: Plan
    store: Path | None
    prices: Prices

    def size(self, model: str | None, step: str | None) -> ModelSize | None:
        """Of a model named so, or of the one that `step` makes: by its weights, else by what it started
        from."""
        if step is None:
            return self.prices.size(model) if model else None
        made = self.plan.step(step)
        folder = StageDir(self.store / made.folder).model if self.store else None
        start = made.trainer.starts_from
        found = self.size(start if isinstance(start, str) else None, made.starts_from) if start else None
        if found is None and folder is not None and folder.is_dir():
            return self.prices.size(str(folder))
        return found

    def gpu(self, expect: Expect, step: Step) -> tuple[str, Gpu | None]:
        kind = expect.gpu or self.prices.gpu
        if expect.gpu and expect.gpu not in self.prices.gpus:
            known = ", ".join(self.prices.gpus) or "none"
            place = f"{step.id}.expect.gpu: {expect.gpu!r}"
            raise ConfigError(f"{place} is not in the price file; there are {known}")
        return kind, self.prices.gpus.get(kind)

    def usd(self, gpu_hours: float | None, gpu: Gpu | None) -> float | None:
        return times(gpu_hours, gpu and gpu.usd_per_hour)

    def flop_hours(self, flops: float, gpu: Gpu | None) -> float | None:
        if gpu is None or self.prices.mfu is None:
            return None
        return flops / (gpu.tflops * 1e12 * self.prices.mfu) / 3600


def inference(desk: Desk, step: Step, *, expect: Expect, read: float | None, written: float | None) -> Cost:
    """Of the step's engine; `read` and `written` are tokens in all."""
    spec = desk.plan.engines[step.engines[0]]
    model = _name(spec)
    if spec.kind in _FREE:
        return Cost(notes=("a stand-in engine: costs nothing",))
    if spec.kind == "openai" and model in desk.prices.api:
        price = desk.prices.api[model]
        millionths = plus([times(read, price.input_usd), times(written, price.output_usd)])
        usd = None if millionths is None else millionths / 1e6
        note = f"API {model}: {price.input_usd:g} USD in, {price.output_usd:g} out a million tokens"
        return Cost(usd=usd, notes=(note,) if usd is not None else (note, "prompt tokens unknown"))
    size = desk.size(model, spec.model_from)
    hours, notes = _decoding(desk, step, expect, size, read, written)
    return Cost(gpu_hours=hours, usd=desk.usd(hours, desk.gpu(expect, step)[1]), notes=notes)


def sft(
    desk: Desk, step: Step, *, expect: Expect, rows: float | None, tokens: float | None, at_most: bool
) -> Cost:
    """`tokens`: mean of a row, prompt and completion; `at_most`: the rows are a bound."""
    stage = step.stage if isinstance(step.stage, SftOptions) else SftOptions(epochs=1.0)
    mean = tokens if expect.tokens is None else expect.tokens + (expect.prompt_tokens or 0)
    sequences, why = times(rows, stage.epochs), f"{stage.epochs:g} epochs"
    if by_steps := stage.max_steps > 0:
        processes = count_processes(stage.accelerate_config)
        batch = stage.batch_size * stage.gradient_accumulation_steps * processes
        sequences, why = stage.max_steps * float(batch), f"{stage.max_steps:,} steps of {batch:,} sequences"
    trained = times(sequences, mean)
    hours, notes = _updates(desk, step, expect, trained, passes=0)
    return Cost(
        gpu_hours=hours,
        usd=desk.usd(hours, desk.gpu(expect, step)[1]),
        trained_tokens=trained,
        at_most=at_most and not by_steps,
        notes=(why, *notes),
    )


def grpo(desk: Desk, step: Step, stage: GrpoOptions, *, expect: Expect, prompt: float | None) -> Cost:
    """`prompt`: mean tokens of a question."""
    updates = stage.max_steps * stage.prompts_per_step * stage.num_generations
    length = float(stage.max_completion_length) if expect.tokens is None else expect.tokens
    generated = updates / stage.num_iterations * length
    trained = updates * (length + (expect.prompt_tokens or prompt or 0))
    # besides the update: the reference model's pass, and the old policy's where samples are used more than
    # once
    passes = int(stage.beta > 0) + int(stage.steps_per_generation * stage.num_iterations > 1)
    gpu = desk.gpu(expect, step)[1]
    decoding, speed_notes = _decoding(desk, step, expect, _trained_size(desk, step), None, generated)
    training, flop_notes = _updates(desk, step, expect, trained, passes=passes)
    hours = plus([decoding, training])
    bound = expect.tokens is None
    what = "its max_completion_length" if bound else "expected"
    notes = (f"{updates:,} completions of {length:,.0f} tokens ({what})", *speed_notes, *flop_notes)
    judge = _reward_judge(desk, step, stage.judge, expect, updates / stage.num_iterations)
    return Cost(
        gpu_hours=plus([hours, judge.gpu_hours]),
        usd=plus([desk.usd(hours, gpu), judge.usd]),
        prompt_tokens=judge.prompt_tokens,
        tokens=plus([generated, judge.tokens]),
        trained_tokens=trained,
        at_most=bound or judge.at_most,
        notes=(*notes, *judge.notes),
    )


def _reward_judge(
    desk: Desk, step: Step, judge: JudgeOptions | None, expect: Expect, completions: float
) -> Cost:
    if judge is None:
        return Cost()
    share, tokens = expect.asked, expect.judge_tokens
    requests = completions * (1.0 if share is None else share) * judge.votes
    written = requests * (judge.sampling.max_tokens if tokens is None else tokens)
    read = times(requests, expect.judge_prompt_tokens)
    cost = inference(desk, step, expect=Expect(gpu=expect.gpu), read=read, written=written)
    bound = share is None or tokens is None
    what = "at most; say expect: {asked: SHARE, judge_tokens: N}" if bound else "expected"
    notes = (f"the judge is asked {requests:,.0f} times ({what})", *(f"judge: {note}" for note in cost.notes))
    return replace(cost, prompt_tokens=read, tokens=written, at_most=bound, notes=notes)


def model_bytes(desk: Desk, step: Step) -> float | None:
    """On disk: the finished model and the checkpoints that are kept."""
    size, prices = _trained_size(desk, step), desk.prices
    if size is None or prices.bytes_per_parameter is None:
        return None
    each = prices.bytes_per_parameter
    if isinstance(step.stage, Optimization) and step.stage.save_steps:
        each += step.stage.keep_checkpoints * (prices.checkpoint_bytes_per_parameter or 0.0)
    return size.parameters * each


def count_processes(accelerate_config: str) -> int:
    """That train together, as the launcher's file says; one where there is none."""
    file = find(accelerate_config)
    if not accelerate_config or not file.is_file():
        return 1
    return int(yaml.safe_load(file.read_text(encoding="utf-8")).get("num_processes", 1))


def _decoding(
    desk: Desk, step: Step, expect: Expect, size: ModelSize | None, read: float | None, written: float | None
) -> tuple[float | None, tuple[str, ...]]:
    kind, gpu = desk.gpu(expect, step)
    speed = expect.tokens_per_gpu_second or (desk.prices.speed(size, kind) if size else None)
    if speed is None:
        why = "its model's size" if size is None else f"the speed of {_billions(size)} on {kind or 'a GPU'}"
        return None, (f"GPU-hours unknown: {why}; say expect: {{tokens_per_gpu_second: N}}",)
    if written is None:
        return None, ()
    hours = written / speed / 3600
    prefill = desk.flop_hours(_FORWARD * size.active_parameters * read, gpu) if size and read else None
    origin = "expected" if expect.tokens_per_gpu_second else "price file"
    return hours + (prefill or 0.0), (f"{speed:,.0f} output tokens/s a {kind or 'GPU'} ({origin})",)


def _updates(
    desk: Desk, step: Step, expect: Expect, trained: float | None, *, passes: int
) -> tuple[float | None, tuple[str, ...]]:
    """GPU-hours of forward, backward and `passes` further forward passes; attention is left out."""
    size = _trained_size(desk, step)
    kind, gpu = desk.gpu(expect, step)
    if size is None:
        return None, ("GPU-hours unknown: its model's size",)
    # with LoRA the weights' own gradients, a third of it all, are not computed
    lora = isinstance(step.stage, TuningOptions) and step.stage.lora
    factor = (2 if lora else 3) * _FORWARD + passes * _FORWARD
    if trained is None:
        return None, ("tokens unknown: what comes in has no known rows or length",)
    hours = desk.flop_hours(factor * size.active_parameters * trained, gpu)
    note = f"training {factor:g}ND, N {_billions(size)}, MFU {desk.prices.mfu or '?'} of a {kind or 'GPU'}"
    return hours, (note,)


def _trained_size(desk: Desk, step: Step) -> ModelSize | None:
    start = step.trainer.starts_from
    return desk.size(start if isinstance(start, str) else None, step.starts_from) if start else None


def _name(spec: EngineSpec) -> str | None:
    model = spec.options.get("model")
    return model if isinstance(model, str) and spec.model_from is None else None


def _billions(size: ModelSize) -> str:
    text = f"{size.parameters / 1e9:,.3g}B"
    return text if size.active is None else f"{text} ({size.active / 1e9:,.3g}B active)"


def times(*values: float | None) -> float | None:
    """The product, unknown where a factor is."""
    known = [value for value in values if value is not None]
    return math.prod(known, start=1.0) if len(known) == len(values) else None


def plus(values: Iterable[float | None]) -> float | None:
    """The sum, unknown where a part is."""
    parts = list(values)
    known = [value for value in parts if value is not None]
    return sum(known, 0.0) if len(known) == len(parts) else None
