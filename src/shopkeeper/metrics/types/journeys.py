"""What customers do over time: how often they come, which ways they take, where they leave and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay, Value
from shopkeeper.metrics.types.figures import Cycle, Span, Start

Direction = Literal["before", "after"]
Went = Literal["reached", "on", "left"]
Names = Annotated[tuple[str, ...], Field(min_length=2, max_length=10)]
Depth = Annotated[int, Field(ge=1, le=5)]


class ActiveDays(Value):
    """Customers active on exactly so many of the period's last seven days."""

    kind: Literal["active_days"] = "active_days"
    since: Period
    days: int = Field(ge=1, le=7)


class AtStep(Value):
    """Customers who reached a step of a funnel (0: the first), or of them those who went on, or left."""

    kind: Literal["funnel"] = "funnel"
    since: Period
    steps: Names
    step: int = Field(ge=0, le=9)
    went: Went = "reached"


class CohortCell(Value):
    """Of the customers who began in a week or month those who came so many later; all without ``later``."""

    kind: Literal["cohort"] = "cohort"
    cycle: Cycle
    start: Start
    cohort: date = Field(description="any day of the week or month in which they began")
    later: int | None = Field(default=None, ge=0, le=600)


class OnPath(Value):
    """Customers with a visit in which these steps came one after the other.

    ``at`` is the place of the first of them, counted from ``around``: -1 is the step before it.
    """

    kind: Literal["path"] = "path"
    since: Period
    around: str
    direction: Direction
    depth: Depth
    at: int = Field(ge=-5, le=5)
    steps: tuple[str, ...] = Field(min_length=1, max_length=6)


class OfMetric(Value):
    """Customers behind a metric's number, of one group where ``by`` is given."""

    kind: Literal["metric"] = "metric"
    metric: str
    since: Period
    by: str | None = None
    value: str | None = None


Number = Annotated[
    ActiveDays | AtStep | CohortCell | OnPath | OfMetric, Field(discriminator="kind")
]
"""A number that opens to its customers."""


class ActiveOn(Value):
    """How many customers were active on one day, in the 7 and in the 30 days that end with it."""

    day: date
    daily: int
    weekly: int | None = Field(description="null where data do not reach back 7 days")
    monthly: int | None = Field(description="null where data do not reach back 30 days")


class DaysActive(Value):
    """How many customers were active on so many of seven days, and their share of all who were."""

    days: int
    customers: int
    share: EstimateOrCannotSay


class Stickiness(Value):
    """How much of those who come within a week or a month come on a given day."""

    period: Span | None
    dau_wau: EstimateOrCannotSay = Field(description="1/7: each comes once a week; 1: every day")
    dau_mau: EstimateOrCannotSay
    days: tuple[ActiveOn, ...]
    week: Span | None = Field(description="the period's last seven days")
    active_days: tuple[DaysActive, ...]
    cannot_say: CannotSay | None = None


class Way(Value):
    """One sequence of steps before or after the event, in order of time."""

    steps: tuple[str, ...]
    sessions: int
    customers: int
    share: Estimate | CannotSay = Field(description="of the visits that have the event")


class Edge(Value):
    """From one step to the next: ``at`` is the place of ``source``, counted from the event."""

    at: int
    source: str
    target: str
    sessions: int
    share: float = Field(description="of the visits that have the event")


class Paths(Value):
    """What customers do before or after an event, within one visit."""

    period: Span | None
    around: str
    direction: Direction
    depth: int
    sessions: int
    customers: int
    robots: int = Field(description="accounts left out because no person does so much")
    ways: tuple[Way, ...]
    edges: tuple[Edge, ...]
    cannot_say: CannotSay | None = None


class Later(Value):
    """A cohort in one later week or month: who came, and what they brought."""

    later: int
    customers: int
    share: EstimateOrCannotSay
    net_revenue: float
    per_customer: EstimateOrCannotSay = Field(description="net revenue by customers who began")


class CohortRow(Value):
    """Customers who began in one week or month. ``censored``: data start here, some began earlier."""

    start: date
    customers: int
    censored: bool
    cells: tuple[Later, ...] = Field(description="of weeks or months that are over, the own first")


class Cohorts(Value):
    """Cohorts by the week or month in which customers began, with who came and what they brought."""

    period: Span | None
    cycle: Cycle
    start: Start
    currency: str
    cohorts: tuple[CohortRow, ...]
    cannot_say: CannotSay | None = None


class Quote(Value):
    """What somebody who left wrote: untrusted words."""

    text_id: str
    day: date
    words: str


class DropReason(Value):
    """One thing that those who left said or met, beside those who went on.

    ``left`` and ``went_on`` are shares of the customers of that side who wrote anything (``of`` is
    ``wrote``) or of all of them (``all``). The difference has an interval that holds for all reasons of
    the reply together (Bonferroni).
    """

    kind: Literal["aspect", "theme", "sentiment", "behaviour"]
    name: str
    of: Literal["wrote", "all"]
    customers: int = Field(description="of those who left")
    left: EstimateOrCannotSay
    went_on: EstimateOrCannotSay
    difference: EstimateOrCannotSay
    beyond_chance: bool
    quotes: tuple[Quote, ...]


class DropOff(Value):
    """Why customers may have left at a step: their texts and doings in the days after it."""

    period: Span | None
    steps: tuple[str, ...]
    step: int
    days: int
    left: int
    went_on: int
    unsettled: int = Field(
        description="took the step so lately that the days after it are not over: on neither side"
    )
    left_wrote: int
    went_on_wrote: int
    reasons: tuple[DropReason, ...]
    unread: int = Field(description="texts of those who left that no reader has read yet")
    cannot_say: CannotSay | None = None
