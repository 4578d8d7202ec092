"""dedup.minhash over texts. Usage: dedup_ours.py TEXTS_JSON THRESHOLD. Prints seconds, the texts that go, the
peak."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import polars as pl

from distillery.stages.dedup.minhash import DedupMinhash

SHARD = 10_000


def find(texts: list[str], threshold: float) -> list[int]:
    stage = DedupMinhash(threshold=threshold)
    names = [f"{number:08d}" for number in range(len(texts))]
    table = pl.DataFrame({"problem_id": names, "question": texts})
    sketches = [stage.sketch(part, None) for part in table.iter_slices(SHARD)]  # pyright: ignore[reportArgumentType]
    decision = stage.decide(pl.concat(sketches), None)  # pyright: ignore[reportArgumentType]
    return [int(name) for name in decision.dropped["key"]]


if __name__ == "__main__":
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    find(texts[:100], float(sys.argv[2]))
    started = time.monotonic()
    gone = find(texts, float(sys.argv[2]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": time.monotonic() - started, "gone": gone, "peak": peak}))
