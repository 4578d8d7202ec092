"""Megabytes a second of filter.quality over real traces, beside datatrove's GopherRepetitionFilter on the same rows.

datatrove is run by the Python that DISTILLERY_BENCH_PEERS names, where that has it.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from statistics import median

import polars as pl
import pytest

from distillery.reasoning import join

CLIENTS = Path(__file__).parent / "clients"
ROOT = CLIENTS.parents[2]
PEERS = Path(os.environ.get("DISTILLERY_BENCH_PEERS", ROOT / ".venv-bench" / "bin" / "python"))
SETS = ("gsm8k_test_a", "math500_a", "misguided_attention", "unanswerable")
SHARDS, ROUNDS, PEER_S = 8, 3, 15


def measure(python: str | Path, client: str, *arguments: str | int) -> dict[str, float]:
    command = [str(python), str(CLIENTS / client), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def traces(real_data: Path, tmp_path: Path) -> Path:
    """Folder with 32.6 MB of long thoughts in 8 shards, in mixed order."""
    rows = []
    for name in SETS:
        with gzip.open(real_data / f"traces_{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows += [json.loads(line) for line in lines]
    random.Random(1).shuffle(rows)
    table = pl.DataFrame(
        {
            "trace_id": [row["id"] for row in rows],
            "question": [row["question"] for row in rows],
            "text": [join(row["reasoning"] or "", row["answer"] or "") for row in rows],
            "language": ["en"] * len(rows),
        }
    )
    for shard in range(SHARDS):
        table.gather_every(SHARDS, shard).write_parquet(tmp_path / f"{shard}.parquet")
    (tmp_path / "texts.json").write_text(json.dumps(table["text"].to_list()))
    return tmp_path


@pytest.mark.timeout(900)
def test_megabytes_a_second_with_all_filters_on(traces: Path):
    runs = {"distillery, 1 process": (sys.executable, "filter_ours.py", 1)}
    runs["distillery, 2 processes"] = (sys.executable, "filter_ours.py", 2)
    has_peer = (
        PEERS.exists()
        and not subprocess.run([PEERS, "-c", "import datatrove"], capture_output=True).returncode
    )
    if has_peer:
        runs["datatrove, GopherRepetitionFilter alone, 1 process"] = (PEERS, "filter_datatrove.py", PEER_S)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, (python, client, argument) in runs.items():
            found[name].append(measure(python, client, traces, argument))
    print(
        f"\nMB a second over real traces, medians of {ROUNDS} rounds in turn (and for each second of processor time):"
    )
    for name, told in found.items():
        rate = median(run["mb_per_s"] for run in told)
        alone = f"  ({median(run['mb_per_cpu_s'] for run in told):.2f})" if "mb_per_cpu_s" in told[0] else ""
        print(f"  {name:52} {rate:7.2f}{alone}")
    ours = [run["kept"] for name, told in found.items() if name.startswith("distillery") for run in told]
    assert len(set(ours)) == 1
    if has_peer:
        peer = found["datatrove, GopherRepetitionFilter alone, 1 process"]
        first = found["distillery, 1 process"]
        assert median(run["mb_per_cpu_s"] for run in first) > median(run["mb_per_cpu_s"] for run in peer)
