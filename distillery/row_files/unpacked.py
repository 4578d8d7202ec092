"""A file's bytes as a stream: what packed them taken off, and any encoding turned into UTF-8."""

from __future__ import annotations

import codecs
import gzip
import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from distillery.errors import ConfigError
from distillery.row_files.faults import LONGEST

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 20
_MARKS = {  # UTF-16's little-endian mark is how UTF-32's begins
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NO_TEXT = "\udc80"  # what cannot be decoded becomes this, of which no UTF-8 can be made


@dataclass(frozen=True)
class Dialect:
    """How text is written, where neither a file's ending nor its bytes say it."""

    delimiter: str = ""
    """Between the columns of a csv or tsv; "": as its ending and its header say."""
    encoding: str = ""
    """As Python names it; "": UTF-8, or what a byte order mark says."""
    where: str = ""
    """What stands before their names in errors, as "ingest.file."."""

    def __post_init__(self) -> None:
        if len(self.delimiter) > 1 or self.delimiter in ('"', "\n", "\r"):
            raise ConfigError(
                f"{self.where}delimiter: is {self.delimiter!r}; it must be one character, no quote"
            )
        try:
            "".encode(self.encoding or "utf-8")
        except LookupError:
            raise ConfigError(
                f"{self.where}encoding: {self.encoding!r} is no encoding; utf-8, cp1252, gb18030 are"
            ) from None


@contextmanager
def unpacked(file: Path, dialect: Dialect) -> Generator[BinaryIO]:
    """Its text in UTF-8, without a byte order mark; with bytes that are no UTF-8 where it is not what it
    should be."""
    with _raw(file) as raw:
        start = raw.peek(4)[:4]
        encoding = codecs.lookup(dialect.encoding).name if dialect.encoding else ""
        marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "")
        encoding = encoding or marked or "utf-8"
        if encoding in ("utf-16", "utf-32") and encoding != marked and start:
            raise ConfigError(
                f"{file}: does not begin with a mark of {encoding}; name {encoding}-le or {encoding}-be, or "
                "what its text is, in `encoding`"
            )
        if encoding == "iso8859-1":  # as browsers do: what calls itself so has quotes and euros of Windows
            encoding = "cp1252"
        if encoding in ("utf-8", "utf-8-sig"):
            if start.startswith(codecs.BOM_UTF8):
                raw.read(len(codecs.BOM_UTF8))
            yield raw
        else:
            with io.BufferedReader(_Recoded(raw, encoding), _BLOCK) as text:
                yield text


def lines(data: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Those that are not blank, with their number; None for one that is too long."""
    number = 0
    while line := data.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            while line and not line.endswith(b"\n"):
                line = data.readline(_BLOCK)
            yield number, None
        elif line := line.removeprefix(codecs.BOM_UTF8).strip():
            yield number, line


def _raw(file: Path) -> io.BufferedReader:
    match file.suffix.lower():
        case ".gz":
            return io.BufferedReader(cast("io.RawIOBase", gzip.open(file, "rb")), _BLOCK)
        case ".zst":
            # zstandard's own reader takes a cut stream for a whole one
            return io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(file)), "zstd"), _BLOCK)
        case _:
            return io.BufferedReader(io.FileIO(file), _BLOCK)


class _Recoded(io.RawIOBase):
    def __init__(self, raw: BinaryIO, encoding: str) -> None:
        codecs.register_error("distillery.no-text", _no_text)
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)("distillery.no-text")
        self._marked = True
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        block = b"more"
        while block and not self._rest:
            block = self._raw.read(_BLOCK)
            text = self._decoder.decode(block, final=not block)
            if text and self._marked:
                text, self._marked = text.removeprefix("\ufeff"), False
            self._rest = text.encode(errors="surrogatepass")
        place = memoryview(into)
        size = min(len(place), len(self._rest))
        place[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _no_text(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _NO_TEXT, error.end
