"""What comes over the wire, within bounds: a body's bytes unpacked, its JSON, and the events of a stream."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import ClientResponse

_AT_ONCE = 1 << 16  # bytes that are unpacked in one go
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
_LINE_ENDS = re.compile(rb"\r\n|\n|\r")
_DIGITS = 19  # of a number that may count something; a longer one is taken for endless


async def whole(reply: ClientResponse, *, most: int) -> bytes:
    """The body, unpacked. Raises ValueError for one of more than `most` bytes, or one that ends early."""
    heard = bytearray()
    async for piece in _pieces(reply):
        heard += piece
        if len(heard) > most:
            raise ValueError(f"its body is longer than {most:,} bytes")
    return bytes(heard)


async def beginning(reply: ClientResponse, *, most: int) -> str:
    """As much of the body as can be read and is wanted, as text; the rest is left on the wire."""
    heard = bytearray()
    try:
        async for piece in _pieces(reply):
            heard += piece
            if len(heard) >= most:
                reply.close()
                break
    except (ValueError, zlib.error) as error:
        reply.close()
        return heard.decode(errors="replace") or str(error)
    return heard[:most].decode(errors="replace")


async def events(reply: ClientResponse, *, most: int) -> AsyncIterator[bytes]:
    """The data of each server-sent event, of at most `most` bytes; also of a last one without its blank line.

    As in https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream: lines end in
    CR, LF or both, several data lines are one text, comments and other fields say nothing.
    """
    rest, data = b"", list[bytes]()
    async for piece in _pieces(reply):
        rest += piece
        held = rest.endswith(b"\r")  # its LF may be under way
        *lines, rest = _LINE_ENDS.split(rest[:-1] if held else rest)
        rest += b"\r" if held else b""
        for line in lines:
            if not line and data:
                yield b"\n".join(data)
                data.clear()
            elif (value := _data(line)) is not None:
                data.append(value)
        if len(rest) + sum(map(len, data)) > most:
            raise ValueError(f"an event is longer than {most:,} bytes")
    if (value := _data(rest.rstrip(b"\r"))) is not None:
        data.append(value)
    if data:
        yield b"\n".join(data)


def _data(line: bytes) -> bytes | None:
    name, _, value = line.removeprefix(b"\xef\xbb\xbf").partition(b":")
    return value.removeprefix(b" ") if name == b"data" else None


def parsed(body: bytes | str) -> Any:
    """JSON in UTF-8, 16 or 32; a whole number beyond any count is inf. Raises ValueError."""
    try:
        return json.loads(body, parse_int=_whole_number)
    except RecursionError:
        raise ValueError("its JSON is nested too deep") from None


def _whole_number(digits: str) -> float:
    return int(digits) if len(digits) <= _DIGITS else math.inf


async def _pieces(reply: ClientResponse) -> AsyncIterator[bytes]:
    coding = reply.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise ValueError(f"its content-encoding is {coding!r:.40}; it would be gzip")
    packed = zlib.decompressobj(_ZLIB_OR_GZIP) if coding not in ("identity", "") else None
    async for data in reply.content.iter_any():
        for piece in _unpacked(packed, data) if packed else (data,):
            yield piece
    if packed and not packed.eof:
        raise ValueError(f"its {coding} ends early")


def _unpacked(packed: Any, data: bytes) -> Iterator[bytes]:
    while data and not packed.eof:
        yield packed.decompress(data, _AT_ONCE)
        data = packed.unconsumed_tail
