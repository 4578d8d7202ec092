"""Signatures of the texts of a set, for this run and, stored as an index, for sets to come."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery import shards
from distillery.curate.copies.minhash import packed, signatures
from distillery.curate.copies.telling import COLUMNS, told
from distillery.errors import ConfigError
from distillery.hashing import Json, sha256

VERSION = 3  # raise it when the same text gets another signature
TABLE, SHAPE = "signatures.parquet", "signatures.json"
_FIRST = -1  # before every source
_LEAST_ROWS = 1_000  # of a thread
_NONE = pl.DataFrame(schema={**dict.fromkeys(COLUMNS, pl.UInt64), "form": pl.Binary})


@dataclass(frozen=True)
class Shape:
    """What must be equal for two signatures to be compared."""

    column: str
    shingle: int
    permutations: int
    opening: int | None = None  # characters that are looked at; None: all

    def forms(self, texts: pl.Series) -> pl.DataFrame:
        """`form`: two bytes a permutation whatever the length of the text; null for a text without a word.
        Beside it the columns of `told`."""
        texts = texts if self.opening is None else texts.cast(pl.String).str.head(self.opening)
        first = texts.ne_missing(texts.shift()) if len(texts) else texts.is_null()
        first = pl.select((pl.int_range(len(texts)) == 0) | first).to_series()
        distinct = texts.filter(first)  # the samples of a problem, which stand together, share one signature
        size = max(_LEAST_ROWS, -(-len(distinct) // pl.thread_pool_size()))
        parts = [distinct.slice(begin, size) for begin in range(0, len(distinct), size)]
        # what takes time here, polars and numpy, runs beside itself
        with ThreadPoolExecutor(max(1, len(parts))) as threads:
            forms = pl.concat([_NONE, *threads.map(self._signed, parts)])
        return forms[first.cum_sum() - 1]

    def _signed(self, texts: pl.Series) -> pl.DataFrame:
        grams, columns = told(texts, n=self.shingle)
        marks = signatures(grams, permutations=self.permutations)
        return columns.with_columns(packed(marks, grams.lengths > 0).alias("form"))

    def said(self) -> dict[str, Json]:
        return {"version": VERSION, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What the stages share that sign a column."""

    column: str = "question"
    """The column that is compared."""
    key: str = "problem_id"
    """The column that names a row."""
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128
    """Hashes in a signature: more are more exact, and slower."""
    shingle: Annotated[int, Field(ge=1, le=20)] = 3
    """Words in an n-gram."""
    opening: Annotated[int | None, Field(ge=20)] = field(default=None, metadata={"identity": "changed"})
    """Characters that are compared, as of answers that all begin alike; null: all."""

    @property
    def shape(self) -> Shape:
        return Shape(self.column, self.shingle, self.permutations, self.opening)


def write_index(folder: Path, rows: pl.DataFrame, shape: Shape) -> None:
    folder.mkdir(parents=True)
    shards.write(folder / TABLE, rows.select("key", "gold", "checker", *COLUMNS, "form"))
    (folder / SHAPE).write_text(json.dumps(shape.said()), encoding="utf-8")


def index_stamp(folder: str, shape: Shape) -> str:
    _check(Path(folder), shape)
    return sha256(Path(folder) / TABLE)


def read_index(folder: str, shape: Shape, *, like: pl.DataFrame) -> pl.DataFrame:
    """Rows as of `like`, whose units all come before any of its own; and `form`."""
    _check(Path(folder), shape)
    table = shards.read(Path(folder) / TABLE)
    key, no, none = pl.format("{}:{}", pl.lit(folder), "key"), pl.lit(value=False), pl.lit(0)
    known = {"key": key, "unit": key, "source_rank": pl.lit(_FIRST), "no_gold": no, "length": none}
    own = {name: known.get(name, pl.col(name)) for name in like.columns}
    return table.select(*(own[name].cast(kind).alias(name) for name, kind in like.schema.items()), "form")


def _check(folder: Path, shape: Shape) -> None:
    where = "dedup.minhash.earlier"
    if not (folder / TABLE).is_file() or not (folder / SHAPE).is_file():
        raise ConfigError(
            f"{where}: {folder} has no {TABLE} and {SHAPE}; export.signatures writes such a folder"
        )
    found = json.loads((folder / SHAPE).read_text(encoding="utf-8"))
    if found != shape.said():
        raise ConfigError(f"{where}: {folder} was made with {found}; this stage asks for {shape.said()}")
