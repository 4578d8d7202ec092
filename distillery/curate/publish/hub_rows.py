"""Rows as other people's tools expect them: the four configs of a published set, each with a fixed schema.

`default` has the columns of OpenR1-Math-220k, `sft` those of Mixture-of-Thoughts, `rl` suits TRL and verl,
and `raw` has one row a sample, kept or not, with its verdict and the reason why it left. All but `sft` have
beside these what makes their problems whole, so that ingest stages read them back.
"""

from __future__ import annotations

import json

import polars as pl

from distillery.reasoning import CLOSE
from distillery.records import Columns, Outcome


def texts(*names: str) -> Columns:
    return dict.fromkeys(names, pl.String())


_WHOLE = texts("checker", "language", "thinking", "payload")
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
DEFAULT: Columns = {
    **texts("problem", "solution"),  # a worked solution by the source; null where it gave none
    **texts("answer", "problem_type", "question_type", "source", "uuid"),
    "is_reasoning_complete": pl.List(pl.Boolean),
    "generations": pl.List(pl.String),
    "correctness_math_verify": pl.List(pl.Boolean),  # by the rule; null where it could not judge
    "correctness_llama": pl.List(pl.Boolean),  # by the judge model; null where none was asked
    "finish_reasons": pl.List(pl.String),
    "correctness_count": pl.Int64(),
    "messages": MESSAGES,
    **_WHOLE,
}
RAW: Columns = {
    **texts("uuid", "problem_id"),
    "sample_index": pl.Int32(),
    **texts(
        "problem", "answer", "domain", "source", "generation", "reasoning", "answer_text", "finish_reason"
    ),
    "is_reasoning_complete": pl.Boolean(),
    "prompt_tokens": pl.Int32(),
    "completion_tokens": pl.Int32(),
    **texts("model", "prompt", "sampling", "verdict"),
    "score": pl.Float64(),
    **texts("extracted", "judge_verdict", "judge_text"),
    "accepted": pl.Boolean(),
    **texts("accepted_by"),
    "kept": pl.Boolean(),
    **texts("rejected_at", "reject_reason", "reject_detail"),  # the stage that dropped it, and why
    **_WHOLE,
}
SFT: Columns = {
    "messages": MESSAGES,
    "num_tokens": pl.Int32(),
    **texts("source", "domain", "thinking", "uuid"),
}
RL: Columns = {
    "prompt": MESSAGES,
    **texts("solution", "answer", "data_source", "ability"),
    "reward_model": pl.Struct({"style": pl.String, "ground_truth": pl.String}),
    "extra_info": pl.Struct({"split": pl.String, "index": pl.Int64}),
    **texts("checker", "payload", "uuid", "problem", "language", "thinking"),
}
SCHEMAS: dict[str, Columns] = {"default": DEFAULT, "sft": SFT, "rl": RL, "raw": RAW}

_TRACED = ("engine", "model", "prompt", "sampling", "prompt_tokens", "completion_tokens")
_JUDGED = ("score", "extracted", "detail", "judge_text", "judge_tokens", "accepted", "accepted_by")
_SAID = ("outcome", "judge_verdict", "finish", "sample")
DROPPED: dict[str, tuple[str, ...]] = {
    "default": ("trace_id", "sample", *_TRACED, *_JUDGED),
    "sft": ("gold", "checker", "language", *_SAID, *_TRACED, *_JUDGED),
    "rl": ("trace_id", "text", "reasoning", "answer", *_SAID, *_TRACED, *_JUDGED),
    "raw": ("engine", "detail", "judge_tokens"),
}
"""Columns of our rows that a config does not hold. `sft` has the question as its chat asked it, and of a
payload what was said before; `default` knows correct and wrong, and null for what was not judged, or by its
form alone, and its `thinking` is null where a problem's samples differ in it."""

CHOSEN: Columns = {
    **texts("problem_id", "question", "solution", "gold", "domain", "source"),
    "messages": MESSAGES,
    **_WHOLE,
}
SAMPLES: Columns = texts("problem_id", "text", "outcome", "judge_verdict", "finish", "checker", "thinking")
FORM_ALONE = ("layout", "language", "harmless")
"""Checkers that say nothing of what is right."""
_RAW_NAMES = {
    "trace_id": "uuid",
    "sample": "sample_index",
    "question": "problem",
    "gold": "answer",
    "text": "generation",
    "answer": "answer_text",
    "finish": "finish_reason",
    "outcome": "verdict",
}
READS: dict[str, frozenset[str]] = {
    "sft": frozenset({*SFT, "trace_id"}),
    "rl": frozenset({*RL, "problem_id", "question", "messages", "gold", "domain", "source"}),
    "default": frozenset(CHOSEN),
    "raw": frozenset({*RAW, *_RAW_NAMES}),
}
"""The columns that each config is made of."""


def take(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Exactly `columns`, with their types; one that the table lacks is null."""
    return table.select(
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in columns.items()
    )


def sft_rows(table: pl.DataFrame) -> pl.DataFrame:
    return take(table.rename({"trace_id": "uuid"}), SFT)


def verifiable() -> pl.Expr:
    """True where a checker has something to check against: a gold, or more in the payload than talk."""
    has_gold = pl.col("gold").fill_null("").str.strip_chars() != ""
    return has_gold | pl.col("payload").map_batches(_checks, return_dtype=pl.Boolean)


def _checks(payloads: pl.Series) -> pl.Series:
    return pl.Series([_more_than_talk(payload) for payload in payloads], dtype=pl.Boolean)


def _more_than_talk(payload: str | None) -> bool:
    text = (payload or "{}").strip()
    if '"history"' not in text and '"system"' not in text:
        return text not in ("", "{}")
    options = json.loads(text)
    return not isinstance(options, dict) or bool(options.keys() - {"history", "system"})


def rl_columns(prompt: pl.Expr, *, split: str = "train") -> list[pl.Expr]:
    r"""`RL` but `checker` and `payload`, from problems; a math gold is boxed, as TRL's reward parses it."""
    gold = pl.col("gold").fill_null("")
    boxed = pl.when(pl.col("checker") == "math").then(pl.concat_str(pl.lit("\\boxed{"), gold, pl.lit("}")))
    number = pl.col("problem_id").str.slice(0, 12).str.to_integer(base=16, dtype=pl.Int64, strict=False)
    return [
        prompt.alias("prompt"),
        boxed.otherwise(gold).alias("solution"),
        gold.alias("answer"),
        pl.col("source").fill_null("").alias("data_source"),
        pl.col("domain").fill_null("").alias("ability"),
        pl.struct(pl.lit("rule").alias("style"), gold.alias("ground_truth")).alias("reward_model"),
        pl.struct(pl.lit(split).alias("split"), number.alias("index")).alias("extra_info"),
    ]


def asked() -> pl.Expr:
    """The bare question as a user's turn."""
    turn = pl.struct(pl.lit("user").alias("role"), pl.col("question").str.strip_chars().alias("content"))
    return pl.concat_list(turn)


def rl_rows(table: pl.DataFrame) -> pl.DataFrame:
    """One row a problem; the prompt is what the chosen chat said before its answer."""
    before = pl.col("messages").list.head(pl.col("messages").list.len() - 1)
    own = (pl.col("problem_id").alias("uuid"), pl.col("question").alias("problem"))
    return take(table.with_columns(*own, *rl_columns(before)), RL)


def raw_rows(table: pl.DataFrame, *, kept: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Every sample. `kept`: column trace_id. `left`: key, stage, reason, detail, one row a key."""
    names = {old: new for old, new in _RAW_NAMES.items() if old in table.columns}
    fates = left.rename({"stage": "rejected_at", "reason": "reject_reason", "detail": "reject_detail"})
    rows = (
        table.with_columns(
            is_reasoning_complete=complete(), kept=pl.col("trace_id").is_in(kept["trace_id"].implode())
        )
        .join(fates, left_on="trace_id", right_on="key", how="left", maintain_order="left")
        .join(
            fates, left_on="problem_id", right_on="key", how="left", maintain_order="left", suffix="_problem"
        )
        .with_columns(
            pl.when(~pl.col("kept")).then(pl.coalesce(name, f"{name}_problem")).alias(name)
            for name in ("rejected_at", "reject_reason", "reject_detail")
        )
    )
    return take(rows.drop("prompt_problem", strict=False).rename(names), RAW)


def default_rows(chosen: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """One row a problem of `chosen` (columns CHOSEN), in its order, with its `samples` (columns SAMPLES)."""
    judged = ~pl.col("outcome").is_in([Outcome.NO_GOLD.value, Outcome.TIMEOUT.value, Outcome.ERROR.value])
    judged &= ~pl.col("checker").fill_null("").is_in(FORM_ALONE)
    by_rule = pl.when(judged).then(pl.col("outcome") == Outcome.CORRECT.value)
    grouped = samples.group_by("problem_id", maintain_order=True).agg(
        complete().alias("is_reasoning_complete"),
        pl.col("text").alias("generations"),
        by_rule.alias("correctness_math_verify"),
        (pl.col("judge_verdict") == "correct").alias("correctness_llama"),
        pl.col("finish").alias("finish_reasons"),
        pl.when(pl.col("thinking").n_unique() == 1).then(pl.col("thinking").first()).alias("thinking"),
    )
    for name in ("correctness_llama", "finish_reasons"):
        known = pl.col(name).list.drop_nulls().list.len() > 0
        grouped = grouped.with_columns(pl.when(known).then(pl.col(name)).alias(name))
    firsts = chosen.drop("thinking").unique("problem_id", keep="first", maintain_order=True)
    kind = pl.col("checker").replace({"choice": "MCQ", "math": "math-word-problem"})
    rows = firsts.join(grouped, on="problem_id", how="left", maintain_order="left").with_columns(
        pl.col("correctness_math_verify").list.sum().cast(pl.Int64).alias("correctness_count"),
        kind.alias("question_type"),
    )
    names = {"question": "problem", "gold": "answer", "domain": "problem_type", "problem_id": "uuid"}
    return take(rows.rename(names), DEFAULT)


def complete() -> pl.Expr:
    return pl.col("text").str.contains(CLOSE, literal=True)
