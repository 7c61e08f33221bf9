"""The calendar months in which a table has rows."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING

import narwhals as nw

from shopkeeper.core.period import Days

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop


def months(shop: Shop, table: str) -> list[Days]:
    """Periods of at most a month that together hold every day of ``events`` or ``texts``."""
    day = nw.col("day")
    found = shop.query(
        lambda s: (s.events() if table == "events" else s.texts()).select(a=day.min(), b=day.max())
    ).to_pylist()[0]
    first, last = found["a"], found["b"]
    out: list[Days] = []
    while first is not None and first <= last:
        end = min(last, date(first.year, first.month, monthrange(first.year, first.month)[1]))
        out.append(Days(first, end))
        first = end + timedelta(days=1)
    return out
