"""What reading texts answers with: moods, aspects, voices, and one text with all that was read in it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from shopkeeper.core.types import CannotSay, EstimateOrCannotSay, Value
from shopkeeper.insight.types.themes import Quote, Span


class TaskRead(Value):
    """What a run read for one task; ``refused`` texts were empty, no text or too long to read."""

    task: str
    read: int
    refused: int
    answered_by: str = Field(description="house: the shipped reader; else the shop's own student")
    version: str
    unsure: int = Field(
        description="read by the shop's own student, but with less certainty than its promise needs"
    )
    escalated: int = Field(description="read by the language model in its place")
    queued: int = Field(description="put into the queue for a person's label")


class Read(Value):
    """What a run read, task by task; texts that were read before are not read again."""

    tasks: tuple[TaskRead, ...]
    seconds: float


Polarity = Literal["negative", "neutral", "positive"]


class Mood(Value):
    """How the texts of one group judge. Shares are of all texts read, in order of the polarities.

    ``corrected`` says whether the shares were corrected for the reader's errors by labelled texts.
    """

    group: str | None
    texts: int
    negative: EstimateOrCannotSay
    neutral: EstimateOrCannotSay
    positive: EstimateOrCannotSay
    corrected: bool
    labels: int = Field(description="texts of a random sample that a person or a teacher labelled")


class MoodPoint(Value):
    """One day, week or month: how many texts were read as what."""

    start: date
    negative: int
    neutral: int
    positive: int


class Moods(Value):
    """How customers' texts judge, in all, by group, and over time."""

    period: Span | None
    answered_by: str
    unsure: int = Field(description="texts whose reading the reader's promise does not cover")
    promise: str | None = Field(description="what is promised of the shop's own student's answers")
    whole: Mood | None
    groups: tuple[Mood, ...]
    points: tuple[MoodPoint, ...]
    cannot_say: CannotSay | None = None


class AspectCell(Value):
    """What is said of one aspect of one item: people, and how many of their texts praise or blame."""

    aspect: str
    name: str
    texts: int
    positive: int
    negative: int
    blame: EstimateOrCannotSay = Field(description="share of judging texts that blame")
    opinions: tuple[str, ...] = Field(description="the commonest words of judgement: untrusted")


class AspectRow(Value):
    """One item, or all of them, with its aspects, the most spoken of first."""

    item_id: str | None
    title: str | None
    texts: int
    cells: tuple[AspectCell, ...]


class AspectMatrix(Value):
    """Aspects by product; the first row is the whole shop."""

    period: Span | None
    answered_by: str
    rows: tuple[AspectRow, ...]
    cannot_say: CannotSay | None = None


class Voice(Value):
    """One thing that customers say, by how many people, in their own words."""

    aspect: str | None
    name: str
    people: int
    opinions: tuple[str, ...]
    quotes: tuple[Quote, ...]


class Voices(Value):
    """What customers praise, object to and wish for; every line is made of verbatim quotes."""

    period: Span | None
    item_id: str | None
    people: int
    praise: tuple[Voice, ...]
    objections: tuple[Voice, ...]
    wishes: tuple[Quote, ...]
    cannot_say: CannotSay | None = None


class TextReading(Value):
    """What one reader found in a text. ``span`` and ``opinion`` are words of it: untrusted."""

    task: str
    label: str | None
    name: str = Field(description="the label in words")
    span: str | None
    opinion: str | None
    value: float | None
    confidence: float | None
    answered_by: str


class TextDetail(Value):
    """One text, word for word (untrusted), with what the current readers found in it."""

    text_id: str
    kind: str
    author_role: str | None
    customer_id: str | None
    thread_id: str | None
    item_id: str | None
    item: str | None = Field(description="the item's title")
    day: date
    language: str | None
    title: str | None
    body: str
    rating: float | None
    source: str
    url: str | None
    readings: tuple[TextReading, ...]
