"""Accounts that do more in a day than a person does."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.core.events import PURCHASE, ROBOT_EVENTS, ROBOT_EVENTS_A_DAY
from shopkeeper.warehouse.source import Frame


def robots(events: Frame) -> Frame:
    """The ``customer_id`` of accounts with so many of these events, a day and in all, and no order."""
    bought = nw.when(nw.col("name") == PURCHASE).then(nw.lit(1)).otherwise(nw.lit(0))
    counts = (
        events.filter(~nw.col("customer_id").is_null())
        .select("customer_id", "day", bought=bought)
        .group_by("customer_id")
        .agg(
            nw.len().alias("events"),
            nw.col("day").n_unique().alias("days"),
            nw.col("bought").sum().alias("bought"),
        )
    )
    return counts.filter(
        nw.col("bought") == 0,
        nw.col("events") >= ROBOT_EVENTS,
        nw.col("events") >= nw.col("days") * ROBOT_EVENTS_A_DAY,
    ).select("customer_id")
