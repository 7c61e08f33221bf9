"""How often somebody may try to sign in: a minute's window for each address and each name."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from shopkeeper.core.errors import TooMany

_NAMES = 3  # so many times an address may a name be tried: offices share an address, names do not


class Tries:
    """Counts attempts in this process; an address and a name are counted apart."""

    def __init__(self, per_minute: int) -> None:
        self._limits = {
            "address": RateLimitItemPerMinute(per_minute * _NAMES),
            "name": RateLimitItemPerMinute(per_minute),
        }
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def count(self, address: str, name: str) -> None:
        """Count one attempt, or raise :class:`TooMany` with the seconds to wait."""
        for kind, who in (("address", address), ("name", name.casefold()[:200])):
            limit = self._limits[kind]
            if not self._window.hit(limit, kind, who):
                reset = self._window.get_window_stats(limit, kind, who).reset_time
                seconds = max(1, math.ceil(reset - time.time()))
                raise TooMany(
                    "Too many attempts to sign in.", hint=f"Try again in {seconds} s.", field="name"
                )
