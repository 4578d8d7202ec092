"""What is on disk. A shard exists when its file does; a stage is done when stage.json does.

Everything is written under a temporary name and renamed; the marker comes last. One writer a folder, held by
a
file lock that the kernel gives back when its owner dies.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from distillery import shards
from distillery.errors import StoreError
from distillery.hashing import sha256
from distillery.records import LEDGER, empty
from distillery.stages.base import Output
from distillery.stages.note import Note


class Sums(NamedTuple):
    """Over some shards."""

    rows_in: int
    rows_out: int
    rows_dropped: int
    counts: Mapping[str, float]


@dataclass(frozen=True)
class StageDir:
    """The folder of one piece of work, named by its fingerprint and shared by all runs; `id`: what the line
    at hand calls it, whoever made it first."""

    path: Path
    id: str = ""

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    def has(self, shard: int) -> bool:
        return self.shard(shard).exists()

    def write(self, shard: int, output: Output, rows_in: int, *, over: shards.Over | None = None) -> None:
        """Ledger and counts first, then rows: the rows' file is the one that says the shard is done.

        With `over` the kept rows are written over their base, and those of `output` are not written.
        """
        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            shards.write(self.dropped(shard), output.dropped)
            note = {"rows_in": rows_in, "metrics": output.metrics}
            replace_text(self.path / f"note-{shard:05d}.json", json.dumps(note))
            if over is None:
                shards.write(self.shard(shard), output.kept)
            else:
                shards.write_over(self.shard(shard), over)

    def write_asked(self, shard: int, keys: Sequence[str]) -> None:
        """Keys of the shard's requests: what of the request store this folder stands on."""
        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            table = pl.DataFrame({"key": keys}, schema={"key": pl.String()})
            shards.write(self.path / f"asked-{shard:05d}.parquet", table)

    def asked(self) -> Iterator[str]:
        for file in sorted(self.path.glob("asked-*.parquet")):
            yield from shards.read(file)["key"]

    def tells_all_asked(self) -> bool:
        """Whether it is finished and `asked` has the requests of every shard; of none, where none was
        needed."""
        note = self.done()
        return note is not None and all(
            (self.path / f"asked-{shard:05d}.parquet").exists() for shard in range(note.shards)
        )

    def read(self, shard: int) -> pl.DataFrame:
        return shards.read(self.shard(shard))

    def write_sketch(self, shard: int, sketch: pl.DataFrame) -> None:
        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            shards.write(self.sketch(shard), sketch)

    def read_sketch(self, shard: int) -> pl.DataFrame | None:
        return shards.read(self.sketch(shard)) if self.sketch(shard).exists() else None

    def shards(self) -> list[Path]:
        """Every rows file of a finished stage, in order."""
        note = self.done()
        if note is None:
            raise StoreError(f"{self.path}: not finished; run its pipeline first")
        return [self.shard(n) for n in range(note.shards)]

    def ledgers(self) -> list[Path]:
        return sorted(self.path.glob("dropped-*.parquet"))

    def ledger(self) -> pl.DataFrame:
        tables = [shards.read(file) for file in self.ledgers()]
        return pl.concat(tables) if tables else empty(LEDGER)

    def count(self, shard: int) -> tuple[int, int]:
        """Rows kept and rows in the ledger, from the files' footers."""
        return _rows(self.shard(shard)), _rows(self.dropped(shard))

    def on_disk(self) -> list[int]:
        """The shards that there are so far."""
        return sorted(int(file.stem.removeprefix("shard-")) for file in self.path.glob("shard-*.parquet"))

    def sums(self, shards: Iterable[int]) -> Sums:
        """Rows and counts, added up over these shards."""
        rows_in = rows_out = rows_dropped = 0
        counts: dict[str, float] = {}
        for shard in shards:
            note = json.loads((self.path / f"note-{shard:05d}.json").read_text())
            kept, dropped = self.count(shard)
            rows_in, rows_out, rows_dropped = (
                rows_in + note["rows_in"],
                rows_out + kept,
                rows_dropped + dropped,
            )
            for name, value in note["metrics"].items():
                counts[name] = counts.get(name, 0.0) + value
        return Sums(rows_in, rows_out, rows_dropped, counts)

    def finish(self, note: Note) -> None:
        with disk_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            for sketch in self.path.glob("sketch-*.parquet"):
                sketch.unlink()
            files = {str(file.relative_to(self.path)): sha256(file) for file in self.results()}
            replace_text(self.path / "stage.json", replace(note, files=files).text())

    def results(self) -> list[Path]:
        """What the stage made: rows, ledgers, a model, a folder for other people."""
        made = [*self.path.glob("shard-*.parquet"), *self.ledgers()]
        folders = (self.model, self.path / "out")
        made += [file for folder in folders for file in folder.rglob("*") if file.is_file()]
        return sorted(made)

    def note(self) -> Note | None:
        """What its marker says; None where there is none."""
        file = self.path / "stage.json"
        if not file.exists():
            return None
        try:
            note = Note.read(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise StoreError(f"{file}: not JSON of a stage ({error}); delete the folder to redo it") from None
        return replace(note, id=self.id) if self.id else note

    def done(self) -> Note | None:
        """The same, once all that it promises is seen to be there."""
        note = self.note()
        if note is None:
            return None
        absent = [n for n in range(note.shards) if not self.has(n)]
        if absent:
            raise StoreError(
                f"{self.path}: says done with {note.shards} shards but lacks {absent}; delete it to redo"
            )
        if note.model and not self.model.is_dir():
            raise StoreError(f"{self.path}: says done but has no model folder; delete it to redo")
        return note

    def shard(self, shard: int) -> Path:
        return self.path / f"shard-{shard:05d}.parquet"

    def dropped(self, shard: int) -> Path:
        return self.path / f"dropped-{shard:05d}.parquet"

    def sketch(self, shard: int) -> Path:
        return self.path / f"sketch-{shard:05d}.parquet"


class FolderLock:
    """One writer a folder; the kernel gives the lock back when its owner dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None

    def acquire(self) -> bool:
        """True once this process holds the folder; False while another one does."""
        with disk_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            file = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextlib.contextmanager
def disk_errors(place: Path) -> Generator[None]:
    """A full or read-only disk is said in one line, with what is left; what is already written stays."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG):
            raise
        existing = next(p for p in (place, *place.parents) if p.exists())
        free = shutil.disk_usage(existing).free
        raise StoreError(
            f"{place}: {os.strerror(error.errno)} ({free / 2**20:.0f} MiB free); make room, then run the same"
            " command again: finished shards are kept"
        ) from None


def replace_text(file: Path, text: str) -> None:
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def _rows(file: Path) -> int:
    return shards.rows(file) if file.exists() else 0
