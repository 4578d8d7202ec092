"""Who is compared with whom, and in which order a judge sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def ring(names: Sequence[T], *, most: int) -> list[tuple[T, T]]:
    """At most so many pairs: each name with the next one around the ring, then with the one after that, and
    so on, so that all have been in equally many pairs, or one more."""
    count = len(names)
    steps = range(1, count // 2 + 1)
    pairs = [(step, place) for step in steps for place in range(count // 2 if 2 * step == count else count)]
    return [(names[place], names[(place + step) % count]) for step, place in pairs[:most]]


def rotated(names: Sequence[T], *, vote: int, votes: int) -> list[T]:
    """The order for one of so many votes: over all, each name stands at each place about equally often."""
    count = len(names)
    shift = vote % count if votes >= count else vote * count // votes
    return [*names[shift:], *names[:shift]]
