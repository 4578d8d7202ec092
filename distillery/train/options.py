"""What a training stage can be told: the YAML options of train.base, train.sft and train.grpo. No torch here.

Batch sizes count sequences on one process unless the name says otherwise; lengths count tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from distillery.config import did_you_mean
from distillery.engines.base import Sampling
from distillery.errors import ConfigError
from distillery.judging.votes import check_votes
from distillery.verify import CHECKERS
from distillery.verify.own import load_own

Schedule = Literal[
    "constant", "constant_with_warmup", "linear", "cosine", "cosine_with_min_lr", "warmup_stable_decay"
]
Precision = Literal["bf16", "fp32"]
Attention = Literal["sdpa", "eager", "flash_attention_2", "flash_attention_3"]
_NOT_IDENTITY = {"identity": False}  # what changes how a run is kept and watched, not the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    rank: int = 16
    """Of the two narrow matrices."""
    alpha: int = 32
    """The update counts alpha / rank."""
    dropout: float = 0.0
    """Share of the adapters' inputs that is dropped."""
    target_modules: str | list[str] = "all-linear"
    """Names of the layers that are adapted; `all-linear`: all but the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimization:
    """What all three trainers share."""

    learning_rate: float
    """Its peak."""
    lr_schedule: Schedule = "constant"
    """How the learning rate goes over the steps."""
    min_lr_ratio: float = 0.1
    """Its end as a share of learning_rate; for cosine_with_min_lr and warmup_stable_decay."""
    decay_fraction: float = 0.4
    """Share of the steps in which it falls; for warmup_stable_decay."""
    warmup_fraction: float = 0.0
    """Share of the steps in which it rises."""
    optimizer: str = "adamw_torch_fused"
    """As transformers names it."""
    adam_beta2: float = 0.95
    """Decay of the second moment."""
    weight_decay: float = 0.0
    """Share of a weight that is taken off, times the learning rate."""
    max_grad_norm: float = 1.0
    """Gradients are cut to this norm."""
    gradient_accumulation_steps: int = 1
    """Batches of one update, on each process."""
    gradient_checkpointing: bool = False
    """Less memory for about a third more time."""
    precision: Precision = "bf16"
    """Of the arithmetic; the master weights are fp32 either way."""
    attention: Attention = "sdpa"
    """The implementation, as transformers names it."""
    save_steps: int = field(default=0, metadata=_NOT_IDENTITY)
    """Steps between two checkpoints; 0: only the finished model is written."""
    keep_checkpoints: int = field(default=2, metadata=_NOT_IDENTITY)
    """Checkpoints that stay on disk."""
    logging_steps: int = field(default=10, metadata=_NOT_IDENTITY)
    """Steps between two lines of metrics."""
    report_to: list[str] = field(default_factory=list[str], metadata=_NOT_IDENTITY)
    """Trackers, as transformers names them: wandb, trackio, ..."""
    accelerate_config: str = field(default="", metadata=_NOT_IDENTITY)
    """A file for `accelerate launch`; "": one plain process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseOptions(Optimization):
    """A tokenizer and a model from nothing, on the tables' `text`, in the order in which it stands."""

    # not qwen2: AutoTokenizer replaces the tokenizer of every qwen2 model by Qwen's own
    architecture: Literal["qwen3", "llama"] = "qwen3"
    """Of the model, as transformers names it."""
    vocabulary: int = 400
    """Tokens of the tokenizer."""
    hidden_size: int = 64
    """Width of the model."""
    layers: int = 3
    """Depth of the model."""
    heads: int = 4
    """Of the attention."""
    key_value_heads: int | None = None
    """Heads of keys and values; null: as many as heads."""
    intermediate_size: int | None = None
    """Width within a layer; null: three times hidden_size."""
    max_position_embeddings: int = 512
    """Tokens that the model can see."""
    rope_theta: float = 10_000.0
    """Base of the rotary positions."""
    initializer_range: float = 0.12
    """Deviation of the first weights; far above the usual 0.02, for models this narrow learn faster."""
    chat_template: str = "plain.jinja"
    """A file in prompts/templates/."""
    documents_per_step: int = 32
    """Documents of one update."""
    prompt_weight: float = 0.1
    """Weight of the loss on what a document's user says."""
    max_length: int = 512
    """Tokens of a document; the rest is cut off."""
    learning_rate: float = 5e-3
    lr_schedule: Schedule = "warmup_stable_decay"
    min_lr_ratio: float = 0.05
    warmup_fraction: float = 0.02
    weight_decay: float = 0.01
    precision: Precision = "fp32"
    logging_steps: int = field(default=100, metadata=_NOT_IDENTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningOptions(Optimization):
    """What the trainers share that start from a model."""

    chat_template: str = ""
    """A file in prompts/templates/; "": the model's own."""
    eos_token: str = ""
    """What ends a turn; "": the tokenizer's own."""
    pad_token: str = ""
    """Never the same as eos; "": the tokenizer's own."""
    rope_theta: float | None = None
    """Base of the rotary positions; null: the model's own."""
    max_position_embeddings: int | None = None
    """Tokens that the model can see; null: the model's own."""
    lora: Lora | None = None
    """Train adapters and merge them; null: train all weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SftOptions(TuningOptions):
    """Supervised fine-tuning on responses only: `question` and `text`, or `messages`."""

    learning_rate: float = 5e-5
    lr_schedule: Schedule = "cosine_with_min_lr"
    warmup_fraction: float = 0.03
    epochs: float = 2.0
    """Passes over the rows."""
    max_steps: int = -1
    """Updates; above 0 it counts instead of epochs."""
    batch_size: int = 1
    """Sequences of one batch on one process."""
    max_length: int = 32_768
    """Tokens of an example; longer ones are dropped."""
    max_truncated_share: float = 0.01
    """Share of examples too long above which the training is refused."""
    packing: Literal["off", "bfd"] = "off"
    """`bfd` lays several examples into one sequence, the best fit first."""
    use_liger_kernel: bool = False
    """Fused kernels, which take less memory; the package liger-kernel must be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """When a GRPO run says loudly that it learns nothing."""

    zero_std_share: float = 0.9
    """Share of the groups of one step whose rewards are all equal."""
    clipped_share: float = 0.5
    """Share of the completions of one step that hit max_completion_length."""
    patience: int = 5
    """Logged steps in a row above these shares."""


PARTS = {"accuracy": "", "format": "layout"}
"""Names in the paper's words and the checkers behind them ("": the row's own); others are checkers' names."""
JUDGED = {"helpfulness": "layout", "harmlessness": "harmless"}
"""Rewards that a model gives, and the checker of the rows that each is for; no row has two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOptions:
    """A generative judge in the place of R1's two preference reward models (DeepSeek-R1, section 2.3.4).

    Of a `helpfulness` row it scores the answer alone, by the points of a rubric; of a `harmlessness` row it
    sees the whole response, and a needless refusal earns as little as harm. What it leaves unclear is not
    judged.
    """

    engine: str
    """Its name under `engines`."""
    helpfulness_prompt: str = "judge.rubric@1"
    """Name and version of the rubric."""
    harmlessness_prompt: str = "judge.safety@1"
    """Name and version of the safety prompt."""
    votes: Annotated[int, Field(ge=1)] = 1
    """Requests about one completion; their mean or majority counts."""
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)
    """How the judge's replies are drawn."""
    answer_chars: Annotated[int, Field(ge=100)] = 8000
    """Characters; of a longer answer the judge sees the end."""
    response_chars: Annotated[int, Field(ge=100)] = 200_000
    """Characters; of a longer response the judge sees the end."""
    structured: bool = False
    """The server holds the judge's reply to a JSON schema, as in judge.answers."""
    deadline_s: Annotated[float, Field(gt=0)] = field(default=600.0, metadata=_NOT_IDENTITY)
    """Seconds for what one round of sampling asks; then the rest is not judged. Other ranks wait 1,800 s."""

    def __post_init__(self) -> None:
        check_votes("train.grpo.judge", self.votes, self.sampling)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpoOptions(TuningOptions):
    """Group relative policy optimisation on `question`, judged by the row's own checker."""

    learning_rate: float = 3e-6
    max_steps: int = 1000
    """Updates."""
    num_generations: int = 16
    """Completions of a prompt: the group."""
    prompts_per_step: int = 32
    """Prompts of an update, over all processes and accumulation steps."""
    steps_per_generation: int = 1
    """Updates made from one round of sampling."""
    num_iterations: int = 1
    """Passes over one round of sampling."""
    temperature: float = 1.0
    """Of the sampling."""
    top_p: float = 1.0
    """Share of the probability that is drawn from."""
    max_completion_length: int = 32_768
    """Tokens of a completion."""
    beta: float = 0.001
    """Weight of the KL to the reference model; 0: no reference is loaded."""
    epsilon: float = 0.2
    """How far an update may change a token's probability: from 1 - epsilon to 1 + epsilon times."""
    epsilon_high: float | None = None
    """The upper end of that; null: epsilon."""
    loss: Literal["grpo", "dapo", "dr_grpo", "bnpo"] = "dapo"
    """How the tokens of a group are averaged, as TRL names it."""
    scale_rewards: Literal["group", "batch", "none"] = "group"
    """Divide rewards by the deviation within the group, within the batch, or not."""
    mask_truncated_completions: bool = True
    """Completions that were cut off do not count for the loss."""
    sync_reference_steps: int = 0
    """Updates after which the reference model follows; 0: it stays; 400 in the paper."""
    sync_reference_alpha: float = 1.0
    """Share of the policy in the new reference."""
    rewards: dict[str, float] = field(default_factory=lambda: {"accuracy": 1.0, "format": 1.0})
    """Weight of each reward; `accuracy` is the row's own checker, `format` the checker `layout`."""
    repeats_are_wrong: bool = True
    """An answer that only says a formula of the question again earns no `accuracy`; of `math` rows."""
    judge: JudgeOptions | None = field(default=None, metadata={"identity": "changed"})
    """The model that gives `helpfulness` and `harmlessness`; null: none of them is asked for."""
    checkers: tuple[str, ...] = field(default=(), metadata={"identity": "changed"})
    """Users' own that rows may name, as my_checks:units."""
    alarms: Alarms = field(default_factory=Alarms)
    """When the run says loudly that it learns nothing."""
    vllm: Literal["off", "colocate", "server"] = "off"
    """Sample with vLLM, in the training's own processes or on a server."""
    vllm_gpu_memory_share: float = 0.3
    """Of each GPU, for vLLM in the training's own processes."""
    vllm_server_url: str = ""
    """Of `trl vllm-serve`; for `vllm: server`."""
    log_completions: bool = field(default=False, metadata=_NOT_IDENTITY)
    """Print some completions of each logged step."""

    @property
    def own_checkers(self) -> tuple[str, ...]:
        """Those that rows may name, and those that give a reward: `module:name`."""
        return tuple(dict.fromkeys([*self.checkers, *(name for name in self.rewards if ":" in name)]))

    def __post_init__(self) -> None:
        for name in self.own_checkers:
            load_own(name)
        known = {*PARTS, *CHECKERS, *JUDGED, *self.own_checkers}
        for name in self.rewards:
            if name not in known:
                hint = did_you_mean(name, known, f"known rewards: {', '.join(sorted(known))}")
                raise ConfigError(f"train.grpo.rewards: {name!r} is unknown; {hint}")
        if not self.rewards:
            raise ConfigError("train.grpo.rewards: none given; accuracy: 1.0 is the least")
        judged = sorted(JUDGED.keys() & self.rewards)
        if judged and self.judge is None:
            raise ConfigError(
                f"train.grpo.rewards: {judged[0]} is a model's to give; add judge: {{engine: NAME}}"
            )
        if self.judge is not None and not judged:
            raise ConfigError(
                f"train.grpo.judge: nothing asks {self.judge.engine!r}; add {' or '.join(JUDGED)} to rewards"
            )


Options = BaseOptions | SftOptions | GrpoOptions
OPTIONS: dict[str, type[Options]] = {"base": BaseOptions, "sft": SftOptions, "grpo": GrpoOptions}
