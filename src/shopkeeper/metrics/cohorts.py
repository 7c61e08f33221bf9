"""Cohorts by period: who came in each later week or month, and what they brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics import calendar
from shopkeeper.metrics.cells import cells
from shopkeeper.metrics.types import CohortRow, Cohorts, Cycle, Later, Start
from shopkeeper.metrics.window import span, window
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Mean, Proportion
from shopkeeper.warehouse.source import Frame, Source

_COUNTED = {"purchase": "lines", "activity": "events"}
_NOBODY = {"came": 0, "net": 0.0, "squares": 0.0}


def cohorts(ctx: Context, since: Period, cycle: Cycle, start: Start, k: int) -> Cohorts:
    """See the operation of this name."""
    seen, currency = window(ctx, since), ctx.shop.settings.currency
    if isinstance(seen, CannotSay):
        return Cohorts(
            period=None, cycle=cycle, start=start, currency=currency, cohorts=(), cannot_say=seen
        )
    table = ctx.shop.query(lambda source: _summed(source, seen.data, cycle, start))
    found: dict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in table.to_pylist():
        found[int(row["first"])][int(row["bucket"])] = row
    numbers = [n for n in calendar.between(seen.days, cycle) if found.get(n)]
    censored = calendar.number(seen.data.start, cycle)
    rows = tuple(
        CohortRow(
            start=calendar.days(n, cycle).start,
            customers=int(found[n][n]["came"]),
            censored=n == censored,
            cells=_cells(found[n], n, seen.data, cycle, k),
        )
        for n in numbers
    )
    return Cohorts(
        period=span(seen.days), cycle=cycle, start=start, currency=currency, cohorts=rows
    )


def came(source: Source, data: Days, cycle: Cycle, start: Start) -> Frame:
    """By customer and bucket: first (the bucket they began in), bucket, came (0 or 1), net (revenue).

    A bucket with refunds alone is there with ``came`` 0.
    """
    counted = _COUNTED[start]
    wanted = sorted({counted, "revenue", "refunds"})
    frame = cells(source, data, wanted).filter(~nw.col("customer_id").is_null())
    summed = frame.group_by(
        "customer_id", calendar.bucket(nw.col("day"), cycle).alias("bucket")
    ).agg(*(nw.col(name).sum() for name in wanted))
    has = nw.col(counted) > 0
    net = nw.coalesce(nw.col("revenue"), nw.lit(0.0)) - nw.coalesce(nw.col("refunds"), nw.lit(0.0))
    first = nw.when(has).then(nw.col("bucket")).min().over("customer_id")
    rows = summed.with_columns(first=first).filter(nw.col("bucket") >= nw.col("first"))
    return rows.select(
        "customer_id", "first", "bucket", net=net,
        came=nw.when(has).then(nw.lit(1)).otherwise(nw.lit(0)),
    )  # fmt: skip


def _summed(source: Source, data: Days, cycle: Cycle, start: Start) -> Frame:
    rows = came(source, data, cycle, start).with_columns(squares=nw.col("net") * nw.col("net"))
    return rows.group_by("first", "bucket").agg(
        nw.col("came").sum(), nw.col("net").sum(), nw.col("squares").sum()
    )


def _cells(
    found: Mapping[int, Mapping[str, Any]], first: int, data: Days, cycle: Cycle, k: int
) -> tuple[Later, ...]:
    """The own bucket, and those later ones that are over."""
    size = int(found[first]["came"])
    made = []
    for later in range(k + 1):
        if later and calendar.days(first + later, cycle).end > data.end:
            break
        row = found.get(first + later, _NOBODY)
        came_then, net = int(row["came"]), float(row["net"])
        made.append(
            Later(
                later=later,
                customers=came_then,
                share=intervals.proportion(Proportion(size, came_then)),
                net_revenue=net,
                per_customer=intervals.mean(Mean(size, net, float(row["squares"]))),
            )
        )
    return tuple(made)
