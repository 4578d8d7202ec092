"""`distillery doctor`: what this machine can run, and what to install where it cannot."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from distillery import sandbox
from distillery.runner.record import versions

_OPTIONAL = {
    "torch": "training and the transformers engine: pip install 'distillery[train]'",
    "trl": "training: pip install 'distillery[train]'",
    "vllm": "the vllm engine: pip install 'distillery[vllm]'",
    "reasoning_gym": "puzzles, ingest.reasoning_gym: pip install 'distillery[puzzles]'",
    "ray": "--executor ray: pip install 'distillery[ray]'",
}


def main(_arguments: argparse.Namespace) -> int:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, (well, text) in _findings().items():
        table.add_row("[green]ok[/]" if well else "[yellow]--[/]", name, escape(text))
    Console().print(table)
    return 0


def _findings() -> dict[str, tuple[bool, str]]:
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {"machine": (True, f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.platform()}")}
    found["gpu"] = _gpu()
    why_not = sandbox.available()
    works = "bubblewrap works: programs are run without network and system"
    found["sandbox"] = (why_not is None, why_not or works)
    for package, purpose in _OPTIONAL.items():
        here = find_spec(package) is not None
        found[package] = (here, "installed" if here else f"not installed; {purpose}")
    found["versions"] = (True, ", ".join(f"{name} {version}" for name, version in versions().items()))
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    found["disk"] = (free > 10, f"{free:.0f} GiB free here; the 800k set takes about 40 GiB with its traces")
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "DEEPSEEK_API_KEY"):
        found[name] = (name in os.environ, "set" if name in os.environ else "not set")
    return found


def _gpu() -> tuple[bool, str]:
    if shutil.which("nvidia-smi") is None:
        return False, "no NVIDIA driver; pipelines/quickstart.yaml needs none"
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False, "nvidia-smi did not answer in 20 s"
    lines = "; ".join(answer.stdout.strip().splitlines())
    return answer.returncode == 0, lines or answer.stderr.strip()
