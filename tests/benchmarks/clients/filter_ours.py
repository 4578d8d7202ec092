"""filter.quality with all its tests, over the shards named; 1 process or more."""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import polars as pl

from distillery.stages.filter_quality import FilterQuality


def keep(shard: str) -> int:
    return FilterQuality().apply(pl.read_parquet(shard), None).kept.height


def main(folder: str, processes: int) -> None:
    shards = sorted(map(str, Path(folder).glob("*.parquet")))
    size = sum(pl.read_parquet(shard)["text"].str.len_bytes().sum() for shard in shards)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(keep, shards[:1] * processes))  # starts them
        began, cpu = time.perf_counter(), time.process_time()
        kept = sum(pool.map(keep, shards)) if processes > 1 else sum(map(keep, shards))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    told = {"mb_per_s": size / 1e6 / seconds, "kept": kept}
    if processes == 1:
        told["mb_per_cpu_s"] = size / 1e6 / cpu
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
