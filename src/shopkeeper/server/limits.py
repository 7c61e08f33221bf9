"""How often somebody may ask: a sliding window per name, with the seconds until the next try."""

from __future__ import annotations

import math
import threading
import time
from typing import Final

from shopkeeper.core.errors import TooMany

_WINDOW: Final = 60.0


class TooManyCalls(TooMany):
    """Carries the seconds after which a next call is let through."""

    def __init__(self, message: str, *, seconds: int, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = seconds


class Rate:
    """At most ``per_minute`` calls a minute for each name, counted in this process.

    Two counts for each name, of this minute and the one before, of which the share counts that lies less
    than a minute back (a sliding window counter): no list of times, no timer, and names are forgotten
    after two minutes.
    """

    def __init__(self, what: str, per_minute: int) -> None:
        self.what = what
        self._most = per_minute
        self._minute = 0
        self._now: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, name: str) -> None:
        """Count one call, or raise :class:`TooManyCalls`."""
        with self._lock:
            self._admit(name)
            self._now[name] = self._now.get(name, 0) + 1

    def check(self, name: str) -> None:
        """Raise :class:`TooManyCalls` where no call is left, without counting one."""
        with self._lock:
            self._admit(name)

    def _admit(self, name: str) -> None:
        minute, passed = divmod(time.monotonic(), _WINDOW)
        if minute != self._minute:
            follows = minute == self._minute + 1
            self._before, self._now = (self._now if follows else {}), {}
            self._minute = int(minute)
        now, before = self._now.get(name, 0), self._before.get(name, 0)
        if now + before * (1 - passed / _WINDOW) > self._most - 1:
            raise self._refusal(self._wait(now, before, passed))

    def _wait(self, now: int, before: int, passed: float) -> int:
        """Seconds until one call is let through; a minute is the most that is told."""
        room = self._most - 1 - now
        if room >= 0:  # when enough of the minute before has gone by
            return max(1, math.ceil(_WINDOW * (1 - room / before) - passed))
        after = _WINDOW * (1 - (self._most - 1) / now)  # of the next minute
        return max(1, math.ceil(min(_WINDOW, _WINDOW - passed + after)))

    def _refusal(self, seconds: int) -> TooManyCalls:
        return TooManyCalls(
            f"More than {self._most} {self.what} a minute.",
            seconds=seconds,
            hint=f"Try again in {seconds} s.",
        )
