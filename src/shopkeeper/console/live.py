"""Parts of a page that follow the store: told of changes, but no more often than they can bear."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nicegui.element import Element

from shopkeeper.console.pulse import Beat


@dataclass
class Part:
    """One part: what it stands in, what to call, and the seconds between two calls at least."""

    holder: Element
    changed: Callable[[Beat], Any]
    every: float
    ready_at: float = 0.0
    waiting: Beat | None = None

    def tell(self, beat: Beat) -> None:
        """Hand on what the store looks like, now or when it is time again: the last is never lost."""
        now = time.monotonic()
        if now < self.ready_at:
            self.waiting = beat
            return
        self.ready_at, self.waiting = now + self.every, None
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
            if part.waiting is not None and not part.holder.is_deleted:
                part.tell(part.waiting)
