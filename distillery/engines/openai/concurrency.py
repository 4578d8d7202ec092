"""How many requests to keep in flight, when the user leaves it to us: found by climbing, kept by looking.

A server is busiest per token when its batch is full and its queue is nearly empty. vLLM and SGLang say both
in `/metrics`; of any other server only the tokens per second are seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

START, LEAST, MOST = 16, 4, 4096
_GROWTH = 1.5
_SEEN = 0.8  # share of the target that the server must see; if it sees less, more would not reach it either
_WORTH = 1.05  # tokens a second must grow by this factor for the larger number to be kept
_FULL = 0.9  # share of the key-value cache in use above which no more is asked for
_HOLD = 10  # looks for which a found number is kept before the next one is tried
_ONCE_S = 2.0  # in which many refusals are one: they answer requests that were sent together

_METRIC = re.compile(r"^(?:vllm|sglang):([a-z_]+?)(?:\{[^}]*\})? ([0-9.eE+-]+)$", re.MULTILINE)
_RUNNING = ("num_requests_running", "num_running_reqs")
_WAITING = ("num_requests_waiting", "num_queue_reqs")
_CACHE = ("kv_cache_usage_perc", "gpu_cache_usage_perc", "token_usage")


@dataclass(frozen=True, slots=True)
class Load:
    """What a server says of itself, summed over its engines."""

    running: float
    waiting: float
    cache: float  # share in use, of the fullest

    @classmethod
    def read(cls, metrics: str) -> Load | None:
        """From Prometheus text; None where neither vLLM's nor SGLang's names stand."""
        found: dict[str, list[float]] = {}
        for name, value in _METRIC.findall(metrics):
            found.setdefault(name, []).append(float(value))
        running = [v for name in _RUNNING for v in found.get(name, ())]
        if not running:
            return None
        waiting = [v for name in _WAITING for v in found.get(name, ())]
        cache = [v for name in _CACHE for v in found.get(name, ())]
        return cls(sum(running), sum(waiting), max(cache, default=0.0))


@dataclass(slots=True)
class Climb:
    """Target for one fleet. Tell it now and then what the server does; read `target`."""

    target: int = START
    _best: float = 0.0  # tokens a second at the last number that was kept
    _kept: int = LEAST
    _holding: int = field(default=0)
    _refused_at: float = field(default=float("-inf"))  # monotonic seconds

    def by_load(self, load: Load, in_flight: int) -> None:
        """Room in the server's batch: more. A queue: what runs, and a tenth to refill from at once."""
        if load.waiting > max(2.0, 0.1 * load.running):
            self._set(load.running * 1.1 + 1)
        elif load.cache < _FULL and min(in_flight, (load.running + load.waiting) / _SEEN) >= self.target:
            self._set(self.target * _GROWTH)

    def by_rate(self, tokens_per_s: float, in_flight: int) -> None:
        """Grows while that pays, else goes back to the last number that paid, holds it, and tries again.

        `tokens_per_s` is over as many replies as were in flight, or more: fewer say nothing.
        """
        if in_flight < self.target:
            return  # not enough work to tell
        if self._holding:
            self._holding -= 1
            self._best = tokens_per_s
            if not self._holding:
                self._kept = self.target
                self._set(self.target * _GROWTH)
        elif tokens_per_s > self._best * _WORTH:
            self._best, self._kept = tokens_per_s, self.target
            self._set(self.target * _GROWTH)
        else:
            self._set(self._kept)
            self._holding = _HOLD

    def refused(self, now: float) -> None:
        """The server said that it is too much (429)."""
        if now - self._refused_at < _ONCE_S:
            return
        self._refused_at = now
        self._set(self.target / 2)
        self._kept, self._holding = self.target, _HOLD

    def _set(self, target: float) -> None:
        self.target = max(LEAST, min(MOST, round(target)))
