"""`distillery prompts`: lists the prompts; `lock` takes new ones into prompts/LOCK and refuses changed ones."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from distillery.prompts import load_prompt, lock

ROOT = Path("prompts")


def main(arguments: argparse.Namespace) -> int:
    console = Console()
    if arguments.action == "lock":
        added = lock(ROOT)
        console.print(f"locked {', '.join(added)}" if added else "nothing new to lock")
        return 0
    for file in sorted(ROOT.glob("*.md")):
        prompt = load_prompt(file.stem.replace(".v", "@"), ROOT)
        console.print(
            f"{prompt.name:<28} {prompt.digest}  slots: {', '.join(sorted(prompt.slots)) or 'none'}"
        )
    return 0
