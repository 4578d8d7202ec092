"""`distillery prompts`: lists what a pipeline here could name; `lock` takes new ones into ./prompts/LOCK."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from distillery.errors import ConfigError
from distillery.prompts import HERE, known_prompts, load_prompt, lock, prompt_folders


def main(arguments: argparse.Namespace) -> int:
    console = Console()
    if arguments.action == "lock":
        if not HERE.is_dir():
            raise ConfigError(f"prompts lock: no folder {HERE} (working directory: {Path.cwd()})")
        added = lock(HERE)
        console.print(f"locked {', '.join(added)}" if added else "nothing new to lock")
        return 0
    folders = prompt_folders()
    for name in known_prompts(*folders):
        prompt = load_prompt(name, *folders)
        slots = ", ".join(sorted(prompt.slots)) or "none"
        console.print(f"{prompt.name:<28} {prompt.digest}  slots: {slots}")
    return 0
