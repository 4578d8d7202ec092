"""Rows a second and recall of dedup.minhash beside datasketch, rensa and datatrove, on the same rows; memory
at 5,000,000.

The peers are run by the Python that DISTILLERY_BENCH_PEERS names, where it has them.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from tests.benchmarks.full_set import JACCARDS, Chain, copy_at, jaccard, sources

CLIENTS = Path(__file__).parent / "clients"
ROOT = CLIENTS.parents[2]
PEERS = Path(os.environ.get("DISTILLERY_BENCH_PEERS", ROOT / ".venv-bench" / "bin" / "python"))
ROWS, PLANTED, THRESHOLD = 61_000, 2_000, 0.7
MANY = int(os.environ.get("DISTILLERY_BENCH_MANY", "5000000"))
ROUNDS = 3
SLOW = ("datasketch", "datatrove")  # minutes a round: they are measured once
GIB = 1 << 30


def measure(python: str | Path, *arguments: object) -> dict:
    done = subprocess.run([str(python), *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def questions(data: Path | None, rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """Questions with real words, as many of real data as there are, the rest from a chain over them."""
    _, known = sources(data)
    real: list[str] = []
    for file in sorted(data.glob("*.jsonl.gz")) if data is not None else ():
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            asked = (json.loads(line).get("question") for line in lines)
            real += [text for text in asked if isinstance(text, str) and len(text.split()) >= 12]
    real = list(dict.fromkeys(real))[: ROWS - PLANTED]
    chain = Chain(known)
    return [*real, *chain.grow(rng, rng.integers(15, 60, ROWS - PLANTED - len(real)))], chain.words


@pytest.mark.timeout(3600)
def test_rows_a_second_and_recall_beside_peers(tmp_path: Path):
    rng = np.random.default_rng(3)
    data = Path(os.environ.get("DISTILLERY_TEST_DATA", ROOT.parent / "shared" / "data"))
    texts, words = questions(data if data.is_dir() else None, rng)
    origins = rng.choice(len(texts), PLANTED, replace=False)
    pairs = []
    for number, origin in enumerate(origins.tolist()):
        copy = copy_at(texts[origin], JACCARDS[number % 5], rng, words)
        pairs.append((origin, len(texts), jaccard(texts[origin], copy)))
        texts.append(copy)
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    runs: dict[str, list[object]] = {"distillery": [sys.executable, CLIENTS / "dedup_ours.py"]}
    for peer in ("datasketch", "rensa", "datatrove"):
        if (
            PEERS.exists()
            and not subprocess.run([PEERS, "-c", f"import {peer}"], capture_output=True).returncode
        ):
            runs[peer] = [PEERS, CLIENTS / "dedup_peers.py", peer]
    found: dict[str, list[dict]] = {name: [] for name in runs}
    for number in range(ROUNDS):
        for name, command in runs.items():
            if number and name in SLOW:
                continue
            found[name].append(measure(*command, tmp_path / "texts.json", THRESHOLD))
    sure = [(one, two) for one, two, alike in pairs if alike >= THRESHOLD + 0.1]
    print(
        f"\n{len(texts):,} questions, threshold {THRESHOLD}, {len(sure):,} planted pairs at 0.8 and more; medians of {ROUNDS}:"
    )
    for name, told in found.items():
        rate = len(texts) / median(run["seconds"] for run in told)
        gone = set(told[0]["gone"])
        recall = sum(one in gone or two in gone for one, two in sure) / len(sure)
        print(f"  {name:12} {rate:9,.0f} rows/s  recall {recall:.4f}  {len(gone):6,} go")
        if name == "distillery":
            assert recall >= 0.95


@pytest.mark.timeout(3600)
def test_memory_at_five_million_short_rows(tmp_path: Path):
    program = f"""
import json, resource, sys, time
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
import numpy as np, polars as pl
from tests.benchmarks.full_set import Chain, sources
from distillery.stages.dedup.minhash import DedupMinhash
stage, rng = DedupMinhash(), np.random.default_rng(5)
chain = Chain(sources(None)[1])
folder = Path({str(tmp_path)!r})
made = sketched = 0.0
for number in range({MANY} // 50_000):
    started = time.monotonic()
    texts = chain.grow(rng, rng.integers(8, 20, 50_000))
    names = [f"{{number:04d}}{{at:06d}}" for at in range(50_000)]
    texts[:500] = [text + " then" for text in texts[500:1000]]
    table = pl.DataFrame({{"problem_id": names, "question": texts}})
    made += time.monotonic() - started
    started = time.monotonic()
    stage.sketch(table, None).write_parquet(folder / f"{{number:04d}}.parquet")
    sketched += time.monotonic() - started
started = time.monotonic()
sketches = pl.concat([pl.read_parquet(file, memory_map=False) for file in sorted(folder.glob("*.parquet"))])
decision = stage.decide(sketches, None)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({{"peak": peak, "sketch": sketched, "decide": time.monotonic() - started, "gone": decision.dropped.height}}))
"""
    told = measure(sys.executable, "-c", program)
    print(
        f"\n{MANY:,} rows: peak {told['peak'] / GIB:.2f} GiB, sketches {told['sketch']:.0f} s, decision"
        f" {told['decide']:.0f} s, {told['gone']:,} go"
    )
    assert told["peak"] < 4 * GIB
