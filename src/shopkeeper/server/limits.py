"""How often somebody may ask: a sliding window per name, with the seconds until the next try."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from shopkeeper.core.errors import TooMany


class TooManyCalls(TooMany):
    """Carries the seconds after which a next call is let through."""

    def __init__(self, message: str, *, seconds: int, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = seconds


class Rate:
    """At most ``per_minute`` calls a minute for each name, counted in this process."""

    def __init__(self, what: str, per_minute: int) -> None:
        self.what = what
        self._limit = RateLimitItemPerMinute(per_minute)
        self._window = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, name: str) -> None:
        """Count one call, or raise :class:`TooManyCalls`."""
        if not self._window.hit(self._limit, self.what, name):
            raise self._refusal(name)

    def check(self, name: str) -> None:
        """Raise :class:`TooManyCalls` where no call is left, without counting one."""
        if not self._window.test(self._limit, self.what, name):
            raise self._refusal(name)

    def _refusal(self, name: str) -> TooManyCalls:
        reset = self._window.get_window_stats(self._limit, self.what, name).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        return TooManyCalls(
            f"More than {self._limit.amount} {self.what} a minute.",
            seconds=seconds,
            hint=f"Try again in {seconds} s.",
        )
