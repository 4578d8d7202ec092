"""export.signatures: what a set has already, in a form that the next set's dedup.minhash reads."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import polars as pl

from distillery import shards
from distillery.stages.base import ExportJob, Sink, computed
from distillery.stages.dedup.signatures import Signed, write_index


@dataclass(frozen=True, kw_only=True)
class ExportSignatures(Signed, Sink):
    """The MinHash signatures of `column`, each text once: 256 bytes a problem at 128 permutations.

    A later pipeline names the folder in `dedup.minhash`, `earlier`; all options but the key must be equal.

        - id: signatures
          use: export.signatures
    """

    version = 2

    @computed
    def reads(self) -> tuple[str, ...]:
        return (self.key, self.column)

    def export(self, job: ExportJob) -> dict[str, float]:
        if not job.out.exists():
            part = job.out.with_name(f"{job.out.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            known = [
                table.select(self.key).with_columns(self.shape.forms(table[self.column]))
                for table in (shards.read(file, self.reads) for file in job.tables)
            ]
            rows = pl.concat(known).drop_nulls().unique([self.key], keep="first", maintain_order=True)
            write_index(part, rows[self.key], rows["form"], self.shape)
            part.replace(job.out)
        return {"signatures": float(shards.rows(job.out / "signatures.parquet"))}
