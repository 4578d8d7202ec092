"""`distillery prompts`: lists the prompts; `lock` takes new ones into prompts/LOCK and refuses changed ones."""

from __future__ import annotations

import argparse

from rich.console import Console

from distillery.prompts import load_prompt, lock, prompt_root


def main(arguments: argparse.Namespace) -> int:
    console = Console()
    if arguments.action == "lock":
        added = lock(prompt_root())
        console.print(f"locked {', '.join(added)}" if added else "nothing new to lock")
        return 0
    for file in sorted(prompt_root().glob("*.md")):
        prompt = load_prompt(file.stem.replace(".v", "@"), prompt_root())
        console.print(
            f"{prompt.name:<28} {prompt.digest}  slots: {', '.join(sorted(prompt.slots)) or 'none'}"
        )
    return 0
