"""Records of csv as columns: by polars where each line is one record, else one after the other."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import polars as pl

from distillery.row_files.csv_rows import delimiter_of, fitting, header_of, record_fault, records_in
from distillery.row_files.faults import LONGEST, Fault
from distillery.row_files.json_blocks import line_blocks, split_lines
from distillery.row_files.unpacked import Dialect, unpacked

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_ROWS = 20_000
_WIDEST = 50  # columns: a pattern has a bound


class Table(NamedTuple):
    """As `Block`."""

    numbers: Sequence[int]
    table: pl.DataFrame
    others: Sequence[tuple[int, Mapping[str, Any] | Fault]] = ()


def csv_tables(file: Path, dialect: Dialect) -> Iterator[Table]:
    delimiter = delimiter_of(file, dialect)
    header = header_of(file, dialect, delimiter)
    with unpacked(file, dialect) as data:
        begun = False
        for first, block in line_blocks(data):
            found = _by_line(first, block, delimiter, header)
            if found is None:
                rest = io.BufferedReader(_Both(block, data))
                records = records_in(rest, delimiter, dialect, line=first - 1)
                if not begun:
                    next(records, None)
                yield from _one_by_one(records, header)
                return
            yield found if begun else Table(found.numbers[1:], found.table[1:], found.others)
            begun = begun or found.table.height > 0


def _by_line(first: int, block: bytes, delimiter: str, header: list[str]) -> Table | None:
    """None: in some line there are quotes that may go on in the next one, or the text is not as it should
    be."""
    if (
        not 1 < len(header) <= _WIDEST
        or not delimiter.isascii()
        or block.count(b"\r") != block.count(b"\r\n")
    ):
        return None
    texts, begins = split_lines(block)
    if texts.null_count() or block[:3] == b"\xef\xbb\xbf" or np.diff(begins).max(initial=0) > LONGEST:
        return None
    parted = pl.escape_regex(delimiter)
    cell = rf'(?:[^"{parted}\r\n\x00]*|"(?:[^"\r\n\x00]|"")*")'
    fits = texts.str.contains(rf"^{cell}(?:{parted}{cell}){{{len(header) - 1}}}\r?\n?$")
    rest = pl.DataFrame({"number": np.arange(first, first + len(texts)), "text": texts}).filter(~fits)
    rest = rest.filter(pl.col("text").str.strip_chars("\r\n") != "")
    if rest["text"].str.contains('"', literal=True).any():
        return None
    others = [(number, _one(text, delimiter, header)) for number, text in rest.iter_rows()]
    plain = block if fits.all() else texts.filter(fits).str.join("").item().encode()
    table = (
        pl.read_csv(
            io.BytesIO(plain.replace(b"\r\n", b"\n")),
            has_header=False,
            schema=dict.fromkeys(header, pl.String()),
            separator=delimiter,
            empty_string_is_null=False,
        )
        if plain
        else pl.DataFrame(schema=dict.fromkeys(header, pl.String()))
    )
    numbers = (np.flatnonzero(fits.to_numpy()) + first).tolist()
    if table.height != len(numbers):
        raise ValueError(f"{table.height} rows were read of {len(numbers)} lines")
    return Table(numbers, table, others)


def _one(line: str, delimiter: str, header: list[str]) -> Fault | dict[str, str]:
    fields = next(csv.reader([line], delimiter=delimiter))
    found = fitting(record_fault([line], delimiter) or fields, header)
    return found if isinstance(found, Fault) else dict(zip(header, found, strict=True))


def _one_by_one(records: Iterator[tuple[int, list[str] | Fault]], header: list[str]) -> Iterator[Table]:
    while some := [(number, fitting(fields, header)) for number, fields in islice(records, _ROWS)]:
        whole = [(number, fields) for number, fields in some if isinstance(fields, list)]
        faults = [(number, fields) for number, fields in some if isinstance(fields, Fault)]
        schema = dict.fromkeys(header, pl.String())
        columns = zip(*(fields for _, fields in whole), strict=True) if whole else ([] for _ in header)
        table = pl.DataFrame(dict(zip(header, columns, strict=True)), schema=schema)
        yield Table([number for number, _ in whole], table, faults)


class _Both(io.RawIOBase):
    """The block, then what comes behind it."""

    def __init__(self, block: bytes, data: BinaryIO) -> None:
        self._block, self._data = memoryview(block), data

    def readable(self) -> bool:
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        place = memoryview(into)
        some = self._block[: len(place)] or memoryview(self._data.read(len(place)))
        self._block = self._block[len(some) :]
        place[: len(some)] = some
        return len(some)
