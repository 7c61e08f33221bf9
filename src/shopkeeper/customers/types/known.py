"""Who customers are: RFM and identities."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from shopkeeper.core.types import CannotSay, Reason, Value


class Advice(Value):
    """What to do for a segment, concrete enough to start today."""

    goal: str
    channel: str
    offer: str
    message: str
    avoid: str
    measure: str


class Segment(Value):
    """One segment with its size, its worth and what to do for it. Money is net of refunds."""

    code: str
    name: str
    rule: str
    customers: int
    share_of_customers: float
    revenue: float | None = Field(description="net of refunds; null where no purchase has a value")
    share_of_revenue: float | None
    median_recency: float | None = Field(description="days since the last purchase")
    median_orders: float | None
    median_monetary: float | None
    advice: Advice


class Rfm(Value):
    """All segments as of one day; the shares add up to 1 over the customers who ever bought."""

    as_of: date | None
    customers: int = Field(description="who bought at least once")
    bought_once: int
    revenue: float | None
    currency: str
    monetary: CannotSay | None = Field(
        description="why there are no M scores; null where there are"
    )
    segments: tuple[Segment, ...]
    definition: str


class Member(Value):
    """One customer with figures and scores; ``m`` is null where purchases carry no value."""

    customer_id: str
    segment: str
    recency: int
    frequency: int
    monetary: float | None
    first_day: date
    last_day: date
    r: int
    f: int
    m: int | None


class Members(Value):
    """One page of a segment's customers, those worth most first."""

    segment: str
    name: str
    as_of: date | None
    total: int
    offset: int
    rows: tuple[Member, ...]


class Placement(Value):
    """Where one customer stands, and why; ``segment`` is null for who has not bought yet."""

    customer_id: str
    as_of: date | None
    segment: str | None
    name: str | None
    member: Member | None
    reasons: tuple[Reason, ...]
    advice: Advice | None


class Period(Value):
    """For whom an id stood from ``start`` until before ``until``; null: ever."""

    sent_id: str
    customer_id: str
    start: datetime | None
    until: datetime | None
    by: str


class Identities(Value):
    """The customer that an id stands for now, and the periods of all ids that lead there."""

    customer_id: str
    periods: tuple[Period, ...]
