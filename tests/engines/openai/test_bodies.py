"""What stands in a body, however it is cut, packed and ended."""

import asyncio
import gzip
import math
import random
import zlib
from types import SimpleNamespace

import pytest

from distillery.engines.openai.bodies import beginning, events, parsed, whole


class Wire:
    """A reply as aiohttp gives it, in the pieces given; counts what was read of them."""

    def __init__(self, *pieces: bytes, coding: str = "identity") -> None:
        self.headers = {"Content-Encoding": coding}
        self.content = SimpleNamespace(iter_any=self._iter)
        self.read, self._pieces = 0, pieces

    async def _iter(self):
        for piece in self._pieces:
            self.read += 1
            yield piece

    def close(self) -> None: ...


async def _all(found):
    return [event async for event in found]


def heard(*pieces: bytes, most: int = 1000) -> list[bytes]:
    return asyncio.run(_all(events(Wire(*pieces), most=most)))


TEXTS = ['{"a": 1}', "two\nlines", "", "é 字 🎲", ": no comment", "data: inside", "[DONE]"]


@pytest.mark.parametrize("seed", range(200))
def test_events_are_the_same_whatever_ends_their_lines_and_however_they_are_cut(seed: int):
    rng = random.Random(seed)
    end = rng.choice(["\n", "\r", "\r\n"])
    chosen = rng.choices(TEXTS, k=rng.randint(1, 5))
    stream = "\ufeff" if rng.random() < 0.2 else ""
    for text in chosen:
        stream += rng.choice(["", f": keep-alive{end}", f"event: x{end}", f"id: 7{end}", end])
        stream += "".join(f"data:{rng.choice(['', ' '])}{line}{end}" for line in text.split("\n")) + end
    wire = stream.encode()
    cuts = sorted(rng.choices(range(len(wire) + 1), k=rng.randint(0, 12)))
    pieces = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert [event.decode() for event in heard(*pieces)] == chosen


def test_a_last_event_counts_without_its_blank_line():
    assert heard(b"data: a\n\ndata: [DONE]") == [b"a", b"[DONE]"]


@pytest.mark.parametrize("wire", [b"data: " + b"a" * 2000, b"data: a\n" * 2000, b"a" * 2000], ids=len)
def test_an_event_has_a_bound(wire: bytes):
    with pytest.raises(ValueError, match="an event is longer than 1,000 bytes"):
        heard(wire)


@pytest.mark.parametrize(
    ("pack", "coding"), [(bytes, "identity"), (gzip.compress, "gzip"), (zlib.compress, "deflate")]
)
def test_a_body_is_read_unpacked_up_to_its_bound(pack, coding: str):
    packed = pack(b"x" * 1000)
    parts = [packed[:7], packed[7:]]
    assert asyncio.run(whole(Wire(*parts, coding=coding), most=1000)) == b"x" * 1000
    with pytest.raises(ValueError, match="longer than 999 bytes"):
        asyncio.run(whole(Wire(*parts, coding=coding), most=999))


def test_a_bomb_is_not_unpacked_beyond_the_bound():
    bomb = gzip.compress(bytes(100_000_000))
    with pytest.raises(ValueError, match="longer than"):
        asyncio.run(whole(Wire(bomb, coding="gzip"), most=1000))


@pytest.mark.parametrize(
    ("wire", "coding", "says"),
    [
        (gzip.compress(b"{}", mtime=0)[:-9], "gzip", "ends early"),
        (b"{}", "zorro", "content-encoding is 'zorro'"),
    ],
    ids=["cut", "unknown"],
)
def test_a_body_that_is_not_whole_is_no_body(wire: bytes, coding: str, says: str):
    with pytest.raises(ValueError, match=says):
        asyncio.run(whole(Wire(wire, coding=coding), most=1000))


def test_of_an_error_the_beginning_is_read_and_no_more():
    wire = Wire(*[b"no, " * 100] * 50)
    assert asyncio.run(beginning(wire, most=10)) == "no, no, no"
    assert wire.read == 1
    assert asyncio.run(beginning(Wire(b"\xff\xfe", coding="identity"), most=10)) == "\ufffd\ufffd"
    assert "zorro" in asyncio.run(beginning(Wire(b"x", coding="zorro"), most=10))


@pytest.mark.parametrize("deep", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_what_is_nested_too_deep_is_a_value_error(deep: str):
    with pytest.raises(ValueError, match="nested too deep"):
        parsed(deep)


def test_a_number_that_counts_nothing_is_endless():
    assert parsed(b"[7, -7, 9999999999, 1e999, %s]" % (b"9" * 5000)) == [
        7,
        -7,
        9999999999,
        math.inf,
        math.inf,
    ]
