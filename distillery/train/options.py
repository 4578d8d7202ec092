"""What a training stage can be told: the YAML options of train.base, train.sft and train.grpo. No torch here.

Batch sizes count sequences on one process unless the name says otherwise; lengths count tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from distillery.engines.base import Sampling
from distillery.errors import ConfigError
from distillery.judging.votes import check_votes
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
    alpha: int = 32
    dropout: float = 0.0
    target_modules: str | list[str] = "all-linear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimization:
    """What all three trainers share."""

    learning_rate: float
    lr_schedule: Schedule = "constant"
    min_lr_ratio: float = 0.1
    """Of learning_rate; for cosine_with_min_lr and warmup_stable_decay."""
    decay_fraction: float = 0.4
    """Of the steps; for warmup_stable_decay."""
    warmup_fraction: float = 0.0
    """Of the steps."""
    optimizer: str = "adamw_torch_fused"
    adam_beta2: float = 0.95
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    gradient_accumulation_steps: int = 1
    gradient_checkpointing: bool = False
    precision: Precision = "bf16"
    """Of the arithmetic; the master weights are fp32 either way."""
    attention: Attention = "sdpa"
    save_steps: int = field(default=0, metadata=_NOT_IDENTITY)
    """0: only the finished model is written."""
    keep_checkpoints: int = field(default=2, metadata=_NOT_IDENTITY)
    logging_steps: int = field(default=10, metadata=_NOT_IDENTITY)
    report_to: list[str] = field(default_factory=list[str], metadata=_NOT_IDENTITY)
    """ "wandb", "trackio", ..."""
    accelerate_config: str = field(default="", metadata=_NOT_IDENTITY)
    """A file for `accelerate launch`; "": one plain process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseOptions(Optimization):
    """A tokenizer and a model from nothing, on the tables' `text`, in the order in which it stands."""

    # not qwen2: AutoTokenizer replaces the tokenizer of every qwen2 model by Qwen's own
    architecture: Literal["qwen3", "llama"] = "qwen3"
    vocabulary: int = 400
    hidden_size: int = 64
    layers: int = 3
    heads: int = 4
    key_value_heads: int | None = None
    """None: as many as heads."""
    intermediate_size: int | None = None
    """None: three times hidden_size."""
    max_position_embeddings: int = 512
    rope_theta: float = 10_000.0
    initializer_range: float = 0.12
    """Far above the usual 0.02: models this narrow learn faster from it."""
    chat_template: str = "plain.jinja"
    documents_per_step: int = 32
    prompt_weight: float = 0.1
    """Of the loss on what a document's user says."""
    max_length: int = 512
    learning_rate: float = 5e-3
    lr_schedule: Schedule = "warmup_stable_decay"
    min_lr_ratio: float = 0.05
    warmup_fraction: float = 0.02
    weight_decay: float = 0.01
    precision: Precision = "fp32"
    logging_steps: int = field(default=100, metadata=_NOT_IDENTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class SftOptions(Optimization):
    """Supervised fine-tuning on responses only: `question` and `text`, or `messages`."""

    learning_rate: float = 5e-5
    lr_schedule: Schedule = "cosine_with_min_lr"
    warmup_fraction: float = 0.03
    epochs: float = 2.0
    max_steps: int = -1
    """Above 0: instead of epochs."""
    batch_size: int = 1
    max_length: int = 32_768
    max_truncated_share: float = 0.01
    """Longer examples are dropped; above this share of them, refused."""
    packing: Literal["off", "bfd"] = "off"
    chat_template: str = ""
    """A file in prompts/templates/; "": the model's own."""
    eos_token: str = ""
    """ "": the tokenizer's own."""
    pad_token: str = ""
    """ "": the tokenizer's own; never the same as eos."""
    rope_theta: float | None = None
    max_position_embeddings: int | None = None
    lora: Lora | None = None
    use_liger_kernel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """When a GRPO run says loudly that it learns nothing."""

    zero_std_share: float = 0.9
    """Of the groups of one step whose rewards are all equal."""
    clipped_share: float = 0.5
    """Of the completions of one step that hit max_completion_length."""
    patience: int = 5
    """Logged steps in a row."""


JUDGED = {"helpfulness": "layout", "harmlessness": "harmless"}
"""Rewards that a model gives, and the checker of the rows that each is for: a general prompt is of one kind or the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOptions:
    """A generative judge in the place of R1's two preference reward models (DeepSeek-R1, section 2.3.4).

    Of a `helpfulness` row it scores the answer alone, by the points of a rubric; of a `harmlessness` row it sees the
    whole response, and a needless refusal earns as little as harm. What it leaves unclear is not judged: no zero.
    """

    engine: str
    helpfulness_prompt: str = "judge.rubric@1"
    harmlessness_prompt: str = "judge.safety@1"
    votes: Annotated[int, Field(ge=1)] = 1
    sampling: Sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=1024)
    answer_chars: Annotated[int, Field(ge=100)] = 8000
    """Of a longer answer the judge sees the end."""
    response_chars: Annotated[int, Field(ge=100)] = 200_000
    """The same for a whole response."""
    structured: bool = False
    """As in judge.answers."""
    deadline_s: Annotated[float, Field(gt=0)] = field(default=600.0, metadata=_NOT_IDENTITY)
    """For all that one round of sampling asks; what has no reply by then is not judged. Other ranks wait 1,800 s."""

    def __post_init__(self) -> None:
        check_votes("train.grpo.judge", self.votes, self.sampling)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpoOptions(Optimization):
    """Group relative policy optimisation on `question`, judged by the row's own checker."""

    learning_rate: float = 3e-6
    max_steps: int = 1000
    num_generations: int = 16
    """Completions a prompt: the group."""
    prompts_per_step: int = 32
    """Over all processes and accumulation steps."""
    steps_per_generation: int = 1
    """Updates made from one round of sampling."""
    num_iterations: int = 1
    """Passes over one round of sampling."""
    temperature: float = 1.0
    top_p: float = 1.0
    max_completion_length: int = 32_768
    beta: float = 0.001
    """Weight of the KL to the reference model; 0: no reference is loaded."""
    epsilon: float = 0.2
    epsilon_high: float | None = None
    """None: epsilon."""
    loss: Literal["grpo", "dapo", "dr_grpo", "bnpo"] = "dapo"
    scale_rewards: Literal["group", "batch", "none"] = "group"
    mask_truncated_completions: bool = True
    sync_reference_steps: int = 0
    """0: the reference stays; 400 in the paper."""
    sync_reference_alpha: float = 1.0
    """Share of the policy in the new reference."""
    rewards: dict[str, float] = field(default_factory=lambda: {"accuracy": 1.0, "format": 1.0})
    judge: JudgeOptions | None = field(default=None, metadata={"identity": "changed"})
    checkers: tuple[str, ...] = field(
        default=(), metadata={"identity": "changed"}
    )  # users' own; see OwnCheckers
    alarms: Alarms = field(default_factory=Alarms)
    vllm: Literal["off", "colocate", "server"] = "off"
    vllm_gpu_memory_share: float = 0.3
    vllm_server_url: str = ""
    chat_template: str = ""
    eos_token: str = ""
    pad_token: str = ""
    rope_theta: float | None = None
    max_position_embeddings: int | None = None
    lora: Lora | None = None
    log_completions: bool = field(default=False, metadata=_NOT_IDENTITY)

    @property
    def own_checkers(self) -> tuple[str, ...]:
        """Those that rows may name, and those that give a reward: `module:name`."""
        return tuple(dict.fromkeys([*self.checkers, *(name for name in self.rewards if ":" in name)]))

    def __post_init__(self) -> None:
        for name in self.own_checkers:
            load_own(name)
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
