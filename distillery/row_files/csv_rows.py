"""Records of csv and tsv files; one that cannot be taken as it stands is a fault."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from distillery.errors import ConfigError
from distillery.row_files.faults import LONGEST, TOO_LONG, Fault, Row, malformed
from distillery.row_files.names import format_of
from distillery.row_files.unpacked import Dialect, unpacked

_DELIMITERS = (",", ";", "\t", "|")


def csv_rows(file: Path, dialect: Dialect) -> Iterator[Row]:
    delimiter = delimiter_of(file, dialect)
    header = header_of(file, dialect, delimiter)
    records = numbered_records(file, dialect, delimiter)
    next(records, None)
    for number, fields in records:
        found = fitting(fields, header)
        yield f"{file}:{number}", found if isinstance(found, Fault) else dict(zip(header, found, strict=True))


def header_of(file: Path, dialect: Dialect, delimiter: str) -> list[str]:
    return _checked(file, _header(file, dialect, delimiter))


def fitting(fields: list[str] | Fault, header: list[str]) -> list[str] | Fault:
    if isinstance(fields, Fault) or len(fields) == len(header):
        return fields
    return malformed(f"not {len(header)} fields as in the header")


def delimiter_of(file: Path, dialect: Dialect) -> str:
    """Where the expected one does not part the header and another does, it is that one."""
    expected = dialect.delimiter or ("\t" if format_of(file) == ".tsv" else ",")
    if len(_header(file, dialect, expected)) != 1:
        return expected
    others = [d for d in _DELIMITERS if d != expected and len(_header(file, dialect, d)) > 1]
    if not others:
        return expected
    if dialect.delimiter or len(others) > 1:
        found = " and ".join(map(repr, others))
        raise ConfigError(
            f"{file}: its header has no {expected!r} but {found}; name what parts the columns in `delimiter`"
        )
    return others[0]


def numbered_records(file: Path, dialect: Dialect, delimiter: str) -> Iterator[tuple[int, list[str] | Fault]]:
    """The header first, with the number of their last line; without blank lines."""
    with unpacked(file, dialect) as data:
        yield from records_in(data, delimiter, dialect)


def records_in(
    data: BinaryIO, delimiter: str, dialect: Dialect, *, line: int = 0
) -> Iterator[tuple[int, list[str] | Fault]]:
    """Of UTF-8 that begins with a record; `line`: the number of the one before."""
    csv.field_size_limit(sys.maxsize)  # a record has a bound, in `_Lines`
    # a byte that is none becomes half of a surrogate pair: its row is a fault, and no other
    with io.TextIOWrapper(data, "utf-8", errors="surrogateescape", newline="") as text:
        lines = _Lines(text, line)
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            lines.begin()
            try:
                fields = next(reader, None)
            except OverflowError:
                yield lines.skip(), TOO_LONG
                continue
            if fields is None:
                return
            if lines.ended:
                raise lines.unclosed()
            if fields:
                yield lines.number, record_fault(lines.record, delimiter, dialect.encoding) or fields


class _Lines:
    """Lines for a csv.reader, which does not say by itself that a file ended within quotes."""

    def __init__(self, text: TextIO, number: int) -> None:
        self.number = number
        self.record: list[str] = []  # the lines of the one that is read
        self.ended = False
        self._first = number + 1
        self._size = 0
        self._text = text

    def begin(self) -> None:
        self.record, self._size, self._first = [], 0, self.number + 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST + 1)
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        self.record.append(line)
        self._size += len(line)
        if self._size > LONGEST:
            raise OverflowError
        return line

    def skip(self) -> int:
        """To the end of this record, whose quotes are even; the number of its last line."""
        quotes, last = sum(line.count('"') for line in self.record), self.record[-1]
        while quotes % 2 or not last.endswith(("\n", "\r")):
            if not (more := self._text.readline(1 << 20)):
                break
            self.number += last.endswith(("\n", "\r"))
            last = more
            quotes += last.count('"')
        if quotes % 2:
            raise self.unclosed()
        return self.number

    def unclosed(self) -> csv.Error:
        return csv.Error(f"a quote that opens in the row at line {self._first} is not closed")


def record_fault(record: list[str], delimiter: str, encoding: str = "") -> Fault | None:
    if any("\0" in line for line in record):
        return malformed("has a NUL byte")
    if not all(map(_whole, record)):
        right = "if the file is something else, name it in `encoding`, as cp1252 or gb18030"
        return malformed(f"not {encoding or 'UTF-8'}; {right}")
    if any('"' in line for line in record):
        try:
            list(csv.reader(record, delimiter=delimiter, strict=True))
        except csv.Error as why:
            return malformed(f"not csv: {why}")
    return None


def _whole(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _header(file: Path, dialect: Dialect, delimiter: str) -> list[str]:
    _, first = next(numbered_records(file, dialect, delimiter), (0, list[str]()))
    if isinstance(first, Fault):
        raise ConfigError(
            f"{file}: no header can be read ({first.detail}); if its text is not UTF-8, name what it is in "
            "`encoding`, as utf-16 or cp1252"
        )
    return first


def _checked(file: Path, header: list[str]) -> list[str]:
    for number, name in enumerate(header, start=1):
        if not name.strip():
            raise ConfigError(
                f"{file}: column {number} of {len(header)} has no name in the header; each must have one "
                "(the index that pandas writes: to_csv(index=False))"
            )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise ConfigError(f"{file}: several columns have the name {twice[0]!r}; each must have its own")
    return header
