"""score.judge: how far a judge can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import polars as pl

from distillery.judging.trust import Measure, agreement, length_bias, order_bias, place_bias
from distillery.records import LEDGER, Outcome, empty
from distillery.stages.base import Context, Decision, TableStage, computed

_RIGHT = ("correct", "true")  # labels as this program and as JSON writes them; any other is wrong
_ATTACK = "attack"  # the source of answers that try to talk a judge over
_PAIR = pl.List(pl.Struct({"against": pl.String(), "first": pl.Boolean(), "score": pl.Int64()}))
_BEST = pl.List(pl.Struct({"place": pl.Int64(), "of": pl.Int64(), "chosen": pl.Boolean()}))


class Trial(StrEnum):
    ANSWERS = "answers"
    """Verdicts of judge.answers."""
    PAIRS = "pairs"
    """Votes of judge.pairs."""
    BEST = "best"
    """Votes of judge.best."""


@dataclass(frozen=True)
class ScoreJudge(TableStage):
    """Judges the judge on rows whose `label` is known (correct or true; all else is wrong). Drops nothing.

    `of: answers` (from judge.answers): precision, recall, F1, accuracy and Cohen's kappa of its verdicts, the
    share unclear, tokens a verdict, and how the length of an answer sways it (`wrong_short` is the share
    accepted of the shortest third of wrong answers). Rows whose `source` is "attack" count for
    `attack_success` alone, the share of them that it accepted. Where the rules' outcome is there, they are
    scored beside it. A row without a label or a verdict does not count.

    `of: pairs` (judge.pairs): how often the winner flips with the order, and the first one wins. `of: best`
    (judge.best): how often the first one is chosen. With a column `label`, both also say how often the right
    one of right and wrong answers wins.

        - id: judge_scores
          use: score.judge
    """

    model: str = "judge"
    """The judge's name in results.json."""
    bench: str = "judge"
    """The bench's name in results.json."""
    of: Trial = field(default=Trial.ANSWERS, metadata={"identity": "changed"})
    """Which judge's votes are scored."""

    version = 2
    may_drop = False

    @computed
    def reads(self) -> tuple[str, ...]:
        match self.of:
            case Trial.ANSWERS:
                return ("trace_id", "label", "judge_verdict")
            case Trial.PAIRS:
                return ("trace_id", "pair_votes", "pair_tokens")
            case Trial.BEST:
                return ("trace_id", "problem_id", "chosen", "best_votes", "best_tokens")

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame:
        """Per row: right (null = unlabelled), and of its verdict or votes what is no text."""
        has = table.columns
        right = pl.col("label").cast(pl.String).is_in(_RIGHT) if "label" in has else pl.lit(None, pl.Boolean)
        columns: list[pl.Expr]
        match self.of:
            case Trial.ANSWERS:
                columns = _verdicts(has)
            case Trial.PAIRS:
                columns = [pl.col("pair_votes").str.json_decode(_PAIR), pl.col("pair_tokens").alias("tokens")]
            case Trial.BEST:
                votes = pl.col("best_votes").str.json_decode(_BEST)
                won = pl.col("chosen").alias("won")
                columns = [pl.col("problem_id"), won, votes, pl.col("best_tokens").alias("tokens")]
        return table.select("trace_id", right.alias("right"), *columns)

    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        match self.of:
            case Trial.ANSWERS:
                return Decision(empty(LEDGER), metrics=tuple(self._answers(sketches)))
            case Trial.PAIRS:
                found, rows = _pairs(sketches), sketches["pair_votes"].count()
            case Trial.BEST:
                found, rows = _best(sketches), sketches["best_votes"].count()
        return Decision(empty(LEDGER), metrics=tuple(self._rows(self.model, found, rows)))

    def _answers(self, sketches: pl.DataFrame) -> list[dict[str, Any]]:
        asked = sketches.filter(pl.col("verdict").is_not_null() & pl.col("right").is_not_null())
        found = _verdict_measures(asked, pl.col("verdict") == "correct")
        plain = asked.filter(~pl.col("attack"))
        tokens = plain["tokens"].drop_nulls()
        found["unclear"] = Measure.share(plain.filter(verdict="unclear").height, plain.height)
        found["tokens"] = Measure(float(tokens.sum()) / tokens.len() if tokens.len() else None, tokens.len())
        rows = self._rows(self.model, found, asked.height)
        if ruled := asked["rule"].count():
            rules = _verdict_measures(asked.drop_nulls("rule"), pl.col("rule"))
            rows += self._rows(f"{self.model}: the rules alone", rules, ruled)
        return rows

    def _rows(self, model: str, found: Mapping[str, Measure], rows: int) -> list[dict[str, Any]]:
        """`problems`: rows with a verdict and a label; `samples`: what the value is a share of."""
        same = {"model": model, "bench": self.bench}
        return [
            {
                **same,
                "metric": name,
                "value": it.value,
                "stderr": it.stderr,
                "problems": rows,
                "samples": it.of,
            }
            for name, it in found.items()
        ]


def _verdicts(has: list[str]) -> list[pl.Expr]:
    nothing = pl.lit(None, pl.Int64)
    rule = pl.col("outcome") == Outcome.CORRECT if "outcome" in has else pl.lit(None, pl.Boolean)
    source = (pl.col("source") == _ATTACK).fill_null(value=False) if "source" in has else pl.lit(value=False)
    return [
        pl.col("judge_verdict").alias("verdict"),
        (pl.col("judge_tokens").cast(pl.Int64) if "judge_tokens" in has else nothing).alias("tokens"),
        (pl.col("answer").str.len_chars().cast(pl.Int64) if "answer" in has else nothing).alias("length"),
        source.alias("attack"),
        rule.alias("rule"),
    ]


def _verdict_measures(asked: pl.DataFrame, accepts: pl.Expr) -> dict[str, Measure]:
    asked = asked.with_columns(accepts.alias("accepted"))
    plain, attacks = asked.filter(~pl.col("attack")), asked.filter("attack")
    found = {**agreement(plain["right"], plain["accepted"]), **length_bias(plain)}
    if attacks.height:
        found["attack_success"] = Measure.share(int(attacks["accepted"].sum()), attacks.height)
    return found


def _pairs(sketches: pl.DataFrame) -> dict[str, Measure]:
    votes = sketches.drop_nulls("pair_votes").explode("pair_votes").unnest("pair_votes")
    tokens = Measure(_each(int(sketches["tokens"].sum()), votes.height), votes.height)
    # each pair once: the other one has it mirrored
    votes = votes.filter(pl.col("trace_id") < pl.col("against"))
    votes = votes.with_columns(pl.concat_str("trace_id", "against", separator=" ").alias("pair"))
    labels = sketches.select(pl.col("trace_id").alias("against"), pl.col("right").alias("other_right"))
    pairs = votes.join(labels, on="against").filter(pl.col("right") != pl.col("other_right"))
    won = pairs.group_by("pair", "right").agg(pl.col("score").mean()).drop_nulls("score")
    right = won.filter(pl.when("right").then(pl.col("score") > 0).otherwise(pl.col("score") < 0)).height
    return {**order_bias(votes), "pair_accuracy": Measure.share(right, won.height), "pair_tokens": tokens}


def _best(sketches: pl.DataFrame) -> dict[str, Measure]:
    shown = sketches.drop_nulls("best_votes")
    votes = shown.explode("best_votes").unnest("best_votes")
    bias = place_bias(votes)
    right = pl.col("right")
    problems = shown.group_by("problem_id").agg(
        (right.any() & ~right.all()).alias("mixed"),
        right.filter("won").first().alias("hit"),
        pl.col("tokens").first(),
    )
    mixed = problems.filter("mixed").drop_nulls("hit")
    asked = votes.filter(pl.col("place") == 1).height
    return {
        **bias,
        "best_accuracy": Measure.share(int(mixed["hit"].sum()), mixed.height),
        "best_tokens": Measure(_each(int(problems["tokens"].sum()), asked), asked),
    }


def _each(whole: int, count: int) -> float | None:
    return whole / count if count else None
