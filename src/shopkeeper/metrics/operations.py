"""What can be asked about the shop's measures."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.events import FUNNEL
from shopkeeper.core.operation import READ, Context, operation
from shopkeeper.core.period import Period
from shopkeeper.metrics.types import (
    Breakdown,
    Cohorts,
    Cycle,
    Definitions,
    Depth,
    Direction,
    DropOff,
    Funnel,
    Names,
    Number,
    Overview,
    Paths,
    Retention,
    Rows,
    Series,
    Start,
    Stickiness,
)

_MONTH = Period("30d")
_ALL = Period("all")

Few = Annotated[int, Field(ge=1, le=100)]
Page = Annotated[int, Field(ge=1)]
Size = Annotated[int, Field(ge=1, le=1000)]


@operation(effect=READ, example={})
def definitions(ctx: Context) -> Definitions:
    """Every metric in words, and what it can be broken down by."""
    from shopkeeper.metrics.definitions import METRICS
    from shopkeeper.metrics.dimensions import NAMES

    metrics = tuple(metric.definition() for metric in METRICS.values())
    return Definitions(metrics=metrics, dimensions=NAMES, currency=ctx.shop.settings.currency)


@operation(effect=READ, example={"since": "30d"})
def overview(ctx: Context, since: Period = _MONTH) -> Overview:
    """The headline figures beside those of the period before, and what moved most."""
    from shopkeeper.metrics.overview import overview as verb

    return verb(ctx, since)


@operation(effect=READ, example={"metrics": ["revenue", "active_customers"], "cycle": "week"})
def series(
    ctx: Context,
    metrics: tuple[str, ...] = ("revenue",),
    since: Period = _MONTH,
    cycle: Cycle = "day",
    by: str | None = None,
    k: Few = 5,
) -> Series:
    """Metrics by day, week or month, whole or for the k largest groups of a dimension."""
    from shopkeeper.metrics.series import series as verb

    return verb(ctx, metrics, since, cycle, by, k)


@operation(effect=READ, example={"metric": "revenue", "by": "country"})
def breakdown(ctx: Context, metric: str, by: str, since: Period = _MONTH, k: Few = 10) -> Breakdown:
    """One metric for the k largest groups of a dimension and the rest, beside the period before."""
    from shopkeeper.metrics.breakdown import breakdown as verb

    return verb(ctx, metric, by, since, k)


@operation(effect=READ, example={"cycle": "month", "start": "purchase"})
def retention(
    ctx: Context,
    since: Period = _ALL,
    cycle: Cycle = "month",
    start: Start = "purchase",
    k: Annotated[int, Field(ge=1, le=60)] = 12,
) -> Retention:
    """Cohorts of customers by when they began, and the share that came back up to k cycles later."""
    from shopkeeper.metrics.retention import retention as verb

    return verb(ctx, since, cycle, start, k)


@operation(effect=READ, example={"since": "30d"})
def funnel(ctx: Context, since: Period = _MONTH, steps: tuple[str, ...] = FUNNEL) -> Funnel:
    """How many customers took each step at or after the time of the step before."""
    from shopkeeper.metrics.funnel import funnel as verb

    return verb(ctx, since, steps)


@operation(effect=READ, example={"metric": "revenue", "size": 10})
def rows(
    ctx: Context,
    metric: str,
    since: Period = _MONTH,
    by: str | None = None,
    value: str | None = None,
    page: Page = 1,
    size: Size = 50,
) -> Rows:
    """The events, orders or customers behind a number, one page, with their count and sums.

    With ``by``, of the group ``value`` alone (none: those whose group is not known).
    """
    from shopkeeper.metrics.rows import rows as verb

    return verb(ctx, metric, since, by, value, page, size)


@operation(effect=READ, example={"cycle": "month", "k": 6})
def cohorts(
    ctx: Context,
    since: Period = _ALL,
    cycle: Cycle = "month",
    start: Start = "purchase",
    k: Annotated[int, Field(ge=1, le=60)] = 12,
) -> Cohorts:
    """Cohorts by when customers began, by later week or month: how many came, and what they brought."""
    from shopkeeper.metrics.cohorts import cohorts as verb

    return verb(ctx, since, cycle, start, k)


@operation(effect=READ, example={"since": "30d"})
def stickiness(ctx: Context, since: Period = _MONTH) -> Stickiness:
    """Daily active customers over weekly and monthly ones, by day, and on how many days of a week."""
    from shopkeeper.metrics.stickiness import stickiness as verb

    return verb(ctx, since)


@operation(effect=READ, example={"around": "purchase", "direction": "before", "depth": 3})
def paths(
    ctx: Context,
    around: str = "purchase",
    direction: Direction = "before",
    since: Period = _MONTH,
    depth: Depth = 3,
    k: Few = 12,
) -> Paths:
    """What customers do before or after an event within one visit: the commonest ways, and every edge.

    A visit ends with half an hour without an event, or where another ``session_id`` begins. Robots are left
    out; the first time that the event happens in a visit counts.
    """
    from shopkeeper.metrics.paths import paths as verb

    return verb(ctx, since, around, direction, depth, k)


@operation(effect=READ, example={"step": 0, "days": 14})
def drop_off(
    ctx: Context,
    since: Period = _MONTH,
    steps: Names = FUNNEL,
    step: Annotated[int, Field(ge=0, le=8)] = 0,
    days: Annotated[int, Field(ge=1, le=90)] = 14,
    k: Few = 12,
) -> DropOff:
    """Why customers left at a step (0: the first): what they wrote and met after it, beside who went on.

    Themes, complaints and moods that readers found in reviews, chats, tickets and posts of the ``days`` after
    the step, with quotes; and searches without a result, refunds, tickets and chats.
    """
    from shopkeeper.metrics.drop_off import drop_off as verb

    return verb(ctx, since, steps, step, days, k)


@operation(
    effect=READ, example={"number": {"kind": "active_days", "since": "30d", "days": 1}, "size": 10}
)
def people(ctx: Context, number: Number, page: Page = 1, size: Size = 50) -> Rows:
    """The customers behind a number: a step of a funnel, a cell of a cohort, a path, days, a metric.

    ``number`` says which (docs/metrics.md); `customers.segment_of_number` makes a segment of them.
    """
    from shopkeeper.metrics.people import people as verb

    return verb(ctx, number, page, size)
