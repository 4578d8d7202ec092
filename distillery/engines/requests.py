"""The request store: every completion ever paid for, by request key.

One SQLite file a model (WAL), so that a batch is one transaction and a model's completions can be weighed or
removed as a file. A committed completion survives `kill -9`; several processes may write at once.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import zstandard

from distillery.engines.base import Completion
from distillery.errors import StoreError
from distillery.hashing import Json, digest

_BUSY_S = 60.0  # how long a writer waits for another process's transaction
_SCHEMA = """
CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS engine (identity TEXT PRIMARY KEY);
"""


@dataclass(frozen=True, slots=True)
class ShelfSize:
    identity: str  # JSON of the engine's identity
    completions: int
    bytes: int  # on disk, the write-ahead log included


class RequestStore:
    """A folder of shelves, one for each engine identity."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def shelf(self, identity: Json) -> Shelf:
        return Shelf(self.root / f"{digest(identity)}.sqlite", identity)

    def sizes(self) -> list[ShelfSize]:
        """Largest first."""
        found: list[ShelfSize] = []
        for file in sorted(self.root.glob("*.sqlite")):
            shelf = Shelf(file, None)
            found.append(shelf.size())
            shelf.close()
        return sorted(found, key=lambda size: size.bytes, reverse=True)


class Shelf:
    """The completions of one model. Opened at first use, and anew in a forked child; safe between threads."""

    def __init__(self, file: Path, identity: Json) -> None:
        self._file = file
        self._identity = identity
        self._lock = threading.Lock()
        self._opened: tuple[int, sqlite3.Connection] | None = None  # with the process that opened it

    def get_many(self, keys: Sequence[str]) -> dict[str, Completion]:
        """The completions that are there."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT key, value FROM completions WHERE key IN (SELECT value FROM json_each(?))",
                (json.dumps(list(keys)),),
            ).fetchall()
        return {key: _unpack(key, value, self._file) for key, value in rows}

    def put_many(self, completions: Sequence[Completion]) -> None:
        """All of them or, if the process dies meanwhile, none."""
        rows = [(completion.key, _pack(completion)) for completion in completions]
        with self._connection() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO completions VALUES (?, ?)", rows)

    def size(self) -> ShelfSize:
        with self._connection() as connection:
            (count,) = connection.execute("SELECT count(*) FROM completions").fetchone()
            identity = connection.execute("SELECT identity FROM engine").fetchone()
        files = [self._file, self._file.with_name(self._file.name + "-wal")]
        weight = sum(file.stat().st_size for file in files if file.exists())
        return ShelfSize(identity[0] if identity else "", count, weight)

    def close(self) -> None:
        with self._lock:
            if self._opened and self._opened[0] == os.getpid():
                self._opened[1].close()
            self._opened = None

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._opened is None or self._opened[0] != os.getpid():
                    self._opened = (os.getpid(), self._open())
                yield self._opened[1]
            except sqlite3.Error as error:
                raise StoreError(
                    f"request store {self._file}: {error}; free the disk, or move the file away "
                    "to ask for its completions again"
                ) from error

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL: a killed process loses nothing; a power cut may lose the newest transactions, never the file
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        if self._identity is not None:
            text = json.dumps(self._identity, sort_keys=True, ensure_ascii=False)
            connection.execute("INSERT OR IGNORE INTO engine VALUES (?)", (text,))
        return connection


def _pack(completion: Completion) -> bytes:
    value = asdict(completion)
    del value["key"]
    return zstandard.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _unpack(key: str, value: bytes, file: Path) -> Completion:
    try:
        return Completion(key=key, **json.loads(zstandard.decompress(value)))
    except (zstandard.ZstdError, ValueError, TypeError) as error:
        raise StoreError(f"request store {file}: completion {key} is unreadable ({error})") from error
