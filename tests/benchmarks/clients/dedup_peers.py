"""Deduplication as datasketch, rensa and datatrove document it. Usage: dedup_peers.py PEER TEXTS_JSON
THRESHOLD.

Prints a JSON object: seconds, and the numbers of the texts that go. Runs in the peers' own environment.
"""

# pyright: basic

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path


def shingles(text: str) -> list[str]:
    words = text.lower().split()
    return [" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))]


def datasketch(texts: list[str], threshold: float) -> list[int]:
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(threshold=threshold, num_perm=128)
    gone = []
    for number, text in enumerate(texts):
        mark = MinHash(num_perm=128)
        for shingle in shingles(text):
            mark.update(shingle.encode("utf8"))
        if lsh.query(mark):
            gone.append(number)
        else:
            lsh.insert(str(number), mark)
    return gone


def rensa(texts: list[str], threshold: float) -> list[int]:
    from rensa import RMinHashDeduplicator

    dedup = RMinHashDeduplicator(threshold=threshold, num_perm=128, use_lsh=True)
    keep = dedup.add_pairs((str(number), shingles(text)) for number, text in enumerate(texts))
    return [number for number, stays in enumerate(keep) if not stays]


def datatrove(texts: list[str], threshold: float) -> list[int]:
    from datatrove.data import Document
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig

    config = MinhashConfig(n_grams=3, num_buckets=16, hashes_per_bucket=8)  # (1/16)^(1/8) = 0.71
    kept: set[int] = set()

    def documents(*_: object):
        yield from (Document(text=text, id=str(number)) for number, text in enumerate(texts))

    def remember(data, *_: object):
        for document in data:
            kept.add(int(document.id))
            yield document

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        steps = [
            ([documents, MinhashDedupSignature(str(work / "s"), config=config)], 1),
            ([MinhashDedupBuckets(str(work / "s"), str(work / "b"), config=config)], config.num_buckets),
            ([MinhashDedupCluster(str(work / "b"), str(work / "r"), config=config)], 1),
            ([documents, MinhashDedupFilter(str(work / "r")), remember], 1),
        ]
        for number, (pipeline, tasks) in enumerate(steps):
            logs = str(work / f"logs-{number}")
            LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=1, logging_dir=logs).run()
    return [number for number in range(len(texts)) if number not in kept]


if __name__ == "__main__":
    peer, file, threshold = sys.argv[1:]
    texts = json.loads(Path(file).read_text(encoding="utf-8"))
    find = {"datasketch": datasketch, "rensa": rensa, "datatrove": datatrove}[peer]
    find(texts[:100], float(threshold))  # what is loaded at first use
    started = time.monotonic()
    gone = find(texts, float(threshold))
    print(json.dumps({"seconds": time.monotonic() - started, "gone": gone}))
