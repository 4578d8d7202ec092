"""`distillery verify-run`: whether every file of a run is, byte for byte, what its manifest says."""

from __future__ import annotations

import argparse
import json

from rich.console import Console
from rich.markup import escape

from distillery.errors import ConfigError, StoreError
from distillery.report.console import mib
from distillery.runner.manifest import check
from distillery.runner.record import versions
from distillery.store.runs import find_run

_MOST_SHOWN = 20


def main(arguments: argparse.Namespace) -> int:
    """0: all as it was; 4: something is not."""
    console = Console(soft_wrap=True)
    run = find_run(arguments.run, arguments.data_dir)
    file = run / "manifest.json"
    if not file.is_file():
        raise ConfigError(f"{file}: there is none; a run writes it when it is done: run its pipeline again")
    known = json.loads(file.read_text(encoding="utf-8"))
    faults: list[str] = []
    files = size = 0
    for step in check(known, arguments.data_dir / "store"):
        verdict = f"{len(step.faults)} faults" if step.faults else "as it was"
        console.print(f"{step.id:<26} {step.files:>6} files  {mib(step.bytes):>10} MiB  {verdict}")
        faults += step.faults
        files, size = files + step.files, size + step.bytes
    for fault in faults[:_MOST_SHOWN]:
        console.print(escape(fault))
    if len(faults) > _MOST_SHOWN:
        console.print(f"and {len(faults) - _MOST_SHOWN:,} more")
    for name, now in versions().items():
        if (then := known["versions"].get(name)) not in (None, now):
            console.print(f"made with {name} {then}; here is {now}")
    verdict = f"{len(faults):,} faults" if faults else "all as the manifest says"
    console.print(f"{known['pipeline']}: {files:,} files, {mib(size)} MiB: {verdict}")
    return StoreError.exit_code if faults else 0
