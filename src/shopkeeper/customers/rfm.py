"""Recency, frequency and monetary value by customer, their scores by fifths, and the segment.

Only purchases with a known customer count, up to and including the day ``as_of``.

* recency: local days from the last purchase to ``as_of``
* frequency: distinct orders; purchases without an ``order_id`` count once a day
* monetary: value of purchases less value of refunds; null in a shop whose purchases carry no value

Scores run from 1 (worst) to 5 (best). With n customers, F and M are
``1 + floor(5 x (customers strictly below) / n)`` and R is ``ceil(5 x (customers as old or older) / n)``.
Equal values therefore always score the same, whatever order rows come in. A tie takes the lower
score in F and M (buying once is 1, however many do it) and the better one in R (whoever bought on
the latest day is 5). Where n is a multiple of five and no values are equal, each score holds a
fifth. Without money, F stands in for M when the segment is chosen.
"""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import and_, or_
from typing import Any

import narwhals as nw

from shopkeeper.core.events import PURCHASE, REFUND
from shopkeeper.customers.ordinal import ordinal
from shopkeeper.customers.segments import Definition, definitions

DEFINITION = (
    "Purchases with a known customer up to the last day of data. R: days since the last purchase. "
    "F: distinct orders (lines without an order count once a day). M: purchases less refunds. "
    "Scores from 1 to 5 by fifths of the customers; equal values score the same: a tie takes the "
    "better R, and the lower F and M."
)


def figures(events: nw.LazyFrame[Any], as_of: date) -> nw.LazyFrame[Any]:
    """One row per customer who bought: customer_id, first_day, last_day, recency, frequency, monetary."""
    known = events.filter(~nw.col("customer_id").is_null(), nw.col("day") <= nw.lit(as_of))
    totals = (
        known.filter(nw.col("name") == PURCHASE)
        .with_columns(order=nw.coalesce(nw.col("order_id"), nw.col("day").cast(nw.String)))
        .group_by("customer_id", "order")
        .agg(
            nw.col("day").min().alias("first_day"),
            nw.col("day").max().alias("last_day"),
            nw.col("value").sum().alias("paid"),
            nw.col("value").count().alias("priced"),
        )
        .group_by("customer_id")
        .agg(
            nw.col("first_day").min(),
            nw.col("last_day").max(),
            nw.len().alias("frequency"),
            nw.col("paid").sum(),
            nw.col("priced").sum(),
        )
    )
    refunds = (
        known.filter(nw.col("name") == REFUND)
        .group_by("customer_id")
        .agg(nw.col("value").sum().alias("refunded"))
    )
    net = nw.col("paid") - nw.coalesce(nw.col("refunded"), nw.lit(0.0))
    return (
        totals.join(refunds, on="customer_id", how="left")
        .with_columns(shop_priced=nw.col("priced").max())
        .select(
            "customer_id",
            "first_day",
            "last_day",
            recency=nw.lit(as_of.toordinal()) - ordinal(nw.col("last_day")),
            frequency=nw.col("frequency"),
            monetary=nw.when(nw.col("shop_priced") > 0).then(net),
        )
    )


def scored(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The figures with scores r, f, m (m null without money) and the code of the segment."""
    ranked = frame.with_columns(
        n=nw.len(),
        as_old=nw.col("recency").rank("max", descending=True),
        below_f=nw.col("frequency").rank("min") - 1,
        below_m=nw.col("monetary").rank("min") - 1,
    )
    scores = ranked.with_columns(
        # ceil(a / n) in whole numbers: no rounding error may move a customer across a boundary.
        r=(nw.col("as_old") * 5 + nw.col("n") - 1) // nw.col("n"),
        f=nw.col("below_f") * 5 // nw.col("n") + 1,
        m=nw.col("below_m") * 5 // nw.col("n") + 1,
    ).with_columns(m_or_f=nw.coalesce(nw.col("m"), nw.col("f")))
    return scores.with_columns(segment=_segment()).drop(
        "n", "as_old", "below_f", "below_m", "m_or_f"
    )


def table(events: nw.LazyFrame[Any], as_of: date) -> nw.LazyFrame[Any]:
    """One row per customer who bought: the figures, the scores and the segment."""
    return scored(figures(events, as_of))


def by_segment(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """One row per segment that has customers: sizes, money and medians."""
    return frame.group_by("segment").agg(
        nw.len().alias("customers"),
        (nw.col("frequency") == 1).cast(nw.Int64).sum().alias("bought_once"),
        nw.col("monetary").sum().alias("revenue"),
        nw.col("monetary").count().alias("priced"),
        nw.col("recency").median().alias("median_recency"),
        nw.col("frequency").median().alias("median_orders"),
        nw.col("monetary").median().alias("median_monetary"),
    )


def _segment() -> nw.Expr:
    known = list(definitions().values())
    return reduce(
        lambda rest, one: nw.when(_holds(one)).then(nw.lit(one.code)).otherwise(rest),
        known[:-1],
        nw.lit(known[-1].code),
    )


def _holds(segment: Definition) -> nw.Expr:
    columns = ("r", "f", "m_or_f")
    boxes = (
        reduce(
            and_,
            (nw.col(c).is_between(low, high) for c, (low, high) in zip(columns, box, strict=True)),
        )
        for box in segment.boxes
    )
    return reduce(or_, boxes)
