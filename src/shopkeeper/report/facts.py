"""Everything the report tells, gathered once through the operations that anybody can call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from shopkeeper.collect.types import Health, Receipt
from shopkeeper.core.period import Days, Period
from shopkeeper.customers.types import Members, Rfm
from shopkeeper.metrics.types import (
    Breakdown,
    Cycle,
    Definition,
    Funnel,
    Overview,
    Retention,
    Rows,
    Series,
)
from shopkeeper.recommend.types import Popular, Slate, Slot
from shopkeeper.report.advised import Advised
from shopkeeper.report.said import Said
from shopkeeper.report.walked import Walked

SHOWN: Final = 20
"""Rows shown under a number; the command beside them lists all."""

DIMENSIONS: Final = ("department", "item_id", "country", "channel")

HEADLINE: Final = (
    "net_revenue", "orders", "buyers", "average_order_value", "repeat_rate", "conversion",
    "margin_rate", "return_rate",
)  # fmt: skip
SPARE: Final = ("new_buyers", "revenue_per_buyer", "active_customers", "units_per_order")
"""What takes the place of a headline figure that cannot be said."""


@dataclass(frozen=True)
class Facts:
    """The replies that the page is made from; ``days`` is None in a shop without events."""

    days: Days | None
    data: Days | None
    cycle: Cycle
    definitions: Mapping[str, Definition]
    overview: Overview
    trend: Series
    trend_before: Series | None
    retention: Retention
    funnel: Funnel
    walked: Walked
    breakdowns: Mapping[str, Breakdown]
    rows: Mapping[tuple[str, str | None, str | None], Rows]
    steps: Mapping[str, list[dict[str, Any]]]
    cohorts: Mapping[date, Rows]
    rfm: Rfm
    members: Mapping[str, Members]
    popular: Popular
    popular_rows: Mapping[str, Rows]
    slates: tuple[Slate, ...]
    sold_out: tuple[Slot, ...]
    health: Health
    receipts: tuple[Receipt, ...]
    items: Mapping[str, str]
    said: Said
    advised: Advised


def period_of(data: Days | None, asked: Period | None) -> Period:
    """The period asked for, or the last 90 days, or all of a shorter history."""
    if asked is not None:
        return asked
    return Period("90d") if data is not None and len(data) >= 90 else Period("all")


def cycle_of(days: Days | None) -> Cycle:
    """Buckets of which a chart holds some ten to sixty."""
    length = len(days) if days else 0
    return "day" if length <= 45 else "week" if length <= 400 else "month"
