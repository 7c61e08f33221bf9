"""What the customer did after a message left, or after a list was shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import narwhals as nw

from shopkeeper.campaigns.record.types import Outcome
from shopkeeper.core.events import PURCHASE, VIEW_ITEM
from shopkeeper.core.period import Days
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.source import Frame, Source

_OURS: Final = ("contact", "experiments")
"""Sources of events that the platform itself writes: sent, delivered, exposed."""


def outcome(
    shop: Shop, customer_id: str, since: datetime, days: int, items: Sequence[str] = ()
) -> Outcome:
    """What the customer did in so many days; with ``items``, about these alone."""
    until = since + timedelta(days=days)
    zone = shop.settings.zone
    span = Days(since.astimezone(zone).date(), until.astimezone(zone).date())

    def build(source: Source) -> Frame:
        found = source.events(span).filter(
            nw.col("customer_id") == customer_id,
            nw.col("time") >= nw.lit(since),
            nw.col("time") < nw.lit(until),
            ~nw.col("source").is_in(_OURS),
        )
        if items:
            found = found.filter(nw.col("item_id").is_in(list(items)))
        return found.select("name", "value", "order_id", "day")

    rows = shop.query(build, live=[customer_id]).to_pylist()
    sold = [row for row in rows if row["name"] == PURCHASE]
    orders = dict.fromkeys(row["order_id"] or str(row["day"]) for row in sold)
    return Outcome(
        since=since,
        until=until,
        whole=shop.now() >= until,
        events=len(rows),
        views=sum(row["name"] == VIEW_ITEM for row in rows),
        orders=len(orders),
        revenue=round(sum(row["value"] or 0.0 for row in sold), 2),
        order_ids=tuple(row for row in dict.fromkeys(row["order_id"] for row in sold) if row),
    )
