"""Customers whose supply of something that is bought again and again runs out about now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import narwhals as nw
import numpy as np

from shopkeeper.advice.idea import (
    Idea,
    count,
    did,
    either,
    every,
    line,
    never,
    number_of_days,
    text,
)
from shopkeeper.advice.types import Opens
from shopkeeper.advice.view import View
from shopkeeper.core.events import PURCHASE
from shopkeeper.customers.ordinal import ordinal
from shopkeeper.customers.segmenting.definition import Definition
from shopkeeper.warehouse.source import Frame, Source

_YEAR: Final = 365
_LEAST_GAPS: Final = 10
_LEAST_SHARE: Final = 0.25
_LATE: Final = 1.6
_LEAST_DAYS: Final = 5
_MOST: Final = 5


@dataclass(frozen=True)
class _Cycle:
    """How an item is bought again: repeated purchases, their median distance, and who buys it."""

    item_id: str
    gaps: int
    days: float
    buyers: int


def ideas(view: View) -> list[Idea]:
    """One group: bought one of the items about one usual gap ago, and not since."""
    found = [one for one in _cycles(view) if _fits(view, one)][:_MOST]
    if not found:
        return []
    items = tuple(one.item_id for one in found)
    year = view.days(_YEAR)
    lines = [
        line(
            "cycle",
            year,
            Opens(
                what="events",
                names=(PURCHASE,),
                item_ids=(one.item_id,),
                first_day=year.start,
                last_day=year.end,
            ),
            item=text(view.titles([one.item_id])),
            days=number_of_days(one.days),
            gaps=count(one.gaps),
            buyers=count(one.buyers),
        )
        for one in found
    ]
    group = view.to_marketing(either(*(_due(one) for one in found)))
    return [Idea("replenish", group, lines, occasion="reorder", item_ids=items)]


def _due(one: _Cycle) -> Definition:
    """Bought it between a usual gap ago (two days early, to be in time) and well past it."""
    early, late = max(1, round(one.days) - 2), round(one.days * _LATE)
    return every(
        did(PURCHASE, late, item=one.item_id),
        never(did(PURCHASE, early, item=one.item_id)),
    )


def _fits(view: View, one: _Cycle) -> bool:
    item = view.items.get(one.item_id)
    return item is not None and item.offered and view.proper(item.title, item.category)


def _cycles(view: View) -> list[_Cycle]:
    """Items that a quarter of their buyers buy again, those with most repeated purchases first."""

    def build(source: Source) -> Frame:
        sold = source.events(view.days(_YEAR)).filter(
            nw.col("name") == PURCHASE,
            ~nw.col("customer_id").is_null(),
            ~nw.col("item_id").is_null(),
        )
        days = sold.select("customer_id", "item_id", at=ordinal(nw.col("day"))).unique()
        before = nw.col("at").shift(1).over("customer_id", "item_id", order_by="at")
        return (
            days.with_columns(before=before)
            .select("item_id", "customer_id", gap=nw.col("at") - nw.col("before"))
            .group_by("item_id", "gap")
            .agg(nw.len().alias("times"))
        )

    rows = view.shop.query(build).to_pylist()
    gaps: dict[str, list[tuple[int, int]]] = {}
    buyers: dict[str, int] = {}
    for row in rows:
        if row["gap"] is None:
            buyers[row["item_id"]] = int(row["times"])
        else:
            gaps.setdefault(row["item_id"], []).append((int(row["gap"]), int(row["times"])))
    found = []
    for item, told in gaps.items():
        lengths = np.repeat([gap for gap, _ in told], [times for _, times in told])
        cycle = _Cycle(item, len(lengths), float(np.median(lengths)), buyers.get(item, 0))
        often = len(lengths) >= max(_LEAST_GAPS, _LEAST_SHARE * cycle.buyers)
        if often and cycle.days >= _LEAST_DAYS:
            found.append(cycle)
    return sorted(found, key=lambda one: (-one.gaps, one.item_id))
