"""Requests a second against the mock server, beside peers; the memory of a long input; the tail that holds
nobody up.

Peers that are not installed here are run by the Python that DISTILLERY_BENCH_PEERS names (`make
bench-peers`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

CLIENTS = Path(__file__).parent / "clients"
ROOT = CLIENTS.parents[2]
PEERS = Path(os.environ.get("DISTILLERY_BENCH_PEERS", ROOT / ".venv-bench" / "bin" / "python"))
IN_FLIGHT = 256
ROUNDS = 3
STEADY = ("--latency-s", "0.02", "--latency-sigma", "0.5")


@contextmanager
def mock(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "distillery", "mock-server", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def measure(client: str, url: str, count: int, *more: str, python: str = sys.executable) -> dict[str, float]:
    command = [python, str(CLIENTS / client), url, str(count), str(IN_FLIGHT), *more]
    there = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, env=there)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def rate(client: str, url: str, count: int, *more: str, python: str = sys.executable) -> float:
    return measure(client, url, count, *more, python=python)["requests_per_s"]


def test_requests_a_second_with_every_completion_on_disk():
    peers = {"bare aiohttp loop": ("bare.py", 8000, (), sys.executable)}
    peers |= {
        "openai package": ("official.py", 1500, (), sys.executable),
        "openai package, aiohttp transport": ("official.py", 3000, ("aiohttp",), sys.executable),
    }
    if PEERS.exists():
        peers |= {
            "bespokelabs-curator": ("curator.py", 1500, (), str(PEERS)),
            "distilabel": ("distilabel_client.py", 1000, (), str(PEERS)),
        }
    found: dict[str, list[float]] = {name: [] for name in ("distillery", *peers)}
    with mock(*STEADY) as (url, _):
        for _ in range(ROUNDS):
            found["distillery"].append(rate("ours.py", url, 8000))
            for name, (client, count, more, python) in peers.items():
                found[name].append(rate(client, url, count, *more, python=python))
    print(f"\nrequests a second, concurrency {IN_FLIGHT}, medians of {ROUNDS} rounds in turn:")
    ours = median(found["distillery"])
    for name, rates in found.items():
        print(f"  {name:34} {median(rates):7,.0f}   distillery is {ours / median(rates):5.2f} times that")
    assert ours > median(found["openai package"])


def test_memory_stays_flat_however_long_the_input():
    most = int(os.environ.get("DISTILLERY_BENCH_PROBLEMS", "100000"))
    with mock() as (url, _):
        few = measure("ours.py", url, 10_000, "inline")["peak_mib"]
        many = measure("ours.py", url, most, "inline")["peak_mib"]
    print(f"\npeak memory: {few:,.0f} MiB at 10,000 problems, {many:,.0f} MiB at {most:,}")
    assert many - few < 300


def test_slow_answers_leave_no_slot_empty():
    tail = ("--latency-s", "0.1", "--slow-share", "0.02", "--slow-factor", "100")
    with mock(*tail) as (url, _):
        told = measure("tail.py", url, 12_000)
    print(
        f"\nin flight, 2 % of answers 100 times slower: {told['mean_in_flight']:.1f} of {IN_FLIGHT} on average"
    )
    assert told["mean_in_flight"] >= 0.95 * IN_FLIGHT


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
