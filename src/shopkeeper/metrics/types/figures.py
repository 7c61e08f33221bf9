"""Figures: what the shop sold, who came, and how that changed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay, Value

Cycle = Literal["day", "week", "month"]
"""Local days, ISO weeks (from Monday) or calendar months."""

Start = Literal["purchase", "activity"]
"""What makes a customer new, and come back: a purchase, or any event."""

Unit = Literal["money", "count", "share"]
"""Money is in the shop's currency; a share is a quotient (1 = 100 %)."""

Behind = Literal["events", "orders", "customers"]
"""What the rows behind a number are."""

Cell = str | int | float | bool | date | datetime | None


class Exact(Value):
    """A count or a sum of what happened: it could not have come out otherwise, so no interval."""

    kind: Literal["exact"] = "exact"
    value: float


Amount = Annotated[Exact | Estimate | CannotSay, Field(discriminator="kind")]


class Span(Value):
    """Local days from ``start`` to ``end``, both included."""

    start: date
    end: date


class Definition(Value):
    """What a metric means, in words; the same on every surface."""

    name: str
    label_zh: str
    label_en: str
    unit: Unit
    formula_zh: str
    formula_en: str
    behind: Behind
    additive: bool = Field(description="the days' figures add up to the period's")
    estimate: bool = Field(description="given with an interval")
    by_item: bool = Field(description="can be broken down by what was bought")
    good: Literal["up", "down", "neither"] = "neither"


class Definitions(Value):
    metrics: tuple[Definition, ...]
    dimensions: tuple[str, ...]
    currency: str


class Coverage(Value):
    """The part of the data that a figure rests on, from 0 to 1; null where there are none."""

    share: float | None
    of_zh: str
    of_en: str


class Figure(Value):
    """One metric over a period and over the period before.

    ``change`` is the difference; ``relative`` is it over the earlier value, or null where that is
    0 or cannot be said. ``beyond_chance``: an estimate's change has an interval that leaves 0 out; a
    sum's or count's is larger than 95 % of those that swapping each customer's two periods at random
    would give.
    """

    metric: str
    value: Amount
    before: Amount
    change: Amount
    relative: float | None = None
    beyond_chance: bool = False
    coverage: Coverage | None = None


class Overview(Value):
    """The headline figures; ``moved`` names those that changed beyond chance, the most first."""

    period: Span | None
    before: Span | None
    currency: str
    figures: tuple[Figure, ...]
    moved: tuple[str, ...]
    cannot_say: CannotSay | None = None


class Point(Value):
    """One bucket of a series; ``partial``: the period or the data hold only part of its days."""

    start: date
    end: date
    partial: bool
    value: Amount


class Line(Value):
    """One metric over time, of one group (or of the rest, or of all when not broken down)."""

    metric: str
    group: str | None = None
    rest: bool = False
    points: tuple[Point, ...]


class Series(Value):
    period: Span | None
    cycle: Cycle
    currency: str
    by: str | None
    lines: tuple[Line, ...]
    cannot_say: CannotSay | None = None


class Group(Value):
    """One group of a breakdown; a null ``group`` that is not the rest: the trait is not known."""

    group: str | None
    rest: bool
    figure: Figure


class Breakdown(Value):
    """Groups from the largest down, by the value of a sum or by what a quotient divides by."""

    period: Span | None
    before: Span | None
    currency: str
    metric: str
    by: str
    overlap: bool = Field(description="one customer or order may count in several groups")
    groups: tuple[Group, ...]
    all: Figure | None
    cannot_say: CannotSay | None = None


class Cohort(Value):
    """Customers who began in one week or month, and the share of them that came in each later one.

    ``shares[0]`` is the cohort's own bucket. ``censored``: data start here, so some of these
    customers may have begun earlier.
    """

    start: date
    customers: int
    censored: bool
    shares: tuple[EstimateOrCannotSay, ...]


class Retention(Value):
    period: Span | None
    cycle: Cycle
    start: Start
    cohorts: tuple[Cohort, ...]
    pooled: tuple[EstimateOrCannotSay, ...] = Field(
        description="all cohorts old enough for that distance together, without censored ones"
    )
    cannot_say: CannotSay | None = None


class Step(Value):
    """One step of a funnel: how many customers reached it, of the first and of the step before."""

    name: str
    customers: int
    of_first: EstimateOrCannotSay
    of_previous: EstimateOrCannotSay
    events: int = Field(description="events of this name, in any order")
    without_customer: int = Field(description="of those, events of nobody known")


class Funnel(Value):
    period: Span | None
    steps: tuple[Step, ...]
    cannot_say: CannotSay | None = None


class Rows(Value):
    """The rows behind a number, one page of them.

    ``total`` counts all rows and ``sums`` adds their columns up (those of events by event name:
    ``purchase.value``), so that the number can be checked: it is a sum, made of two, or the total.
    """

    metric: str
    period: Span | None
    behind: Behind
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
    sums: dict[str, float]
    page: int
    size: int
    cannot_say: CannotSay | None = None
