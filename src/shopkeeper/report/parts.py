"""What the page is made of: plain values that the template only lays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

_LONGEST = 42


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its text, and the full text where that was clipped."""

    text: str
    full: str = ""
    number: bool = False


@dataclass(frozen=True)
class Table:
    """A table: headings (and whether the column holds numbers) and rows."""

    columns: tuple[tuple[str, bool], ...]
    rows: list[list[Cell]]


@dataclass(frozen=True)
class Opening:
    """What a number opens to: its meaning, how many rows are behind it, the first, and all of them."""

    meaning: str
    formula: str = ""
    count: str = ""
    table: Table | None = None
    command: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """A headline figure. ``tone`` is good, bad or flat: whether the change is welcome."""

    name: str
    label: str
    value: str
    full: str
    change: str
    tone: str
    interval: str
    spark: Markup
    opening: Opening


@dataclass(frozen=True)
class Bar:
    """One row with a bar: label, share, value, an aside, and what it opens to."""

    label: str
    full: str
    bar: Markup
    value: str
    aside: str
    opening: Opening
    tone: str = "flat"
    name: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Chart:
    """A drawing for wide and one for narrow screens, its legend, and the numbers as a table."""

    title: str
    wide: Markup
    narrow: Markup
    legend: tuple[tuple[str, str], ...]
    opening: Opening


@dataclass(frozen=True)
class Pick:
    """One recommended item with its reason."""

    title: str
    full: str
    price: str
    reason: str


@dataclass(frozen=True)
class Person:
    """A sample customer with the list for them."""

    customer: str
    full: str
    segment: str
    picks: tuple[Pick, ...]
    command: str


@dataclass(frozen=True)
class Step:
    """Advice of one kind: what it is called and the words."""

    label: str
    text: str


@dataclass(frozen=True)
class SegmentRow:
    """One RFM segment: its bar, the facts beside it, and what to do."""

    bar: Bar
    facts: tuple[tuple[str, str], ...]
    rule: str
    advice: tuple[Step, ...]


@dataclass(frozen=True)
class Note:
    """One line of the summary or of the findings; ``target`` is the anchor that proves it."""

    text: str
    target: str
    tone: str = "flat"
    more: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page; which lists are filled decides how it looks."""

    name: str
    title: str
    lead: str
    cards: tuple[Card, ...] = ()
    charts: tuple[Chart, ...] = ()
    groups: tuple[tuple[str, str, tuple[Bar, ...]], ...] = ()
    folded: bool = False
    segments: tuple[SegmentRow, ...] = ()
    people: tuple[Person, ...] = ()
    notes: tuple[Note, ...] = ()
    opening: Opening | None = None
    empty: str = ""


@dataclass(frozen=True)
class Page:
    """The whole report."""

    lang: str
    title: str
    shop: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    changed: tuple[Note, ...]
    next: tuple[Note, ...]
    sections: Sequence[Section] = field(default_factory=tuple)
    words: dict[str, str] = field(default_factory=dict)


def clipped(text: str, longest: int = _LONGEST) -> Cell:
    """The text with control characters made blanks, clipped to ``longest``; the rest is in ``full``."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(plain) <= longest:
        return Cell(plain)
    return Cell(plain[: longest - 1].rstrip() + "…", full=plain[:2000])
