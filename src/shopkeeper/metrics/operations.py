"""What can be asked about the shop's measures."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shopkeeper.core.events import FUNNEL
from shopkeeper.core.operation import READ, Context, operation
from shopkeeper.core.period import Period
from shopkeeper.metrics.types import (
    Breakdown,
    Cycle,
    Definitions,
    Funnel,
    Overview,
    Retention,
    Rows,
    Series,
    Start,
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
