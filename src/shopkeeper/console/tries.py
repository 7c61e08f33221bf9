"""How often somebody may fail to sign in: a minute's window for each address and each name."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shopkeeper.core.errors import TooMany

_NAMES: Final = (
    3  # so many times an address may a name be tried: offices share an address, names do not
)
_WINDOW_S: Final = 60.0
_MOST: Final = 20_000  # addresses and names remembered


@dataclass(eq=False)
class Attempt:
    """One attempt: counted when it begins, forgiven when it succeeds."""

    at: float
    windows: list[deque[Attempt]] = field(default_factory=list, repr=False)

    def forgive(self) -> None:
        """It succeeded. Only failures count: people of one office sign in as often as they like."""
        for window in self.windows:
            if self in window:
                window.remove(self)


class Tries:
    """Counts failed attempts in this process, by a clock that no change of the date moves.

    An attempt counts from its beginning, so many at once gain nothing.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = {"address": per_minute * _NAMES, "name": per_minute}
        self._clock = clock
        self._windows: dict[tuple[str, str], deque[Attempt]] = {}

    def count(self, address: str, name: str) -> Attempt:
        """Count one attempt, or raise :class:`TooMany` with the seconds to wait."""
        now = self._clock()
        self._sweep(now)
        attempt = Attempt(now)
        for kind, who in (("address", address), ("name", name.casefold()[:200])):
            window = self._windows.setdefault((kind, who), deque())
            while window and window[0].at <= now - _WINDOW_S:
                window.popleft()
            if len(window) >= self._limits[kind]:
                seconds = max(1, math.ceil(window[0].at + _WINDOW_S - now))
                raise TooMany(
                    "Too many attempts to sign in.", hint=f"Try again in {seconds} s.", field="name"
                )
            window.append(attempt)
            attempt.windows.append(window)
        return attempt

    def _sweep(self, now: float) -> None:
        if len(self._windows) < _MOST:
            return
        fresh = {
            key: window
            for key, window in self._windows.items()
            if window and window[-1].at > now - _WINDOW_S
        }
        # Somebody tries names without end: those tried longest ago go, never the address they come from.
        for key in [k for k in fresh if k[0] == "name"][: max(0, len(fresh) - _MOST // 2)]:
            del fresh[key]
        self._windows = fresh
