"""The daily rollup: one row per local day and sender, from which dashboards add up."""

from __future__ import annotations

import duckdb

from shopkeeper.core.events import ADD_TO_CART, PURCHASE, REFUND, VIEW_ITEM
from shopkeeper.core.schema import DAILY

_SUMS = {
    "events": "count(*)",
    "views": f"count(*) FILTER (name = '{VIEW_ITEM}')",
    "carts": f"count(*) FILTER (name = '{ADD_TO_CART}')",
    "orders": f"count(DISTINCT order_id) FILTER (name = '{PURCHASE}')",
    "lines": f"count(*) FILTER (name = '{PURCHASE}')",
    "units": f"coalesce(sum(quantity) FILTER (name = '{PURCHASE}'), 0)",
    "revenue": f"coalesce(sum(value) FILTER (name = '{PURCHASE}'), 0)",
    "cost": f"coalesce(sum(cost) FILTER (name = '{PURCHASE}'), 0)",
    "costed_revenue": f"coalesce(sum(value) FILTER (name = '{PURCHASE}' AND cost IS NOT NULL), 0)",
    "refund_lines": f"count(*) FILTER (name = '{REFUND}')",
    "refund_units": f"coalesce(sum(quantity) FILTER (name = '{REFUND}'), 0)",
    "refunds": f"coalesce(sum(value) FILTER (name = '{REFUND}'), 0)",
    "refund_cost": f"coalesce(sum(cost) FILTER (name = '{REFUND}'), 0)",
    "costed_refunds": f"coalesce(sum(value) FILTER (name = '{REFUND}' AND cost IS NOT NULL), 0)",
}
_TYPES = {"int64": "BIGINT", "float64": "DOUBLE"}


def daily(events: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The rollup of these events: the columns of ``daily`` but for ``stamp``."""
    cast = {c.name: _TYPES.get(c.type) for c in DAILY}
    sums = ", ".join(f"CAST({sql} AS {cast[name]}) AS {name}" for name, sql in _SUMS.items())
    return events.aggregate(f"user_id, anonymous_id, day, {sums}", "user_id, anonymous_id, day")
