"""What no run refers to, and its removal.

Kept are the stage folders that any run names, the completions that those folders asked for, and every
completion of a
model whom an unfinished stage still asks.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from distillery.engines.request_store import RequestStore, Shelf, ShelfSize
from distillery.errors import StoreError
from distillery.stages import STAGES, stage_class
from distillery.stages.base import AskingStage
from distillery.store.stage_dir import FolderLock, StageDir

_TRASH = ".trash"
_STALE_S = 3600.0
_WORTH_CUTTING = 2**20  # free bytes of a shelf's file
_FOLDER = re.compile(r"[\w.]+-[0-9a-f]{16}")
_TEMPORARY = re.compile(r".+\.\d+\.tmp")  # as `distillery.store.stage_dir` names what it is about to rename


class What(StrEnum):
    FOLDER = "stage folders"
    COMPLETIONS = "completions"
    TEMPORARY = "temporary files"
    BROKEN_OFF = "left by a gc that was broken off"


@dataclass(frozen=True)
class Going:
    """One thing that no run refers to."""

    what: What
    name: str  # shown
    path: Path
    bytes: int
    count: int = 1


class References(NamedTuple):
    runs: int
    folders: frozenset[str]
    asking: Mapping[str, frozenset[str] | None]  # by folder of a stage that asks: its shelves; None: not said
    steps: Mapping[str, str]  # id by fingerprint, as models that stages made are known by it


@dataclass
class Survey:
    refs: References
    kept: int  # stage folders that a run names
    going: list[Going] = field(default_factory=list[Going])
    alone: list[str] = field(default_factory=list[str])  # what is left as it is, and why

    def of(self, what: What) -> list[Going]:
        return [one for one in self.going if one.what is what]


def read_references(runs: Path) -> References:
    """Of every run; a record that cannot be read stops the collection, for it may name anything."""
    folders: set[str] = set()
    asking: dict[str, frozenset[str] | None] = {}
    names: dict[str, str] = {}
    files = sorted({*runs.glob("*/*/run.json"), *runs.rglob("run.json")})
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            for step in json.loads(text)["steps"]:
                folders.add(step["folder"])
                names[step["fingerprint"]] = step["id"]
                if shelves := step.get("shelves"):
                    asking[step["folder"]] = frozenset(shelves)
                elif shelves is None and may_ask(step["use"]):
                    asking.setdefault(step["folder"], None)
            pipeline = file.with_name("pipeline.yaml")
            if pipeline.exists():  # it may name the model of a folder by its path
                folders |= set(_FOLDER.findall(pipeline.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{file}: not readable as the record of a run ({error!r}), so what it needs is unknown;"
                " repair it, or delete its folder if the run may go"
            ) from None
    return References(len(files), frozenset(folders), asking, names)


def may_ask(use: str) -> bool:
    """Whether a stage of this name asks an engine; one that this version does not have might."""
    return use not in STAGES or issubclass(stage_class(use), AskingStage)


def stage_folders(store: Path) -> list[str]:
    return sorted(path.name for path in store.iterdir() if path.is_dir() and _FOLDER.fullmatch(path.name))


def bytes_of(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a run may be at work there
                total += (Path(where) / name).lstat().st_size
    return total


def survey(store: Path, runs: Path, *, completions: bool = True) -> Survey:
    """What would go now, and why the rest of what looks unneeded stays. Changes nothing."""
    refs = read_references(runs)
    names = stage_folders(store)
    found = Survey(refs, len(refs.folders.intersection(names)))
    held = _held(store)
    for name in names:
        if name not in refs.folders and name not in held:
            found.going.append(Going(What.FOLDER, name, store / name, bytes_of(store / name)))
    found.alone += [
        f"{name}: no run names it, but a process works in it" for name in sorted(held - refs.folders)
    ]
    for path in _in_trash(store):
        found.going.append(Going(What.BROKEN_OFF, path.name, path, bytes_of(path)))
    quiet = [store / name for name in names if name in refs.folders - held]
    found.going += _stale([store, store / "requests", *quiet], runs)
    if completions:
        _survey_shelves(store, Claims(refs, store, held), found)
    return found


def _survey_shelves(store: Path, claims: Claims, found: Survey) -> None:
    whole: dict[str, list[ShelfSize]] = {}  # by why
    for shelf in RequestStore(store / "requests").shelves():
        with closing(shelf):
            size = shelf.size()
            if why := claims.why_whole(shelf.name):
                whole.setdefault(why, []).append(size)
            else:
                _survey_shelf(shelf, size, claims, found)
    for why, sizes in whole.items():
        models = model_of(sizes[0].identity, found.refs) if len(sizes) == 1 else f"{len(sizes)} models"
        count = sum(size.completions for size in sizes)
        found.alone.append(f"all {count:,} completions of {models}: {why}")


def _survey_shelf(shelf: Shelf, size: ShelfSize, claims: Claims, found: Survey) -> None:
    name = f"completions of {model_of(size.identity, found.refs)}"
    rest = shelf.rest(claims.keys(shelf.name))
    shelf.close()
    empty = rest.completions == size.completions
    if not (empty or rest.completions or rest.free_bytes >= _WORTH_CUTTING):
        return
    if shelf.in_use():
        found.alone.append(f"{rest.completions:,} of the {name}: a process works with them")
        return
    weight = size.bytes if empty else rest.bytes + rest.free_bytes
    found.going.append(Going(What.COMPLETIONS, name, shelf.file, weight, rest.completions))


class Claims:
    """What of the request store the kept folders stand on. `held`: the folders that processes work in."""

    def __init__(self, refs: References, store: Path, held: Collection[str]) -> None:
        self._refs, self._store = refs, store
        self._whole: dict[str, str] = {}  # by shelf: why
        self._all = ""
        for name, shelves in refs.asking.items():
            if why := self._why_owed(name):
                self._whole |= dict.fromkeys(shelves or (), why)
                self._all = self._all or (why if shelves is None else "")
        for name in held:
            if name not in refs.folders and may_ask(name.rpartition("-")[0]):
                self._all = f"{name} is at work, and no run says whom it asks"

    def why_whole(self, shelf: str) -> str:
        """Why nothing of it may go; empty where the keys say what may not."""
        return self._all or self._whole.get(shelf, "")

    def keys(self, shelf: str) -> Iterator[str]:
        for name in sorted(self._refs.folders):
            shelves = self._refs.asking.get(name)
            if shelves is None or shelf in shelves:
                yield from StageDir(self._store / name).asked()

    def _why_owed(self, name: str) -> str:
        folder = StageDir(self._store / name)
        try:
            if folder.done() is None:
                return f"{name} is not finished"
            return "" if folder.tells_all_asked() else f"{name} does not say what it asked for"
        except StoreError:
            return f"{name} is damaged"


def remove(found: Survey, store: Path, runs: Path) -> tuple[list[Going], list[str]]:
    """What went, and what did not and why. Broken off anywhere, the next call goes on.

    A run may begin at any moment: it writes its record first, and looks for its folders then. So a folder is
    first
    moved aside, and comes back if by then a run names it.
    """
    lock = FolderLock(store / _TRASH)
    if not lock.acquire():
        raise StoreError(f"{store / _TRASH}: another gc is at work here; wait for it")
    try:
        _empty_trash(store)
        removed, alone = found.of(What.BROKEN_OFF), list[str]()
        removed += _put_aside(found.of(What.FOLDER), store, runs)
        _empty_trash(store)
        for going in found.of(What.TEMPORARY):
            going.path.unlink(missing_ok=True)
            removed.append(going)
        for going in found.of(What.COMPLETIONS):
            before = _size(going.path)
            if why := _cut(Shelf(going.path, None), store, runs):
                alone.append(f"{going.name}: {why}")
            elif before > (after := _size(going.path)):
                removed.append(
                    replace(
                        going, count=before.completions - after.completions, bytes=before.bytes - after.bytes
                    )
                )
    except OSError as error:
        raise StoreError(f"{error.filename or store}: cannot be removed ({error.strerror})") from None
    finally:
        lock.release()
    return removed, alone


def _put_aside(folders: Iterable[Going], store: Path, runs: Path) -> list[Going]:
    moved: list[Going] = []
    for going in folders:
        lock = FolderLock(going.path)
        if going.path.is_dir() and lock.acquire():
            try:
                going.path.rename(store / _TRASH / going.name)
            finally:
                lock.release()
            moved.append(going)
    named = read_references(runs).folders
    for going in moved:
        if going.name in named and not going.path.exists():
            (store / _TRASH / going.name).rename(going.path)
    return [going for going in moved if not going.path.exists()]


def _cut(shelf: Shelf, store: Path, runs: Path) -> str:
    """Why nothing was removed from the shelf; the runs are asked anew, for one may have begun."""
    claims = Claims(read_references(runs), store, _held(store))
    if why := claims.why_whole(shelf.name):
        return why
    return "" if shelf.keep_only(claims.keys(shelf.name)) else "a process works with them"


class _Size(NamedTuple):
    completions: int
    bytes: int


def _size(file: Path) -> _Size:
    if not file.exists():
        return _Size(0, 0)
    with closing(Shelf(file, None)) as shelf:
        size = shelf.size()
    return _Size(size.completions, size.bytes)


def _held(store: Path) -> set[str]:
    """Folders that a process works in, now."""
    found: set[str] = set()
    for name in stage_folders(store):
        lock = FolderLock(store / name)
        if (store / name / ".lock").exists() and not lock.acquire():
            found.add(name)
        lock.release()
    return found


def _in_trash(store: Path) -> list[Path]:
    return sorted(path for path in (store / _TRASH).glob("*") if path.is_dir())


def _empty_trash(store: Path) -> None:
    for path in _in_trash(store):
        if path.is_symlink():  # someone keeps the folder elsewhere; what is there is not ours
            path.unlink()
        else:
            shutil.rmtree(path)


def _stale(folders: Iterable[Path], runs: Path) -> list[Going]:
    """Temporary files that nobody will rename any more."""
    files = [file for folder in folders for file in folder.glob("*.tmp")] + list(runs.rglob("*.tmp"))
    found: list[Going] = []
    for file in files:
        with contextlib.suppress(FileNotFoundError):  # renamed this moment
            facts = file.lstat()
            old = facts.st_mtime < time.time() - _STALE_S
            if old and stat.S_ISREG(facts.st_mode) and _TEMPORARY.fullmatch(file.name):
                found.append(Going(What.TEMPORARY, f"{file.parent.name}/{file.name}", file, facts.st_size))
    return found


def model_of(identity: str, refs: References) -> str:
    """The model of an engine's identity, with what else sets it apart; of a model that a stage made, the
    stage."""
    known = json.loads(identity) if identity else {}
    if not isinstance(known, dict) or "model" not in known:
        return identity or "an unnamed model"
    model = str(known["model"])
    rest = [f"{name}={value}" for name, value in known.items() if name != "model"]
    if maker := refs.steps.get(model.removeprefix("stage:")):
        model, rest = maker, [model, *rest]
    return f"{model} ({', '.join(rest)})" if rest else model
