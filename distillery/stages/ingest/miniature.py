"""ingest.miniature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

import polars as pl
from pydantic import Field

from distillery.hashing import derive_seed, digest
from distillery.miniature import corpus, general, judging, sums
from distillery.prompts import Prompt
from distillery.records import LEDGER, PROBLEM, Columns, Problem, empty
from distillery.stages.base import Context, Output, Source, Uses, computed


class Part(StrEnum):
    CORPUS = "corpus"
    """Documents to pretrain on."""
    SUMS = "sums"
    """Problems."""
    SUMS_WORKED = "sums_worked"
    """Problems with a careful author's response."""
    GENERAL = "general"
    """General prompts."""
    GENERAL_WORKED = "general_worked"
    """General prompts with a response."""
    JUDGING = "judging"
    """Answers with the right verdict as `label`, to judge the judge by."""
    JUDGING_WORKED = "judging_worked"
    """What the judge is asked, with the right verdict as response."""


_TEXT: Columns = {"text": pl.String()}
_WORKED: Columns = {**PROBLEM, "trace_id": pl.String(), **_TEXT}
_COLUMNS: dict[Part, Columns] = {
    Part.CORPUS: {"document_id": pl.String(), **_TEXT},
    Part.SUMS: PROBLEM,
    Part.SUMS_WORKED: _WORKED,
    Part.GENERAL: PROBLEM,
    Part.GENERAL_WORKED: _WORKED,
    Part.JUDGING: {**_WORKED, "answer": pl.String(), "label": pl.String()},
    Part.JUDGING_WORKED: _WORKED,
}


@dataclass(frozen=True)
class IngestMiniature(Source):
    """The miniature's own world, made from a seed: nothing held out ever stands in what is trained on.

    - id: problems
      use: ingest.miniature
      with: {part: sums, count: 1000}
    """

    part: Part
    """What the rows are."""
    count: Annotated[int, Field(ge=1)]
    """Rows to make."""
    salt: str = ""
    """Parts with different salts are different draws."""
    held: bool = False
    """Held-out problems instead of trainable ones."""
    skill_share: float = 0.7
    """Share of the corpus, from its beginning, that teaches to work sums out."""
    prompt: str = "judge.small@1"
    """What the judge is asked with."""
    shard_rows: Annotated[int, Field(ge=1)] = 1000
    """Rows of a shard."""

    version = 1

    @computed
    def writes(self) -> Columns:
        return _COLUMNS[self.part]

    def uses(self) -> Uses:
        return Uses(prompts=(self.prompt,) if self.part is Part.JUDGING_WORKED else ())

    def expected_rows(self) -> int | None:
        return self.count

    def shards(self, ctx: Context) -> Iterator[Output]:
        rows = iter(self._rows(derive_seed(ctx.seed, self.salt), ctx))
        while shard := list(islice(rows, self.shard_rows)):
            yield Output(pl.DataFrame(shard, schema=self.writes), empty(LEDGER))

    def _rows(self, seed: int, ctx: Context) -> Iterator[dict[str, Any]]:
        match self.part:
            case Part.CORPUS:
                texts = corpus.documents(self.count, seed=seed, skill_share=self.skill_share)
                return ({"document_id": digest([n, text]), "text": text} for n, text in enumerate(texts))
            case Part.SUMS:
                return (p.row() for p in sums.problems(self.count, seed=seed, held=self.held))
            case Part.SUMS_WORKED:
                return map(_keyed, sums.worked(self.count, seed=seed))
            case Part.GENERAL:
                return (p.row() for p in general.problems(self.count, seed=seed, held=self.held))
            case Part.GENERAL_WORKED:
                return map(_keyed, general.worked(self.count, seed=seed))
            case Part.JUDGING:
                return (_labelled(e) for e in judging.examples(self.count, seed=seed, held=self.held))
            case Part.JUDGING_WORKED:
                prompt = ctx.prompt(self.prompt)
                found = judging.examples(self.count, seed=seed, held=self.held)
                return (_worked(example, prompt) for example in found)


def _labelled(example: judging.Example) -> dict[str, str]:
    problem = Problem(example.question, example.reference, source="miniature.judging")
    key = digest([example.question, example.reference, example.answer])
    given = {"text": example.answer, "answer": example.answer, "label": example.verdict}
    return {**problem.row(), "trace_id": key, **given}


def _worked(example: judging.Example, prompt: Prompt) -> dict[str, str]:
    """The judge's own training row: what it is asked stands as the question, its verdict as the response."""
    turns = prompt.render(question=example.question, reference=example.reference, answer=example.answer)
    asked = "\n\n".join(text for _, text in turns)
    problem = Problem(asked, example.verdict, domain="judging", source="miniature.judging", thinking="off")
    return _keyed({**problem.row(), "text": example.ruling})


def _keyed(row: dict[str, str]) -> dict[str, str]:
    return {**row, "trace_id": digest([row["question"], row["text"]])}
