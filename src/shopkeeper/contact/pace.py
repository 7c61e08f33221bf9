"""How fast may be sent: a bucket of a second's worth that fills by the minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_MOST_DOMAINS = 10_000


class Bucket:
    """Lets so many a minute through, evenly; safe to share between threads."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._rate = per_minute / 60
        self._room = max(1.0, self._rate)
        self._clock = clock
        self._level = self._room
        self._at = clock()
        self._lock = threading.Lock()

    def take(self) -> float:
        """0 and one is taken, or the seconds after which to ask again."""
        with self._lock:
            now = self._clock()
            self._level = min(self._room, self._level + (now - self._at) * self._rate)
            self._at = now
            if self._level >= 1:
                self._level -= 1
                return 0.0
            return (1 - self._level) / self._rate


class Domains:
    """One bucket for each domain of addresses."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def take(self, domain: str, per_minute: int) -> float:
        """As :meth:`Bucket.take`, for that domain; 0 where it has no rate."""
        if not domain or not per_minute:
            return 0.0
        with self._lock:
            if len(self._buckets) >= _MOST_DOMAINS:
                self._buckets.clear()
            known = self._buckets.get(domain)
            if known is None or known.per_minute != per_minute:
                known = self._buckets[domain] = Bucket(per_minute)
        return known.take()
