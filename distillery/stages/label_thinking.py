"""label.thinking: which prompts deserve a thought."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import polars as pl

from distillery.curate.thinking import deserves
from distillery.records import Thinking, earlier_turns
from distillery.stages.base import Context, Output, ShardStage


@dataclass(frozen=True, kw_only=True)
class LabelThinking(ShardStage):
    """Writes `thinking` where it is empty, by rules for English and Chinese (`distillery.curate.thinking`).

    `otherwise` is for what no rule knows; "" leaves it empty, for judge.thinking to ask a model.

        - id: labelled
          use: label.thinking
          with: {otherwise: "on"}
    """

    otherwise: Literal["on", "off", ""] = "on"
    """For what no rule knows; "": it stays empty, for judge.thinking to ask a model."""

    version = 1
    may_drop = False
    key = "problem_id"
    reads = ("problem_id", "question", "thinking")
    writes = {"thinking": pl.String()}

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        payloads = table["payload"] if "payload" in table.columns else [None] * table.height
        rows = zip(table["question"], table["thinking"], payloads, strict=True)
        reasons: Counter[str] = Counter()
        labels: list[str] = []
        for question, given, payload in rows:
            if given:
                labels.append(given)
                continue
            ruling = deserves(question, follows=bool(earlier_turns(payload)))
            reasons[f"by_{ruling.why}"] += 1
            labels.append(ruling.thinking.value if ruling.thinking else self.otherwise)
        counts = {**reasons, **{f"thinking_{on}": labels.count(on) for on in Thinking}}
        kept = table.with_columns(pl.Series("thinking", labels, dtype=pl.String))
        return Output(kept, Output.all_kept(kept).dropped, {name: float(n) for name, n in counts.items()})
