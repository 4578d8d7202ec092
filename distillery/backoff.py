"""How long to wait before the next try: ever longer, or as long as a server asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time


@dataclass(frozen=True, slots=True)
class Backoff:
    first_s: float
    longest_s: float
    factor: float = 2.0

    def wait_s(self, failed: int) -> float:
        """After so many tries that failed in a row, from 1."""
        return min(self.longest_s, self.first_s * self.factor ** min(failed - 1, 64))


def asked_s(headers: Mapping[str, str]) -> float | None:
    """Seconds, from Retry-After (seconds or a date) or retry-after-ms."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        after = headers.get("retry-after")
        if after is None:
            return None
        seconds = float(after) if after[:1].isdigit() else parsedate_to_datetime(after).timestamp() - time()
        return max(0.0, seconds)
    except ValueError:
        return None
