"""filter.quality with all its tests, over the shards named; 1 process or more."""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import polars as pl

from distillery.stages.filter_quality import FilterQuality


def keep(shard: str) -> tuple[int, float]:
    """How many rows are kept, and the seconds of processor time that it took."""
    began = time.process_time()
    kept = FilterQuality().apply(pl.read_parquet(shard), None).kept.height
    return kept, time.process_time() - began


def main(folder: str, processes: int) -> None:
    shards = sorted(map(str, Path(folder).glob("*.parquet")))
    size = sum(pl.read_parquet(shard)["text"].str.len_bytes().sum() for shard in shards)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(keep, shards[:1] * processes))  # starts them
        keep(shards[0])
        began = time.perf_counter()
        done = list(pool.map(keep, shards) if processes > 1 else map(keep, shards))
        seconds = time.perf_counter() - began
    kept, cpu_s = map(sum, zip(*done, strict=True))
    print(json.dumps({"mb_per_s": size / 1e6 / seconds, "mb_per_cpu_s": size / 1e6 / cpu_s, "kept": kept}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
