"""The simulated day: a clock that moves when it is told to, and never back."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """What a rehearsed shop takes for now."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._at

    def to(self, at: datetime) -> None:
        """Move on to that time; one that has passed changes nothing."""
        self._at = max(self._at, at.astimezone(UTC))
