"""What the operations of `advice` answer with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay, Value

State = Literal["open", "taken", "dismissed", "gone"]
Unit = Literal["count", "money", "share", "days", "number", "text"]
Cell = str | int | float | date | datetime | None


class Figure(Value):
    """One number or name of a line, and how it is to be read."""

    unit: Unit
    value: float | str
    low: float | None = None
    high: float | None = None


class Opens(Value):
    """Which rows are behind a line: see ``advice rows``."""

    what: Literal["customers", "events", "texts", "items", "orders", "scores", "campaigns"]
    names: tuple[str, ...] = Field(default=(), description="of events, or of predictions")
    item_ids: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    theme: str = ""
    mood: str = ""
    campaign_ids: tuple[str, ...] = ()


class Line(Value):
    """One reason why now: in words, its figures, the days it is of, and the rows behind it."""

    code: str
    text: str = ""
    figures: dict[str, Figure] = Field(default={})
    first_day: date | None = None
    last_day: date | None = None
    opens: Opens | None = None


class Whom(Value):
    """Who is meant: the definition of a segment, in words too, and how many that are now."""

    definition: str
    sentence: str
    customers: int
    segment_id: str | None = Field(default=None, description="once it was kept as a segment")


class What(Value):
    """What to send or do: in words, on which occasion, about which items."""

    text: str
    occasion: str
    item_ids: tuple[str, ...]
    titles: tuple[str, ...]
    category: str
    care: bool = Field(description="to be answered by a person: no campaign is to be made of it")


class Reach(Value):
    """How many of them may be reached on a channel now, and how many not for which reason."""

    channel: str
    customers: int
    reachable: int
    reasons: dict[str, int]
    ready: bool = Field(description="whether the channel is set up")


class Test(Value):
    """The hold-out that would settle it."""

    kind: Literal["test"] = "test"
    hold_out: float
    customers: int
    held_out: int
    days: int
    base: Estimate = Field(description="share who bought in so many days, in that place before")
    detectable: float = Field(description="the least change of that share that is found")
    relative: float | None = Field(
        description="the same, relative to the share; null where it is 0"
    )
    power: float


class Overlap(Value):
    """How many of the customers another suggestion means as well."""

    suggestion_id: str
    title: str
    customers: int
    share: float


class Became(Value):
    """What became of a suggestion that was taken: its campaign and, once known, the result."""

    campaign_id: str
    name: str
    status: str
    sent: int
    at: datetime | None
    lift: EstimateOrCannotSay
    revenue: EstimateOrCannotSay
    margin: EstimateOrCannotSay
    cost: EstimateOrCannotSay


class Suggestion(Value):
    """Whom to reach with what, where, why now, what it may bring and cost, and what would settle it."""

    suggestion_id: str
    rule: str
    subject: str
    state: State
    reason: str = Field(description="why it was dismissed")
    rank: int
    ranked_by: str = Field(description="what its place rests on, in words")
    title: str
    whom: Whom
    what: What
    why: tuple[Line, ...]
    channel: str | None = Field(description="where most may be reached; null: nowhere, or care")
    reach: tuple[Reach, ...]
    expected: EstimateOrCannotSay = Field(description="in money, of all who would be reached")
    expected_from: tuple[str, ...] = Field(description="the past campaigns that it rests on")
    at_stake: EstimateOrCannotSay = Field(description="one usual order of each who may be reached")
    cost: EstimateOrCannotSay
    risks: tuple[str, ...]
    test: Annotated[Test | CannotSay, Field(discriminator="kind")]
    overlaps: tuple[Overlap, ...]
    as_of: date
    first_at: datetime
    made_at: datetime
    decided_at: datetime | None
    decided_by: str
    quiet_until: datetime | None
    became: tuple[Became, ...]


class Silent(Value):
    """A rule that found nothing, and what it would take."""

    rule: str
    called: str
    text: str


class Advice(Value):
    """The suggestions, the best first, and which rules had nothing to say."""

    suggestions: tuple[Suggestion, ...]
    silent: tuple[Silent, ...]
    as_of: date | None
    made_at: datetime | None = Field(description="null: nobody looked yet; see advice refresh")
    seconds: float | None
    cannot_say: CannotSay | None = None


class Taken(Value):
    """A suggestion that was taken: the arguments with which ``campaigns draft`` makes its campaign."""

    suggestion: Suggestion
    draft: dict[str, Any]
    template_id: str | None = Field(description="approved, or the house's draft made now")
    missing: tuple[str, ...] = Field(
        description="what it still lacks: approval of the template by another person, or a template"
    )
    next: str = Field(description="the command that makes the campaign")


class RowsBehind(Value):
    """The rows behind one line of a suggestion, a page of them."""

    suggestion_id: str
    line: int
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
