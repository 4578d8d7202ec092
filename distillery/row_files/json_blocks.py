"""Lines of JSON as columns: those that have the form of the first ones, of plain values only.

A line is taken for plain only if a pattern says of it, byte for byte, that it is an object of known keys in a
known order whose values are texts, numbers, truth or null; what polars then reads is what `parsed` would.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from polars.exceptions import PolarsError

from distillery.row_files.faults import LONGEST, TOO_LONG, Fault
from distillery.row_files.json_rows import jsonl, parsed
from distillery.row_files.unpacked import Dialect, lines, unpacked

_BLOCK = 1 << 23
_LIKE = 1000  # first rows, which say what most look like
_SHAPES = 8  # orders of keys that are told apart
_BLANK = r"[ \t\r]*"
_LOW = r"u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})"  # no half of a surrogate pair
_PATTERNS: dict[type, str] = {
    str: rf'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|{_LOW}))*"',
    int: r"-?(?:0|[1-9][0-9]{0,17})",
    float: r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}",
    bool: r"(?:true|false)",
}
_TYPES: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
}
_NAME = re.compile(r"[\w .:/-]+", re.ASCII)


class Table(NamedTuple):
    """As `Block`."""

    numbers: Sequence[int]
    table: pl.DataFrame
    others: Sequence[tuple[int, Mapping[str, Any] | Fault]]
    whole: Callable[[int], Mapping[str, Any]]


class _Form(NamedTuple):
    pattern: str
    schema: dict[str, pl.DataType]  # of the columns that are asked for


def jsonl_tables(file: Path, dialect: Dialect, names: Collection[str]) -> Iterator[Table]:
    ahead = islice((row for _, row in jsonl(file, dialect)), _LIKE)
    form = _form([row for row in ahead if not isinstance(row, Fault)], names)
    with unpacked(file, dialect) as data:
        for first, block in line_blocks(data):
            yield _table(first, block, form)


def line_blocks(data: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Whole lines, with the number of the first; of one that is too long more than `LONGEST` bytes."""
    number = 1
    while block := data.read(_BLOCK):
        if not block.endswith(b"\n"):
            block += data.readline(LONGEST + 1)
            rest = block[-1:]
            while rest and not rest.endswith(b"\n"):
                rest = data.readline(_BLOCK)
        yield number, block
        number += block.count(b"\n") + (not block.endswith(b"\n"))


def split_lines(block: bytes) -> tuple[pl.Series, np.ndarray]:
    """Lines as texts, null where one is no UTF-8, and where each begins, the end of the last one too."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    begins = np.concatenate([[0], ends]).astype(np.int64)
    buffers = [None, pa.py_buffer(begins), pa.py_buffer(block)]
    cut = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends), buffers)
    found = pl.Series(pl.from_arrow(cut))
    try:
        return found.cast(pl.String), begins
    except PolarsError:  # where one is none, all of them are refused
        return pl.Series([_text(line) for line in found], dtype=pl.String), begins


def _text(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _form(like: Sequence[Mapping[str, Any]], names: Collection[str]) -> _Form | None:
    """What most of these rows look like that have plain values only; None where none has."""
    plain = [row for row in like if all(value is None or type(value) in _TYPES for value in row.values())]
    shapes = [shape for shape, _ in Counter(tuple(row) for row in plain).most_common(_SHAPES) if shape]
    shapes = [shape for shape in shapes if all(_NAME.fullmatch(name) for name in shape)]
    if not shapes:
        return None
    kinds = {name: _kind(row.get(name) for row in plain) for shape in shapes for name in shape}
    members = {
        name: rf'"{pl.escape_regex(name)}"{_BLANK}:{_BLANK}(?:{_PATTERNS[kind]}|null)'
        for name, kind in kinds.items()
    }
    joint = f"{_BLANK},{_BLANK}"
    objects = "|".join(joint.join(members[name] for name in shape) for shape in shapes)
    pattern = rf"^{_BLANK}\{{{_BLANK}(?:{objects}){_BLANK}\}}{_BLANK}\n?$"
    return _Form(pattern, {name: _TYPES[kind] for name, kind in kinds.items() if name in names})


def _kind(values: Iterator[Any]) -> type:
    counts = Counter(type(value) for value in values if value is not None)
    return counts.most_common(1)[0][0] if counts else str


def _table(first: int, block: bytes, form: _Form | None) -> Table:
    texts, begins = split_lines(block)
    fits = np.zeros(len(texts), np.bool_)
    if form is not None and form.schema:
        fits = texts.str.contains(form.pattern).fill_null(value=False).to_numpy()
    places = np.flatnonzero(fits)
    others = [
        (first + at, row)
        for at in np.flatnonzero(~fits).tolist()
        if (row := _row(block, begins[at], begins[at + 1])) is not None
    ]

    def whole(number: int) -> Mapping[str, Any]:
        at = places[number]
        row = _row(block, int(begins[at]), int(begins[at + 1]))
        assert isinstance(row, dict), row
        return row

    table = pl.DataFrame()
    if form is not None and len(places):
        plain = (
            block if len(places) == len(texts) else texts.filter(pl.Series(fits)).str.join("").item().encode()
        )
        table = pl.read_ndjson(io.BytesIO(plain), schema=form.schema)
        if table.height != len(places):
            raise ValueError(f"{table.height} rows were read of {len(places)} lines")
    return Table((places + first).tolist(), table, others, whole)


def _row(block: bytes, begin: int, end: int) -> Mapping[str, Any] | Fault | None:
    """None: a blank line."""
    _, line = next(lines(io.BytesIO(block[begin:end])), (0, b""))
    return TOO_LONG if line is None else parsed(line) if line else None
