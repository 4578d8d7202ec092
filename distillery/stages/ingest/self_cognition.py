"""ingest.self_cognition: what a model is to say when it is asked who it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery.curate.self_cognition.exchanges import Card, Exchange, Language, exchanges
from distillery.errors import ConfigError
from distillery.hashing import digest
from distillery.reasoning import join
from distillery.records import LEDGER, PROBLEM, Columns, Problem, Thinking, empty
from distillery.stages.base import Context, Output, Source

_TEXTS: Columns = {name: pl.String() for name in ("trace_id", "text", "reasoning", "answer")}


@dataclass(frozen=True, kw_only=True)
class IngestSelfCognition(Source):
    """Questions about name, maker and nature, also with other models' names in them, and right answers.

    An answer names no other model. Nothing thinks here: each text begins with the empty think block.

        - id: who_it_is
          use: ingest.self_cognition
          with: {name: Fir, maker: Forest Labs, languages: [en]}
    """

    name: str
    """What the model calls itself."""
    maker: str
    """Who made it."""
    languages: tuple[Language, ...] = ("en", "zh")
    """Of the questions."""
    model_version: str = ""
    """What it says when asked for its version; "": never asked for."""
    knowledge: str = ""
    """Until when it knows the world, as "July 2024"; "": never asked for."""
    chinese_name: str = ""
    """Its name in Chinese; "": as in English."""
    chinese_maker: str = ""
    """Its maker in Chinese; "": as in English."""
    chinese_knowledge: str = ""
    """Until when, in Chinese; "": as in English."""
    count: Annotated[int, Field(ge=1)] = 500
    """Rows to make."""
    shard_rows: Annotated[int, Field(ge=1)] = 1000
    """Rows of a shard."""

    version = 1
    writes = {**PROBLEM, **_TEXTS}

    def __post_init__(self) -> None:
        for option in ("name", "maker"):
            if not getattr(self, option).strip():
                raise ConfigError(
                    f"ingest.self_cognition: {option} is empty; say what the model is to call it"
                )
        if (names := list(self.languages)) != list(dict.fromkeys(names)) or not names:
            raise ConfigError(f"ingest.self_cognition: languages is {names}; name each one once")
        self._exchanges(0)

    def expected_rows(self) -> int | None:
        return self.count

    def shards(self, ctx: Context) -> Iterator[Output]:
        table = pl.DataFrame([_row(one) for one in self._exchanges(ctx.seed)], schema=self.writes)
        for shard in table.iter_slices(self.shard_rows):
            yield Output(shard, empty(LEDGER))

    def _exchanges(self, seed: int) -> list[Exchange]:
        cards: dict[Language, Card] = {language: self._card(language) for language in self.languages}
        return exchanges(cards, count=self.count, seed=seed)

    def _card(self, language: Language) -> Card:
        chinese = language == "zh"
        return Card(
            name=(chinese and self.chinese_name) or self.name,
            maker=(chinese and self.chinese_maker) or self.maker,
            version=self.model_version,
            knowledge=(chinese and self.chinese_knowledge) or self.knowledge,
        )


def _row(exchange: Exchange) -> dict[str, str]:
    problem = Problem(
        exchange.question, "", checker="layout", domain="general", source="self_cognition",
        language=exchange.language, thinking=Thinking.OFF,
    )  # fmt: skip
    text = join("", exchange.answer)
    key = digest(["self_cognition", exchange.question, text])
    return {**problem.row(), "trace_id": key, "text": text, "reasoning": "", "answer": exchange.answer}
