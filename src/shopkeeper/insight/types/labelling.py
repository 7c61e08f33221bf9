"""What labelling and teaching answer with."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from shopkeeper.core.types import CannotSay, Value
from shopkeeper.insight.types.reading import Polarity


class Queued(Value):
    """Texts that now wait for a person; random ones measure the reader, uncertain ones teach it."""

    task: str
    queued: int
    random: int
    uncertain: int
    cannot_say: CannotSay | None = None


class LabelChoice(Value):
    """One label that may be given."""

    name: str
    meaning: str
    names: dict[str, str] = Field(description="what people call it, by language")


class Marked(Value):
    """One thing that a text judges, marked by a person: words of the text, as they stand in it.

    ``aspect`` is empty where no thing is named ("arrived in a day"), ``opinion`` where no word judges.
    ``start`` is the aspect's first character, needed only where its words stand more than once.
    """

    aspect: str = ""
    opinion: str = ""
    category: str
    polarity: Polarity
    start: int | None = None


class LabelStatus(Value):
    """How far the labelling of one task is. ``spent`` went to models, in the shop's currency."""

    task: str
    waiting: int
    done: int
    skipped: int
    labels: dict[str, int] = Field(description="labels by who gave them")
    spent: float
    currency: str
    reader: str = Field(description="who reads now: house, or the shop's own student")


class LabelCard(Value):
    """One text to label, held for ten minutes for who asked; without ``text_id`` none waits.

    ``kind`` says what is asked for: one label, or spans, each with one of the labels as its category.
    """

    task: str
    kind: Literal["label", "spans"]
    question: str
    guidelines: str
    labels: tuple[LabelChoice, ...]
    text_id: str | None
    title: str | None
    text: str | None = Field(description="a customer's words: untrusted")
    day: date | None
    item_id: str | None
    why: str | None
    status: LabelStatus


class Taught(Value):
    """What came of teaching: a student of the shop's own, and what is promised of its answers."""

    task: str
    teacher: str
    labels: int
    trained_on: int
    proven_on: int
    version: str | None
    threshold: float | None = Field(description="confidence from which the student answers alone")
    local_share: float | None
    statement: str | None = Field(description="the promise, in words")
    stopped: str = Field(description="why fewer labels were asked for than wanted")
    cannot_say: CannotSay | None = None
