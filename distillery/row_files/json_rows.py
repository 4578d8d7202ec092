"""Objects of JSON, one a line or the items of one array; one that cannot be taken as it stands is a fault."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from json import JSONDecoder
from pathlib import Path
from typing import Any, BinaryIO

from distillery.errors import ConfigError
from distillery.row_files.faults import LONGEST, TOO_LONG, Fault, Row, malformed
from distillery.row_files.unpacked import Dialect, lines, unpacked

_DEEPEST = 100  # brackets inside one another; Python and polars break at about a thousand
_BLOCK = 1 << 20
_AHEAD = 100  # lines, one of which is an object where each is to be one
_WHOLE_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_A_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|' + _WHOLE_TEXT + rb")*+", re.DOTALL)
_TO_A_COMMA = re.compile(rb'(?:[^"\[\]{},]++|' + _WHOLE_TEXT + rb")*+", re.DOTALL)
_TO_A_QUOTE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_TOO_DEEP = malformed(f"nested more than {_DEEPEST} deep")


def jsonl(file: Path, dialect: Dialect) -> Iterator[Row]:
    for number, line in numbered_lines(file, dialect):
        yield f"{file}:{number}", TOO_LONG if line is None else parsed(line)


def numbered_lines(file: Path, dialect: Dialect) -> Iterator[tuple[int, bytes | None]]:
    with unpacked(file, dialect) as data:
        yield from lines(data)


def array(file: Path, dialect: Dialect) -> Iterator[Row]:
    """Of a .json file: the items of its array or, where it is none, one object a line."""
    if not _is_array(file, dialect):
        yield from jsonl(file, dialect)
        return
    for number, item in numbered_items(file, dialect):
        yield f"{file}:{number}", TOO_LONG if item is None else parsed(item)


def numbered_items(file: Path, dialect: Dialect) -> Iterator[tuple[int, bytes | None]]:
    """Of a .json file, counted from 1 where they are an array's; None for one that is too long."""
    if _is_array(file, dialect):
        with unpacked(file, dialect) as data:
            yield from enumerate(_items(data), start=1)
    else:
        yield from numbered_lines(file, dialect)


def parsed(text: bytes) -> dict[str, Any] | Fault:
    try:
        row = _DECODER.decode(text.decode())
    except UnicodeDecodeError as why:
        return malformed(f"not UTF-8: {why}")
    except RecursionError:
        return _TOO_DEEP
    except ValueError as why:
        return malformed(f"not JSON: {why}")
    if not isinstance(row, dict):
        return malformed(f"is {text[:60].decode(errors='replace')!r}, not a JSON object")
    if text.count(b"[") + text.count(b"{") > _DEEPEST and _too_deep(row):
        return _TOO_DEEP
    if b"\\ud" in text or b"\\uD" in text:
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError as why:
            return malformed(f"half of a surrogate pair, which is no text: {why}")
    return row


def _one_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in row if names.count(name) > 1)
        raise ValueError(f"the key {twice[:40]!r} stands twice in one object")
    return row


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is no number that a computer holds")
    return value


def _constant(name: str) -> float | None:
    """A NaN is how pandas writes a missing value."""
    return None if name == "NaN" else _finite(name)


_DECODER = JSONDecoder(object_pairs_hook=_one_each, parse_float=_finite, parse_constant=_constant)


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = (item for one in level for item in (one.values() if isinstance(one, dict) else one))
        level = [item for item in inner if isinstance(item, (dict, list))]
    return bool(level)


def _is_array(file: Path, dialect: Dialect) -> bool:
    with unpacked(file, dialect) as data:
        if data.read(_BLOCK).lstrip()[:1] == b"[":
            return True
    ahead = (line for _, line in islice(numbered_lines(file, dialect), _AHEAD))
    found = (TOO_LONG if line is None else parsed(line) for line in ahead)
    first = next(found, None)
    if isinstance(first, Fault) and all(isinstance(row, Fault) for row in found):
        raise ConfigError(
            f"{file}: its first line is no whole object ({first.detail}), nor are the next ones; an array of "
            "objects, or one object a line, is expected"
        )
    return False


def _items(data: BinaryIO) -> Iterator[bytes | None]:
    """The bytes of each item of an array, told by brackets, commas and quotes alone; None if too long."""
    buffer, begin, at, depth, within_text, cut = b"", 0, 0, 0, False, False
    while block := data.read(max(_BLOCK, len(buffer) - begin)):
        if cut or len(buffer) - begin > LONGEST:
            cut, begin = True, at
        buffer, at, begin = buffer[begin:] + block, at - begin, 0
        while (at := _next(buffer, at, depth, within_text)) < len(buffer):
            sign = buffer[at : at + 1]
            if sign == b"\\":  # the block's last byte: what it escapes is in the next one
                break
            at += 1
            if sign == b'"':
                within_text = not within_text
            elif sign in b"[{":
                depth += 1
                begin = at if depth == 1 else begin
            else:
                depth -= sign != b","
                if depth == 0 or sign == b",":
                    item = buffer[begin : at - 1].strip()
                    if item or cut or sign == b",":
                        yield None if cut or len(item) > LONGEST else item
                    begin, cut = at, False
                if depth == 0:
                    _nothing(buffer[at:], data)
                    return
    raise EOFError("its array is not closed")


def _next(buffer: bytes, at: int, depth: int, within_text: bool) -> int:
    """Where the next byte stands that matters."""
    sought = _TO_A_QUOTE if within_text else _TO_A_COMMA if depth == 1 else _TO_A_BRACKET
    found = sought.match(buffer, at)
    return found.end() if found else at


def _nothing(rest: bytes, data: BinaryIO) -> None:
    while not rest.strip() and (rest := data.read(_BLOCK)):
        pass
    if rest.strip():
        raise EOFError("something stands behind the end of its array")
