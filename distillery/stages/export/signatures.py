"""export.signatures: what a set has already, in a form that the next set's dedup.minhash reads."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from distillery import shards
from distillery.curate.copies.which_stays import Preference
from distillery.stages.base import ExportJob, Sink, computed
from distillery.stages.dedup.one_copy import compared
from distillery.stages.dedup.signatures import Signed, write_index


@dataclass(frozen=True, kw_only=True)
class ExportSignatures(Signed, Sink):
    """The MinHash signatures of `column`, each text once, with golds: 280 bytes a problem.

    A later pipeline names the folder in `dedup.minhash`, `earlier`; all options but the key must be equal.

        - id: signatures
          use: export.signatures
    """

    version = 3

    @computed
    def reads(self) -> tuple[str, ...]:
        return (self.key, self.column)

    def export(self, job: ExportJob) -> dict[str, float]:
        if not job.out.exists():
            part = job.out.with_name(f"{job.out.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            known = [self._signed(file) for file in job.tables]
            rows = pl.concat(known).drop_nulls("form").unique(["key"], keep="first", maintain_order=True)
            write_index(part, rows, self.shape)
            part.replace(job.out)
        return {"signatures": float(shards.rows(job.out / "signatures.parquet"))}

    def _signed(self, file: Path) -> pl.DataFrame:
        there = shards.schema(file)
        more = [name for name in ("gold", "checker", "payload") if name in there]
        table = shards.read(file, [*self.reads, *more])
        described = Preference().describe(table, key=self.key, column=self.column)
        return described.hstack(self.shape.forms(compared(table, self.column)))
