"""export.signatures: what a set has already, in a form that the next set's dedup.minhash reads."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import Annotated

import polars as pl
from pydantic import Field

from distillery import shards
from distillery.stages.base import ExportJob, Sink, computed
from distillery.stages.dedup.signatures import Shape, write_index


@dataclass(frozen=True, kw_only=True)
class ExportSignatures(Sink):
    """The MinHash signatures of `column`, each text once: 256 bytes a problem at 128 permutations.

    A later pipeline names the folder in `dedup.minhash`, `earlier`; column, shingle, permutations and opening must be equal.

        - id: signatures
          use: export.signatures
    """

    column: str = "question"
    """The column that is compared."""
    key: str = "problem_id"
    """The column that names a row."""
    permutations: Annotated[int, Field(ge=16, le=1024)] = 128
    """Hashes in a signature."""
    shingle: Annotated[int, Field(ge=1, le=20)] = 3
    """Words in an n-gram."""
    opening: Annotated[int | None, Field(ge=20)] = field(default=None, metadata={"identity": "changed"})
    """Characters that are compared; null: all."""

    version = 2

    @computed
    def reads(self) -> tuple[str, ...]:
        return (self.key, self.column)

    def export(self, job: ExportJob) -> dict[str, float]:
        if not job.out.exists():
            shape = Shape(self.column, self.shingle, self.permutations, self.opening)
            part = job.out.with_name(f"{job.out.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            known = [
                table.select(self.key).with_columns(shape.forms(table[self.column]))
                for table in (shards.read(file, self.reads) for file in job.tables)
            ]
            rows = pl.concat(known).drop_nulls().unique([self.key], keep="first", maintain_order=True)
            write_index(part, rows[self.key], rows["form"], shape)
            part.replace(job.out)
        return {"signatures": float(shards.rows(job.out / "signatures.parquet"))}
