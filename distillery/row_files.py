"""Rows of jsonl, jsonl.gz, parquet and csv files, told by their ending, as a stream."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from glob import glob
from pathlib import Path
from typing import Any

from distillery import shards
from distillery.errors import ConfigError

ENDINGS = (".jsonl.gz", ".jsonl", ".parquet", ".csv")
_LONGEST_FIELD = 1 << 27  # characters; csv's own limit of 131,072 is too small for texts


class Drop(StrEnum):
    MALFORMED = "malformed"
    REPEATED = "repeated"
    NO_QUESTION = "no_question"


@dataclass(frozen=True, slots=True)
class Fault:
    reason: Drop
    detail: str


Row = tuple[str, Mapping[str, Any] | Fault]


def files(paths: str | Sequence[str], *, where: str) -> list[Path]:
    """The files of one path or pattern, or of several, in order; `where` names the option in errors."""
    found: list[Path] = []
    for path in [paths] if isinstance(paths, str) else paths:
        matching = [Path(path)] if Path(path).is_file() else _matching(path)
        if not matching:
            raise ConfigError(f"{where}: no file at {path} (working directory: {Path.cwd()})")
        found += matching
    for file in found:
        if not file.name.endswith(ENDINGS):
            raise ConfigError(f"{where}: {file} ends in none of {', '.join(ENDINGS)}")
    return found


def _matching(pattern: str) -> list[Path]:
    path = Path(pattern)
    return sorted(
        file for file in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if file.is_file()
    )


def read(file: Path) -> Iterator[Row]:
    """Each row with its place, "file:line" (parquet: the row's number, from 1). A file that is damaged is a ConfigError."""
    readers = {".parquet": _parquet, ".csv": _csv}
    try:
        yield from readers.get(file.suffix, _jsonl)(file)
    except (EOFError, zlib.error, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read to its end ({error}); is it whole?") from None


def _jsonl(file: Path) -> Iterator[Row]:
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            key = f"{file}:{number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as why:
                yield key, Fault(Drop.MALFORMED, f"not JSON: {why}"[:200])
                continue
            yield key, row if isinstance(row, dict) else Fault(Drop.MALFORMED, "not a JSON object")


def _csv(file: Path) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        try:
            for row in reader:
                wrong = None in row or None in row.values()
                count = len(reader.fieldnames or ())
                fault = Fault(Drop.MALFORMED, f"not {count} fields as in the header")
                yield f"{file}:{reader.line_num}", fault if wrong else row
        except csv.Error as error:
            raise ConfigError(f"{file}:{reader.line_num} is not csv: {error}") from None


def _parquet(file: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        number = 0
        for batch in pq.ParquetFile(file).iter_batches(batch_size=1000):
            for row in batch.to_pylist():
                number += 1
                yield f"{file}:{number}", row
    except pa.ArrowInvalid as error:
        raise ConfigError(f"{file} is not parquet: {error}") from None


def count_rows(patterns: list[str]) -> int | None:
    """Rows of parquet, jsonl, jsonl.gz and csv files, without reading them as tables; None: there is none."""
    files = [Path(name) for pattern in patterns for name in sorted(glob(pattern))]  # noqa: PTH207 - patterns may be absolute
    return sum(_rows(file) for file in files) if files else None


def _rows(file: Path) -> int:
    if file.suffix == ".parquet":
        return shards.rows(file)
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        count = sum(1 for line in lines if line.strip())
    return max(0, count - 1) if file.suffix == ".csv" else count
