"""How long to wait before the next try: ever longer, or as long as a server asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isnan
from time import time


@dataclass(frozen=True, slots=True)
class Backoff:
    first_s: float
    longest_s: float
    factor: float = 2.0

    def wait_s(self, failed: int) -> float:
        """After so many tries that failed in a row, from 1."""
        return min(self.longest_s, self.first_s * self.factor ** min(failed - 1, 64))


LONGEST_ASKED_S = 600.0


def asked_s(headers: Mapping[str, str]) -> float | None:
    """Seconds, from Retry-After (seconds or a date) or retry-after-ms; at most `LONGEST_ASKED_S`."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return _believed(float(milliseconds) / 1000)
        after = headers.get("retry-after")
        if after is None:
            return None
        return _believed(float(after) if after[:1].isdigit() else _date(after) - time())
    except (ValueError, OverflowError):
        return None


def _date(text: str) -> float:
    found = parsedate_to_datetime(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _believed(seconds: float) -> float | None:
    return None if isnan(seconds) else min(max(0.0, seconds), LONGEST_ASKED_S)
