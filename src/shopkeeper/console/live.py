"""Parts of a page that follow the store: told of changes, but no more often than they can bear."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nicegui.element import Element

from shopkeeper.console.pulse import Beat


@dataclass
class Part:
    """One part: what it stands in, what to call, and the seconds between two calls at least.

    What must not be called each time is called at a moment of its own: if the pages of fifty people were
    drawn anew in the same second, everybody's clicks would wait for that.
    """

    holder: Element
    changed: Callable[[Beat], Any]
    every: float
    ready_at: float = 0.0
    waiting: Beat | None = None
    due: float = math.inf

    def tell(self, beat: Beat) -> None:
        """Hand on what the store looks like, now or when it is time: the last is never lost."""
        self.waiting = beat
        if not self.every:
            self._hand_on()
        elif self.due == math.inf:
            later = random.random() * self.every / 2  # noqa: S311 - to spread, not to hide
            self.due = max(self.ready_at, time.monotonic() + later)

    def tick(self) -> None:
        """Time has passed."""
        if time.monotonic() >= self.due:
            self._hand_on()

    def _hand_on(self) -> None:
        beat, self.waiting, self.due = self.waiting, None, math.inf
        self.ready_at = time.monotonic() + self.every
        if beat is not None:
            self.changed(beat)


class Live:
    """The live parts of one open page."""

    def __init__(self) -> None:
        self._parts: list[Part] = []

    def add(self, holder: Element, changed: Callable[[Beat], Any], every: float) -> None:
        """Tell this part from now on, for as long as it is shown; it is up to date now."""
        self._parts.append(Part(holder, changed, every, time.monotonic() + every))

    def beat(self, beat: Beat) -> None:
        """The store looks different."""
        self._parts = [part for part in self._parts if not part.holder.is_deleted]
        for part in self._parts:
            part.tell(beat)

    def tick(self) -> None:
        """Time has passed: tell those that had to wait."""
        for part in self._parts:
            if not part.holder.is_deleted:
                part.tick()
