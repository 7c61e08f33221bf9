"""Small additive rows of what happened: from the daily rollup, or the same from raw events.

``events`` are those by which a customer was active: not what happened to them (``events.PASSIVE``).
A cell has ``customer_id``, ``day``, the wanted columns of the rollup and, with a dimension, its group
and whether that is the rest. Cells of one customer, day and group may be several: add them up.

An order is one order id of one sender (``user_id`` and ``anonymous_id`` as sent) on one day, because
that is what the rollup counts; raw cells count the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import narwhals as nw

from shopkeeper.core.events import ADD_TO_CART, MONEY, PASSIVE, PURCHASE, REFUND, VIEW_ITEM
from shopkeeper.core.period import Days
from shopkeeper.metrics.dimensions import GROUP, REST, Grouping
from shopkeeper.warehouse.source import Frame, Source

_name = nw.col("name")


def _where(name: str, value: nw.Expr) -> nw.Expr:
    return nw.when(_name == name).then(value).otherwise(0.0).fill_null(0.0)


_ONE = nw.lit(1.0)
_VALUE, _QUANTITY, _COST = nw.col("value"), nw.col("quantity"), nw.col("cost")
_COSTED = nw.when(~_COST.is_null()).then(_VALUE)

_ACTS: Final[dict[str, nw.Expr]] = {
    "events": _ONE,
    "views": _where(VIEW_ITEM, _ONE),
    "carts": _where(ADD_TO_CART, _ONE),
}
_MONEY: Final[dict[str, nw.Expr]] = {
    "lines": _where(PURCHASE, _ONE),
    "units": _where(PURCHASE, _QUANTITY),
    "revenue": _where(PURCHASE, _VALUE),
    "cost": _where(PURCHASE, _COST),
    "costed_revenue": _where(PURCHASE, _COSTED),
    "refund_lines": _where(REFUND, _ONE),
    "refund_units": _where(REFUND, _QUANTITY),
    "refunds": _where(REFUND, _VALUE),
    "refund_cost": _where(REFUND, _COST),
    "costed_refunds": _where(REFUND, _COSTED),
}
_SENDER: Final = ("customer_id", "day", "user_id", "anonymous_id")

COLUMNS: Final = frozenset({*_ACTS, *_MONEY, "orders"})
"""The columns that cells can have."""


def cells(
    source: Source,
    days: Days,
    columns: Iterable[str],
    by: Grouping | None = None,
    raw: bool = False,
) -> Frame:
    """Cells of these days; from the rollup unless ``raw`` or the dimension is one of events."""
    wanted = sorted(set(columns))
    if raw or (by is not None and by.by.level != "customer"):
        frame = _raw(source, days, wanted, by)
    else:
        frame = source.daily(days)
        if wanted and not any(column in _ACTS for column in wanted):
            # Most rows are of days on which somebody only looked: spare them the rest.
            frame = frame.filter((nw.col("lines") > 0) | (nw.col("refund_lines") > 0))
        frame = frame.select("customer_id", "day", *wanted)
    of_customers = by is not None and by.by.level == "customer"
    return by.of_customers(frame, source) if by is not None and of_customers else frame


def _raw(source: Source, days: Days, wanted: list[str], by: Grouping | None) -> Frame:
    events = source.events(days)
    group: list[str] = []
    if by is not None and by.by.level != "customer":
        events, group = by.of_events(events, source), [GROUP, REST]
    parts = []
    if any(column not in _ACTS for column in wanted):
        parts.append(_money(events, wanted, group))
    if not parts or any(column in _ACTS for column in wanted):
        parts.append(_acts(events, wanted, group))
    return parts[0] if len(parts) == 1 else nw.concat(parts)


def _acts(events: Frame, wanted: list[str], group: list[str]) -> Frame:
    values = [_ACTS.get(column, nw.lit(0.0)).alias(column) for column in wanted]
    acts = events.filter(~_name.is_in(sorted(PASSIVE)))
    return acts.select("customer_id", "day", *group, *values)


def _money(events: Frame, wanted: list[str], group: list[str]) -> Frame:
    lines = events.filter(_name.is_in(sorted(MONEY)))
    zero = nw.lit(0.0)
    if "orders" not in wanted:
        values = [_MONEY.get(column, zero).alias(column) for column in wanted]
        return lines.select("customer_id", "day", *group, *values)
    summed = [column for column in wanted if column in _MONEY]
    order = nw.when(_name == PURCHASE).then(nw.col("order_id")).alias("order_key")
    keys = [*_SENDER, *group, "order_key"]
    orders = (
        lines.select(*_SENDER, *group, order, *(_MONEY[column].alias(column) for column in summed))
        .group_by(*keys)
        .agg(*(nw.col(column).sum() for column in summed))
    )
    counted = (~nw.col("order_key").is_null()).cast(nw.Float64)
    made = {column: nw.col(column) for column in summed} | {"orders": counted}
    values = [made.get(column, zero).alias(column) for column in wanted]
    return orders.select("customer_id", "day", *group, *values)
