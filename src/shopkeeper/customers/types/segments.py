"""Segments: their definitions, their sizes, who is in them and why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from shopkeeper.core.types import Estimate, EstimateOrCannotSay, Reason, Value


class TraitInfo(Value):
    """One trait that conditions may ask for."""

    name: str
    kind: str = Field(description="count, days, money, share, number, date or text")
    called: str
    family: str
    evidence: str


class TraitList(Value):
    """Every trait, by family."""

    traits: tuple[TraitInfo, ...]


class Meaning(Value):
    """What a definition means: its canonical text, its JSON, a sentence in each language, and warnings."""

    text: str
    definition: dict[str, Any]
    en: str
    zh: str
    warnings: tuple[str, ...] = ()


class Draft(Value):
    """A definition made of a request in plain words, to be looked at before it is used."""

    request: str
    answered_by: str = Field(description="a model's name, or rules")
    meaning: Meaning
    understood: tuple[str, ...] = Field(description="the parts of the request that it covers")
    left_over: str = Field(description="what of the request was not understood; empty: all was")


class Forecast(Value):
    """How many customers a definition would select, and how many there are."""

    size: EstimateOrCannotSay
    population: int
    looked_at: int
    exact: bool
    left_out: dict[str, int] = Field(description="accounts left out, by reason: bot, test")
    as_of: date | None


class SizePoint(Value):
    """How many were in at one time, who had come and who had gone since the time before."""

    time: datetime
    version: int
    members: int
    entered: int
    left: int


class SegmentRow(Value):
    """One segment as it is now; ``members`` is null before the first refresh."""

    id: str
    name: str
    version: int
    status: str
    text: str
    sentence: str
    members: int | None
    share: float | None
    entered: int | None
    left: int | None
    refreshed_at: datetime | None
    problem: str | None = Field(description="why it no longer runs; null where it does")


class SegmentList(Value):
    """Every segment, and how many customers there are."""

    segments: tuple[SegmentRow, ...]
    population: int | None
    left_out: dict[str, int]
    as_of: date | None


class VersionRow(Value):
    """One version of a definition."""

    version: int
    name: str
    text: str
    sentence: str
    note: str
    made_at: datetime


class SegmentDetail(Value):
    """One segment with its versions, newest first, and its size over time, oldest first."""

    row: SegmentRow
    meaning: Meaning
    versions: tuple[VersionRow, ...]
    trend: tuple[SizePoint, ...]
    drift: Estimate | None = Field(
        description="share of today's members that were in a month ago; null without that past"
    )


class SegmentMember(Value):
    """One customer of a segment, since when, and why."""

    customer_id: str
    since: datetime
    version: int
    reasons: tuple[Reason, ...]


class SegmentMembers(Value):
    """One page of a segment's members, the latest to come first."""

    segment: str
    name: str
    total: int
    offset: int
    rows: tuple[SegmentMember, ...]


class Moved(Value):
    """A customer entered a segment, or left it."""

    customer_id: str
    segment: str
    change: str = Field(description="entered or left")
    time: datetime


class Changes(Value):
    """Who came and went, latest first."""

    rows: tuple[Moved, ...]


class Overlap(Value):
    """How many customers each two segments share; ``jaccard`` is that of those in either."""

    segments: tuple[str, ...]
    names: tuple[str, ...]
    shared: tuple[tuple[int, ...], ...]
    jaccard: tuple[tuple[float | None, ...], ...]


class Refreshed(Value):
    """What a refresh of the memberships did."""

    as_of: date | None
    population: int
    segments: int
    entered: int
    left: int
    left_out: dict[str, int]
    problems: dict[str, str] = Field(description="segments that do not run any more, and why")
    seconds: float


class ManualList(Value):
    """A list that people keep."""

    name: str
    customers: int
    changed: int = 0


class ManualLists(Value):
    """Every list."""

    lists: tuple[ManualList, ...]


class SensitiveTopic(Value):
    """Whether conditions on a sensitive topic are allowed, and why."""

    topic: str
    allowed: bool
    reason: str


class SensitiveTopics(Value):
    """Every sensitive topic; all are off unless the owner turned them on."""

    topics: tuple[SensitiveTopic, ...]


class Kept(Value):
    """Something that is worked out for everybody: as of when, and whether an import made it old."""

    what: str = Field(description="segments, predictions or clusters")
    as_of: datetime | None = Field(description="null: never made")
    stale: bool
    renewal: str = Field(description="queued or running while it is made anew; else empty")


class Freshness(Value):
    """As of when memberships, predictions and groups are, and when data were last imported."""

    imported_at: datetime | None
    kept: tuple[Kept, ...]
