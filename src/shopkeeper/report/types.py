"""What the operations of `report` answer with."""

from __future__ import annotations

from datetime import date

from shopkeeper.core.settings import Language
from shopkeeper.core.types import Value
from shopkeeper.insight.types import Voices


class Line(Value):
    """One line of the report's summary, with the part of the page that proves it."""

    text: str
    section: str


class Report(Value):
    """Where the report is, and what it says in short."""

    path: str
    language: Language
    first_day: date | None
    last_day: date | None
    changed: tuple[Line, ...]
    next: tuple[Line, ...]
    bytes: int


class SegmentVoices(Value):
    """What the customers say who are in a segment now, and how many those are."""

    segment: str
    members: int
    voices: Voices
