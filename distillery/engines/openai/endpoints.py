"""The endpoints that serve one model: who is well, who rests, who gets the next request."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from distillery.backoff import Backoff

TRIPS_AFTER = 20  # weights of faults in a row: three without a reply, or twenty of status 5xx
_GONE_WEIGHT = 7
_LIMITS_AFTER = 3  # refusals (429) in a row after which the whole endpoint waits
_BACKOFF = Backoff(1.0, 30.0)
_SILENT_S = 60.0  # with requests in flight, after which an endpoint is asked whether it is there
_UNHEARD_S = 10.0  # and how soon again, where it does not say so


@dataclass(slots=True)
class Endpoint:
    """One address, with a circuit breaker: after faults in a row it rests, then one probe decides."""

    url: str
    running: int = 0
    served: int = 0
    faults: int = 0  # of transport, in a row, by weight
    limited: int = 0  # replies in a row that said: too many requests
    rests_until: float = 0.0  # monotonic seconds; as a server asked (Retry-After), or the breaker's
    tripped: bool = False  # a probe's success closes the breaker, or a reply that still comes
    last_fault: str = ""
    heard_at: float = 0.0  # monotonic seconds; since then nothing has come of what is in flight
    unheard: int = 0  # probes in a row that got no answer, while requests were in flight
    told_until: float = 0.0  # of a wait that was said
    _rests: int = 0  # since it last worked

    @property
    def place(self) -> str:
        """Host and port, never user or password."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def begins(self, now: float) -> None:
        """A request goes out."""
        if not self.running:
            self.heard(now)
        self.running += 1

    def heard(self, now: float) -> None:
        self.heard_at, self.unheard = now, 0

    def works(self) -> None:
        self.faults, self.limited, self.tripped, self._rests = 0, 0, False, 0
        self.served += 1

    def fails(self, now: float, message: str, *, gone: bool) -> None:
        """A request met a fault of transport; `gone`: no reply at all."""
        self.faults += _GONE_WEIGHT if gone else 1
        self.last_fault = message
        if not self.tripped and self.faults >= TRIPS_AFTER:
            self.rests(now, message)

    def rests(self, now: float, message: str) -> None:
        """Opens the breaker, or keeps it open for twice as long as before: a probe failed."""
        self.tripped, self.last_fault = True, message
        self._rests += 1
        self.rests_until = now + _BACKOFF.wait_s(self._rests)

    def limits(self, now: float, wait_s: float) -> None:
        """Too many requests. One of them waits by itself; when nothing else comes, all do."""
        self.limited += 1
        if self.limited >= _LIMITS_AFTER:
            self.rests_until = max(self.rests_until, now + wait_s)


class Fleet:
    """Routes to the endpoint with the least outstanding requests."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self.endpoints = [Endpoint(url) for url in urls]

    def choose(self, now: float) -> Endpoint | None:
        """None while every endpoint rests."""
        able = [e for e in self.endpoints if not e.tripped and e.rests_until <= now]
        return min(able, key=lambda endpoint: (endpoint.running, endpoint.served), default=None)

    def to_probe(self, now: float) -> list[Endpoint]:
        return [e for e in self.endpoints if e.tripped and e.rests_until <= now]

    def silent(self, now: float) -> list[Endpoint]:
        """Those that have work and have not been heard of for long."""
        busy = (e for e in self.endpoints if e.running and not e.tripped)
        return [e for e in busy if now - e.heard_at > (_UNHEARD_S if e.unheard else _SILENT_S)]

    def next_change(self, now: float) -> float | None:
        """Seconds until a resting endpoint is due; None when none rests."""
        return min(
            (max(0.0, e.rests_until - now) for e in self.endpoints if e.rests_until > now), default=None
        )

    @property
    def all_down(self) -> bool:
        return all(endpoint.tripped for endpoint in self.endpoints)
