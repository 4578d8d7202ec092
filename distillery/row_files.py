"""Rows of jsonl, jsonl.gz, parquet and csv files, told by their ending: read, counted, written.

Text is UTF-8, with or without a byte order mark, and a blank line is no row. What is wrong with one row is a
`Fault`, for a ledger; where there is none (`rows`, `table`) it is a ConfigError, as is a file that is
damaged.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import os
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.exceptions import PolarsError

from distillery import shards
from distillery.errors import ConfigError
from distillery.installed.shipped import find
from distillery.records import JUDGEMENT, TRACE, VERDICT

ENDINGS = (".jsonl.gz", ".jsonl", ".parquet", ".csv")
WRITTEN = ENDINGS[:3]  # csv has no place for nested values
_LONGEST_FIELD = 1 << 27  # characters; csv's own limit of 131,072 is too small for texts
_DEEPEST = 100  # brackets inside one another; Python and polars break at about a thousand
_DAMAGE = (EOFError, OSError, UnicodeDecodeError, csv.Error, zlib.error, pa.ArrowException, PolarsError)
_KNOWN = TRACE | VERDICT | JUDGEMENT


class Drop(StrEnum):
    MALFORMED = "malformed"
    """It cannot be read: no JSON object, a column too few, a value that is none of its column's."""
    REPEATED = "repeated"
    """An earlier row has the same id."""
    NO_QUESTION = "no_question"
    """The question is missing or empty."""
    NO_TEXT = "no_text"
    """The response is missing or empty."""


@dataclass(frozen=True, slots=True)
class Fault:
    reason: Drop
    detail: str


Row = tuple[str, Mapping[str, Any] | Fault]


def files(paths: str | Sequence[str], *, where: str) -> list[Path]:
    """The files of one path or pattern, or of several, in order; `where` names the option in errors."""
    found: list[Path] = []
    for path in [paths] if isinstance(paths, str) else paths:
        matching = [one] if (one := find(path)).is_file() else _matching(path)
        if not matching:
            raise ConfigError(f"{where}: no file at {path} (working directory: {Path.cwd()})")
        found += matching
    for file in found:
        ending(file)
    return found


def _matching(pattern: str) -> list[Path]:
    path = Path(pattern)
    return sorted(filter(Path.is_file, Path(path.anchor).glob(str(path.relative_to(path.anchor)))))


def ending(file: Path, among: Sequence[str] = ENDINGS) -> str:
    for known in among:
        if file.name.endswith(known):
            return known
    raise ConfigError(f"{file}: its ending says no format; it is none of {', '.join(among)}")


def read(file: Path) -> Iterator[Row]:
    """Each row with its place, "file:line" (parquet: the row's number, from 1)."""
    readers = {".parquet": _parquet, ".csv": _csv}
    with _whole(file):
        yield from readers.get(ending(file), _jsonl)(file)


def rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """As `read`, without faults. A nested `payload` is JSON text: those of a file may differ in shape."""
    for place, row in read(file):
        if isinstance(row, Fault):
            right = "each row has a field for each column" if file.suffix == ".csv" else "one object a line"
            raise ConfigError(f"{place}: {row.detail}; {right} is expected")
        payload = row.get("payload")
        nested = isinstance(payload, (dict, list))
        yield place, {**row, "payload": json.dumps(payload, ensure_ascii=False)} if nested else dict(row)


def table(file: Path) -> pl.DataFrame:
    """All rows. Text of a csv becomes numbers in the columns of `distillery.records` that are numbers."""
    with _whole(file):
        if ending(file) == ".parquet":
            alone = shards.base_of(_footed(file)) is None
            return pl.read_parquet(file, glob=False) if alone else shards.read(file)
    found = [row for _, row in rows(file)]
    try:
        frame = pl.DataFrame(found, infer_schema_length=None, strict=False)
        if ending(file) != ".csv":
            return frame
        kinds = {name: kind for name, kind in _KNOWN.items() if name in frame.columns and kind != pl.String}
        values = {name: pl.col(name).replace("", None).str.to_lowercase() for name in kinds}
        return frame.with_columns(value.str.json_decode(kinds[name]) for name, value in values.items())
    except PolarsError as error:
        why = str(error).partition("\n")[0]
        raise ConfigError(f"{file}: no table ({why}); a column must hold values of one kind") from None


def count(file: Path) -> int:
    """How many rows `read` would give, good or bad, without looking into them."""
    with _whole(file):
        match ending(file):
            case ".parquet":
                return shards.rows(_footed(file))
            case ".csv":
                return max(0, sum(1 for _ in _records(file)) - 1)
            case _:
                return sum(1 for _ in _lines(file))


def write(frame: pl.DataFrame, file: Path) -> None:
    """Appears whole, by rename."""
    kind = ending(file, WRITTEN)
    file.parent.mkdir(parents=True, exist_ok=True)
    if kind == ".parquet":
        shards.write(file, frame)
        return
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        if kind == ".jsonl":
            frame.write_ndjson(temporary)
        else:
            temporary.write_bytes(gzip.compress(frame.write_ndjson().encode(), mtime=0))
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _whole(file: Path) -> Generator[None]:
    if not file.is_file():
        raise ConfigError(f"{file}: no such file (working directory: {Path.cwd()})")
    try:
        yield
    except _DAMAGE as error:
        words = f"not readable to its end, or not {ending(file)[1:]} at all ({error})"
        raise ConfigError(f"{file}: {words}; is it whole?") from None


def _jsonl(file: Path) -> Iterator[Row]:
    for number, line in _lines(file):
        try:
            row = json.loads(line.decode())
        except UnicodeDecodeError as why:
            row = Fault(Drop.MALFORMED, f"not UTF-8: {why}"[:200])
        except RecursionError:
            row = _TOO_DEEP
        except ValueError as why:
            row = Fault(Drop.MALFORMED, f"not JSON: {why}"[:200])
        yield f"{file}:{number}", row if isinstance(row, Fault) else _object(row, line)


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Those that are not blank, with their number."""
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line := line.removeprefix(codecs.BOM_UTF8).strip():
                yield number, line


def _object(row: Any, line: bytes) -> dict[str, Any] | Fault:
    if not isinstance(row, dict):
        return Fault(Drop.MALFORMED, f"is {line[:60].decode(errors='replace')!r}, not a JSON object")
    if line.count(b"[") + line.count(b"{") > _DEEPEST and _too_deep(row):
        return _TOO_DEEP
    if b"\\ud" in line or b"\\uD" in line:
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError as why:
            return Fault(Drop.MALFORMED, f"half of a surrogate pair, which is no text: {why}"[:200])
    return row


_TOO_DEEP = Fault(Drop.MALFORMED, f"nested more than {_DEEPEST} deep")


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = (item for one in level for item in (one.values() if isinstance(one, dict) else one))
        level = [item for item in inner if isinstance(item, (dict, list))]
    return bool(level)


def _csv(file: Path) -> Iterator[Row]:
    header: list[str] = []
    for number, fields in _records(file):
        if not header:
            header = fields
        elif len(fields) == len(header):
            yield f"{file}:{number}", dict(zip(header, fields, strict=True))
        else:
            yield f"{file}:{number}", Fault(Drop.MALFORMED, f"not {len(header)} fields as in the header")


def _records(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Of a csv, the header first, with the number of their last line."""
    csv.field_size_limit(_LONGEST_FIELD)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines)
        yield from ((reader.line_num, fields) for fields in reader if fields)


def _footed(file: Path) -> Path:
    """`file`, whose footer can be read: `shards` would call a damaged one a fault of the store."""
    pq.read_metadata(file)
    return file


def _parquet(file: Path) -> Iterator[Row]:
    if shards.base_of(_footed(file)) is None:
        batches = pq.ParquetFile(file).iter_batches(batch_size=1000)
    else:
        batches = shards.read(file).to_arrow().to_batches(1000)
    for number, row in enumerate((row for batch in batches for row in batch.to_pylist()), start=1):
        yield f"{file}:{number}", row
