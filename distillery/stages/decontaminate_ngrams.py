"""decontaminate.ngrams: rows that repeat a benchmark's question, with the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import polars as pl
from pydantic import Field

from distillery.curate.overlap import Index, Limits, Match, index, matches
from distillery.errors import ConfigError
from distillery.hashing import Json
from distillery.records import Columns
from distillery.stages.base import Context, Output
from distillery.stages.hub_split import load_split
from distillery.stages.problem_rows import Fault
from distillery.stages.row_files import files, read, sha256

_AGAINST = "decontaminate.ngrams.against"
_SHOWN = 160  # characters of the question in the ledger


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Questions to keep out: files, or one split of a data set on the hub. Pin the revision of the latter."""

    path: str = ""  # a file or a pattern: jsonl, jsonl.gz, parquet, csv
    hub: str = ""  # instead of a path, as on the hub: "openai/gsm8k"
    config: str | None = None
    split: str = "test"
    revision: str | None = None
    column: str = "question"
    name: str = ""  # "" = the file's or the data set's name

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.hub):
            raise ValueError("a benchmark has either a path or a hub name, and not both")

    @property
    def stamp(self) -> Json:
        if self.hub:
            return ["hub", self.hub, self.config, self.split, self.revision]
        return [sha256(file) for file in _files(self)]


class Benches(NamedTuple):
    known: Index
    places: list[str]  # "bench:row" of each question, rows from 1
    texts: list[str]

    def evidence(self, question: int, kind: str, score: float) -> str:
        return f"{kind} {score:.2f} of {self.places[question]}: {self.texts[question][:_SHOWN]!r}"


@dataclass(frozen=True, kw_only=True)
class DecontaminateNgrams:
    """Drops rows whose `column` repeats a question of `against`; the detail says which, where and how much.

    On a table of traces pass key: trace_id. Paraphrases that share few words are not found.
    """

    against: Annotated[tuple[str | Bench, ...], Field(min_length=1)]
    column: str = "question"
    key: str = "problem_id"  # the column that names a row
    n: Annotated[int, Field(ge=3, le=50)] = 10  # words in a run
    min_coverage: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5  # of the runs of the shorter text
    min_near: Annotated[float, Field(gt=0.0, le=1.0)] | None = (
        0.5  # Jaccard of 3-word runs; null = not looked for
    )
    numbers_changed: Literal["drop", "keep"] = "drop"  # "keep" counts them in the metrics only

    version: ClassVar[int] = 1
    writes: ClassVar[Columns] = {}

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.key, self.column)

    @property
    def _benches(self) -> tuple[Bench, ...]:
        return tuple(Bench(path=one) if isinstance(one, str) else one for one in self.against)

    def uses(self) -> dict[str, tuple[str, ...]]:
        return {}

    def stamp(self) -> Json:
        """sha256 of every benchmark file, name and revision of every hub one, in order."""
        return [bench.stamp for bench in self._benches]

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        limits = Limits(words=self.n, min_coverage=self.min_coverage, min_near=self.min_near)
        changed = tuple(
            (str(file), file.stat().st_mtime_ns)
            for bench in self._benches
            if bench.path
            for file in _files(bench)
        )
        benches = _load(self._benches, limits, changed)
        texts = table[self.column].cast(pl.String)
        distinct = texts.drop_nulls().unique(maintain_order=True)  # samples of one problem are looked up once
        found = matches(distinct, benches.known)
        evidence = found.select(
            distinct.gather(found["row"]).alias("found"),
            "kind",
            pl.Series("evidence", [benches.evidence(*hit) for hit in _hits(found)], dtype=pl.String),
        )
        marks = texts.to_frame("found").join(evidence, on="found", how="left", maintain_order="left")
        counts = Counter(marks["kind"].drop_nulls())
        if self.numbers_changed == "keep":
            marks = marks.with_columns(pl.col("kind").replace({Match.NUMBERS_CHANGED.value: None}))
        out = Output.marked(table, marks["kind"], marks["evidence"], key=self.key)
        return replace(out, metrics={f"matched_{kind}": float(number) for kind, number in counts.items()})


def _hits(found: pl.DataFrame) -> Iterator[tuple[int, str, float]]:
    return found.select("question", "kind", "score").iter_rows()  # pyright: ignore[reportReturnType]


def _files(bench: Bench) -> list[Path]:
    return files(bench.path, where=_AGAINST)


@lru_cache(maxsize=2)
def _load(benches: tuple[Bench, ...], limits: Limits, _changed: tuple[tuple[str, int], ...]) -> Benches:
    places: list[str] = []
    texts: list[str] = []
    for bench in benches:
        for source, rows in _rows(bench):
            name = bench.name or Path(source).name.partition(".")[0]
            for number, text in _questions(source, rows, bench.column):
                places.append(f"{name}:{number}")
                texts.append(text)
    return Benches(index(texts, limits), places, texts)


def _rows(bench: Bench) -> Iterator[tuple[str, Iterable[Mapping[str, Any] | Fault]]]:
    if bench.hub:
        rows = load_split(
            bench.hub, where=_AGAINST, config=bench.config, split=bench.split, revision=bench.revision
        )
        yield bench.hub, rows
    else:
        for file in _files(bench):
            yield str(file), (row for _, row in read(file))


def _questions(source: str, rows: Iterable[Mapping[str, Any] | Fault], column: str) -> list[tuple[int, str]]:
    good = [(number, row) for number, row in enumerate(rows, start=1) if not isinstance(row, Fault)]
    if good and not any(column in row for _, row in good):
        there = sorted({str(name) for _, row in good for name in row})
        raise ConfigError(f"{_AGAINST}: {source} has no column {column!r}; there are: {', '.join(there)}")
    return [(number, text) for number, row in good if isinstance(text := row.get(column), str)]
