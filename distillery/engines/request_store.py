"""The request store: every completion ever paid for, by request key.

One SQLite file a model (WAL), so that a batch is one transaction and a model's completions can be weighed or
removed by themselves. A committed completion survives `kill -9`; several processes may write at once.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import zstandard

from distillery.engines.base import Completion
from distillery.errors import StoreError
from distillery.hashing import Json, digest

_BUSY_S = 60.0  # how long a writer waits for another process's transaction
_PAGES_AT_ONCE = 16_384  # given back in one transaction: 64 MiB of write-ahead log
_SCHEMA = """
CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS engine (identity TEXT PRIMARY KEY);
"""
_REST = "FROM completions WHERE key NOT IN temp.wanted"

_PACKED = tuple(field.name for field in fields(Completion) if field.name != "key")
_WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ShelfSize:
    identity: str  # JSON of the engine's identity
    completions: int
    bytes: int  # on disk, the write-ahead log included


@dataclass(frozen=True, slots=True)
class Rest:
    """What a shelf could do without."""

    completions: int
    bytes: int
    free_bytes: int  # of the file, that hold nothing any more


def shelf_name(identity: Json) -> str:
    """What a shelf's file is called, without its ending."""
    return digest(identity)


class RequestStore:
    """A folder of shelves, one for each engine identity."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def shelf(self, identity: Json) -> Shelf:
        return Shelf(self.root / f"{shelf_name(identity)}.sqlite", identity)

    def shelves(self) -> list[Shelf]:
        """Those on disk."""
        return [Shelf(file, None) for file in sorted(self.root.glob("*.sqlite"))]

    def sizes(self) -> list[ShelfSize]:
        """Largest first."""
        found: list[ShelfSize] = []
        for shelf in self.shelves():
            with closing(shelf):
                found.append(shelf.size())
        return sorted(found, key=lambda size: size.bytes, reverse=True)


class Shelf:
    """The completions of one model. Opened at first use, and anew in a forked child; safe between threads."""

    def __init__(self, file: Path, identity: Json) -> None:
        self.file = file
        self._identity = identity
        self._lock = threading.Lock()
        self._opened: tuple[int, sqlite3.Connection] | None = None  # with the process that opened it

    @property
    def name(self) -> str:
        return self.file.stem

    def get_many(self, keys: Sequence[str]) -> dict[str, Completion]:
        """The completions that are there."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT key, value FROM completions WHERE key IN (SELECT value FROM json_each(?))",
                (json.dumps(list(keys)),),
            ).fetchall()
        return {key: _unpack(key, value, self.file) for key, value in rows}

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
        files = [self.file, self.file.with_name(self.file.name + "-wal")]
        weight = sum(file.stat().st_size for file in files if file.exists())
        return ShelfSize(identity[0] if identity else "", count, weight)

    def tokens(self) -> tuple[int, int, int]:
        """Completions, tokens of their prompts, tokens of theirs."""
        count = read = written = 0
        with self._connection() as connection:
            for key, value in connection.execute("SELECT key, value FROM completions"):
                found = _unpack(key, value, self.file)
                count, read, written = (
                    count + 1,
                    read + found.prompt_tokens,
                    written + found.completion_tokens,
                )
        return count, read, written

    def rest(self, keys: Iterable[str]) -> Rest:
        """What is there besides the completions of these keys; in bounded memory, however many they are."""
        with self._connection() as connection:
            _want(connection, keys)
            count, weight = connection.execute(f"SELECT count(*), total(length(value)) {_REST}").fetchone()
            free = _number(connection, "freelist_count") * _number(connection, "page_size")
        return Rest(count, int(weight), free)

    def in_use(self) -> bool:
        """Whether anyone has it open, this object included."""
        with _door(self.file.parent, fcntl.LOCK_EX), _said(self.file):
            connection = _alone(self.file)
            if connection is not None:
                connection.close()
        return connection is None

    def keep_only(self, keys: Iterable[str]) -> bool:
        """Removes all other completions and gives their room back; a shelf that is then empty goes as a
        whole.

        False, and nothing is done, while anyone else has it open; who comes later waits. Killed in the middle
        it has removed all of them or none, and the next call gives the room back.
        """
        self.close()
        with _door(self.file.parent, fcntl.LOCK_EX), _said(self.file):
            connection = _alone(self.file)
            if connection is None:
                return False
            with closing(connection):
                _want(connection, keys)
                connection.execute("PRAGMA secure_delete = OFF")  # else what goes is first overwritten
                connection.execute(f"DELETE {_REST}")
                if connection.execute("SELECT 1 FROM completions LIMIT 1").fetchone():
                    _give_back(connection)
                else:  # the log goes first: closing removes it by its name, which may then be another file's
                    connection.execute("PRAGMA journal_mode = DELETE")
                    self.file.unlink()
        return True

    def close(self) -> None:
        with self._lock:
            if self._opened and self._opened[0] == os.getpid():
                self._opened[1].close()
            self._opened = None

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        with self._lock, _said(self.file):
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), self._open())
            yield self._opened[1]

    def _open(self) -> sqlite3.Connection:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with _door(self.file.parent, fcntl.LOCK_SH):
            connection = sqlite3.connect(
                self.file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            if _number(connection, "page_count") == 0:  # only a new file can have it
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            # NORMAL: a killed process loses nothing; a power cut may lose the newest transactions, never the
            # file
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
            if self._identity is not None:
                text = json.dumps(self._identity, sort_keys=True, ensure_ascii=False)
                connection.execute("INSERT OR IGNORE INTO engine VALUES (?)", (text,))
        return connection


@contextmanager
def _said(file: Path) -> Generator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"request store {file}: {error}; free the disk, or move the file away "
            "to ask for its completions again"
        ) from error


@contextmanager
def _door(root: Path, how: int) -> Generator[None]:
    """Held by whoever opens a shelf, while it does, and by one who would remove it: a file is never removed
    under someone who has just opened it and whose completions would go with it."""
    file = os.open(root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, how)
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)  # closing is not enough where a fork has taken a copy
        os.close(file)


def _alone(file: Path) -> sqlite3.Connection | None:
    """A connection that lets nobody else in; None while someone is. One who waits in a log keeps a shared
    lock."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:  # the low byte; the rest says of what
            return None
        raise
    return connection


def _want(connection: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Fills temp.wanted, which SQLite keeps in a temporary file."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (key TEXT PRIMARY KEY) WITHOUT ROWID")
    with connection:
        connection.execute("BEGIN")
        connection.execute("DELETE FROM temp.wanted")
        connection.executemany("INSERT OR IGNORE INTO temp.wanted VALUES (?)", ((key,) for key in keys))


def _give_back(connection: sqlite3.Connection) -> None:
    """Cuts free pages off the file, a part at a time: a full disk is where this is wanted."""
    incremental = 2
    if _number(connection, "auto_vacuum") != incremental:  # a shelf of an earlier version: copied once
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
    while _number(connection, "freelist_count"):
        connection.executescript(
            f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})"
        )  # execute() stops at one page


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return connection.execute(f"PRAGMA {pragma}").fetchone()[0]


def _pack(completion: Completion) -> bytes:
    # field by field: dataclasses.asdict copies deeply, at three times the cost of all the rest
    value = {name: getattr(completion, name) for name in _PACKED}
    return zstandard.compress(_WRITER.encode(value).encode())


def _unpack(key: str, value: bytes, file: Path) -> Completion:
    try:
        return Completion(key=key, **json.loads(zstandard.decompress(value)))
    except (zstandard.ZstdError, ValueError, TypeError) as error:
        raise StoreError(f"request store {file}: completion {key} is unreadable ({error})") from error
