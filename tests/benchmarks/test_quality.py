"""Megabytes a second of filter.quality over real traces, beside datatrove's filters on the same rows.

datatrove's GopherRepetitionFilter and LanguageFilter are run by the Python that DISTILLERY_BENCH_PEERS names,
where it
has them. Neither looks for most of what filter.quality looks for.
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
from typing import Any

import polars as pl
import pytest

from distillery.reasoning import join

CLIENTS = Path(__file__).parent / "clients"
ROOT = CLIENTS.parents[2]
PEERS = Path(os.environ.get("DISTILLERY_BENCH_PEERS", ROOT / ".venv-bench" / "bin" / "python"))
SETS = ("gsm8k_test_a", "math500_a", "misguided_attention", "unanswerable")
SHARDS, ROUNDS, PEER_S = 8, 3, 15


def measure(python: str | Path, client: str, *arguments: str | int) -> dict[str, Any]:
    command = [str(python), str(CLIENTS / client), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def peers() -> dict[str, str]:
    """datatrove's filters that run here, by the names that their client knows; says which do not, and why."""
    found: dict[str, str] = {}
    for filters in ("repetition", "language", "repetition+language"):
        command = [str(PEERS), str(CLIENTS / "filter_datatrove.py"), "--check", filters]
        done = (
            subprocess.run(command, capture_output=True, text=True, timeout=600) if PEERS.exists() else None
        )
        if done and not done.returncode:
            found[f"datatrove, {filters}, 1 process"] = filters
        else:
            why = done.stderr.strip().splitlines()[-1] if done else f"no Python at {PEERS}"
            print(f"\nnot measured: datatrove, {filters}: {why}")
    return found


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


@pytest.mark.timeout(1800)
def test_megabytes_a_second_with_all_filters_on(traces: Path):
    runs: dict[str, tuple[str, str, int]] = {
        "distillery, 1 process": (sys.executable, "filter_ours.py", 1),
        "distillery, 2 processes": (sys.executable, "filter_ours.py", 2),
    }
    beside = {name: (PEERS, "filter_datatrove.py", PEER_S, filters) for name, filters in peers().items()}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*runs, *beside)}
    for _ in range(ROUNDS):
        for name, (python, client, *arguments) in (runs | beside).items():
            found[name].append(measure(python, client, traces, *arguments))
    print(
        f"\nMB a second over real traces, medians of {ROUNDS} rounds in turn (and for each second of processor time):"
    )
    for name, told in found.items():
        rate = median(run["mb_per_s"] for run in told)
        alone = f"  ({median(run['mb_per_cpu_s'] for run in told):.2f})"
        print(f"  {name:48} {rate:7.2f}{alone}  {told[0].get('model', '')}")
    ours = [run["kept"] for name in runs for run in found[name]]
    assert len(set(ours)) == 1
    first = median(run["mb_per_cpu_s"] for run in found["distillery, 1 process"])
    assert all(first > median(run["mb_per_cpu_s"] for run in found[name]) for name in beside)
