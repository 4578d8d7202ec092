"""The files that come with the program: prompts, pipelines and seeds, of its checkout or out of the installed
wheel."""

from __future__ import annotations

from pathlib import Path

_PACKED = Path(__file__).parents[1] / "_shipped"  # where the wheel has them, see pyproject.toml
IN_CHECKOUT = not _PACKED.is_dir()
ROOT = Path(__file__).parents[2] if IN_CHECKOUT else _PACKED
_FOLDERS = ("prompts", "pipelines", "data/seeds")


def find(path: str | Path) -> Path:
    """`path`; where nothing lies there, the program's own file of that name, such as
    data/seeds/general.jsonl."""
    here, ours = Path(path), ROOT / path
    known = ".." not in here.parts and any(here.is_relative_to(folder) for folder in _FOLDERS)
    return ours if known and not here.exists() and ours.is_file() else here
