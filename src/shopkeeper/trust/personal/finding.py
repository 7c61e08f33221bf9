"""What a search for personal data yields, and how sure it is."""

from __future__ import annotations

from typing import NamedTuple

CERTAIN = 0.99
"""A checksum holds and the words around say what it is."""
CHECKED = 0.95
"""A checksum holds, or a shape that hardly anything else has."""
SAID = 0.85
"""The words around say what it is."""
SHAPED = 0.75
"""It looks like nothing else that is usual in a shop's texts."""
LIKELY = 0.65
"""Several weak signs together."""


class Finding(NamedTuple):
    """One piece of personal data: ``value`` is ``text[start:end]`` as it was written."""

    kind: str
    start: int
    end: int
    value: str
    confidence: float


class Candidate(NamedTuple):
    """What one recogniser proposes, in positions of the folded text."""

    kind: str
    start: int
    end: int
    confidence: float
