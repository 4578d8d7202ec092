"""Prompts are files. A published one never changes: prompts/LOCK holds its digest.

A prompt's file holds a remark for its readers, then turns that begin with `## system`, `## user` or
`## assistant`, with slots written `{{ name }}`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from distillery.engines.base import Messages
from distillery.errors import ConfigError
from distillery.hashing import digest
from distillery.installed.shipped import ROOT

_NAME = re.compile(r"(\w+(?:\.\w+)*)@(\d+)")
_TURN = re.compile(r"^## (system|user|assistant)\n", re.MULTILINE)
_SLOT = re.compile(r"\{\{ (\w+) \}\}")


HERE = Path("prompts")


def prompt_folders(pipeline: Path | None = None) -> tuple[Path, ...]:
    """Where prompts are looked for, each by itself: beside the pipeline, in the working directory, in the
    program."""
    beside = () if pipeline is None else (pipeline.parent / "prompts",)
    return tuple(folder for folder in (*beside, HERE, ROOT / "prompts") if folder.is_dir())


@dataclass(frozen=True)
class Prompt:
    name: str  # "solve.boxed@2"
    turns: Messages

    @cached_property
    def digest(self) -> str:
        return digest([list(turn) for turn in self.turns])

    @cached_property
    def slots(self) -> frozenset[str]:
        return frozenset(slot for _, text in self.turns for slot in _SLOT.findall(text))

    def render(self, **values: str) -> Messages:
        """The turns with their slots filled; a slot's name inside a value stays as it is."""
        if values.keys() != self.slots:
            raise ConfigError(
                f"prompt {self.name}: has slots {sorted(self.slots)}, was given {sorted(values)}"
            )
        return tuple((role, _SLOT.sub(lambda m: values[m[1]], text)) for role, text in self.turns)


def load_prompt(name: str, *folders: Path) -> Prompt:
    """The first that there is. Checked against its folder's LOCK; one that is not in it yet is a draft, and
    may change."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"prompt {name!r}: is not a name and a version; write it like solve.boxed@1")
    files = [folder / f"{name.replace('@', '.v')}.md" for folder in folders]
    for file in files:
        _refuse_changed(file, _locked(file.parent))
        if file.is_file():
            return _read(name, file)
    places = ", ".join(map(str, folders))
    raise ConfigError(f"no prompt {name!r} in {places}; known prompts: {', '.join(known_prompts(*folders))}")


def known_prompts(*folders: Path) -> list[str]:
    return sorted({file.stem.replace(".v", "@") for folder in folders for file in folder.glob("*.md")})


def load_template(name: str, *folders: Path) -> str:
    """A chat template, from `templates` in the first of the folders that has it."""
    for folder in folders:
        if (file := folder / "templates" / name).is_file():
            return file.read_text(encoding="utf-8")
    places = ", ".join(str(folder / "templates") for folder in folders)
    known = ", ".join(known_templates(*folders)) or "none"
    raise ConfigError(f"chat_template: no file {name} in {places}; there are {known}")


def known_templates(*folders: Path) -> list[str]:
    return sorted({file.name for folder in folders for file in folder.glob("templates/*.jinja")})


def _read(name: str, file: Path) -> Prompt:
    _, *pieces = _TURN.split(file.read_text())
    turns = tuple((role, text.strip()) for role, text in zip(pieces[::2], pieces[1::2], strict=True))
    if not turns or turns[-1][0] != "user":
        raise ConfigError(f"prompt {file}: must end with a turn that begins with a line '## user'")
    return Prompt(name, turns)


def lock(root: Path) -> list[str]:
    """Publishes what is not yet in LOCK and returns its names; a changed or lost prompt is a ConfigError."""
    locked = _locked(root)
    for name in locked:
        _refuse_changed(root / name, locked)
    new = sorted(file.name for file in root.glob("*.md") if file.name not in locked)
    if new:
        whole = locked | {name: _digest(root / name) for name in new}
        text = "".join(f"{whole[name]}  {name}\n" for name in sorted(whole))
        draft = root / "LOCK.new"
        draft.write_text(text)
        draft.replace(root / "LOCK")
    return new


def _locked(root: Path) -> dict[str, str]:
    """File names and digests, in the form that `sha256sum -c` reads."""
    file = root / "LOCK"
    if not file.is_file():
        return {}
    lines = [line.split("  ", 1) for line in file.read_text().splitlines() if line]
    if any(len(line) != 2 for line in lines):
        raise ConfigError(f"{file}: has a line that is not 'sha256  file name'; restore it")
    return {name: sha for sha, name in lines}


def _refuse_changed(file: Path, locked: dict[str, str]) -> None:
    if file.name in locked and not file.is_file():
        raise ConfigError(f"prompt {file}: is published in LOCK and gone; restore it")
    if file.name in locked and _digest(file) != locked[file.name]:
        raise ConfigError(
            f"prompt {file}: was changed after it was published; restore it and add a new version"
        )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
