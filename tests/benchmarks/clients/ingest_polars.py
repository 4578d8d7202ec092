"""The same with polars alone: read a file, keep the first row of each question, write a parquet file."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import polars as pl

file = Path(sys.argv[1])
begun, worked = time.perf_counter(), time.process_time()
match file.suffix:
    case ".jsonl":
        table = pl.read_ndjson(file)
    case ".csv":
        table = pl.read_csv(file, infer_schema=False)
    case _:
        table = pl.read_parquet(file)
table = table.unique("question", keep="first", maintain_order=True)
table.write_parquet(file.with_name("polars.parquet"), compression="zstd")
took = [time.perf_counter() - begun, time.process_time() - worked]
print(json.dumps({"rows": table.height, "took": {"polars": took}}))
