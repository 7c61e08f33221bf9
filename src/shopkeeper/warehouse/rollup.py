"""The daily rollup: one row per local day and sender, from which dashboards add up.

Written in the SQL that every engine shares: its definition stands here alone.
"""

from __future__ import annotations

from typing import Final

from shopkeeper.core.events import ADD_TO_CART, PASSIVE, PURCHASE, REFUND, VIEW_ITEM
from shopkeeper.core.schema import DAILY

KEYS: Final = ("user_id", "anonymous_id", "day")
"""What tells rows of the rollup apart."""

COLUMNS: Final = tuple(column.name for column in DAILY if column.name != "stamp")
"""The columns of the rollup of some events; ``stamp`` says which events those were."""

_VERSION = "~2"


def mark(stamp: str) -> str:
    """What the rollup of a day with that stamp bears: another once the rollup's definition changes."""
    return stamp + _VERSION


def _only(name: str, more: str = "") -> str:
    return f"FILTER (WHERE name = '{name}'{more})"


_COSTED = " AND cost IS NOT NULL"
_PASSIVE = ", ".join(f"'{name}'" for name in sorted(PASSIVE))
_SUMS = {
    "events": f"count(*) FILTER (WHERE name NOT IN ({_PASSIVE}))",
    "views": f"count(*) {_only(VIEW_ITEM)}",
    "carts": f"count(*) {_only(ADD_TO_CART)}",
    "orders": f"count(DISTINCT order_id) {_only(PURCHASE)}",
    "lines": f"count(*) {_only(PURCHASE)}",
    "units": f"coalesce(sum(quantity) {_only(PURCHASE)}, 0)",
    "revenue": f"coalesce(sum(value) {_only(PURCHASE)}, 0)",
    "cost": f"coalesce(sum(cost) {_only(PURCHASE)}, 0)",
    "costed_revenue": f"coalesce(sum(value) {_only(PURCHASE, _COSTED)}, 0)",
    "refund_lines": f"count(*) {_only(REFUND)}",
    "refund_units": f"coalesce(sum(quantity) {_only(REFUND)}, 0)",
    "refunds": f"coalesce(sum(value) {_only(REFUND)}, 0)",
    "refund_cost": f"coalesce(sum(cost) {_only(REFUND)}, 0)",
    "costed_refunds": f"coalesce(sum(value) {_only(REFUND, _COSTED)}, 0)",
}
_TYPES = {"int64": "BIGINT", "float64": "DOUBLE"}

AGGREGATES: Final = tuple(
    f"CAST({_SUMS[column.name]} AS {_TYPES[column.type]}) AS {column.name}"
    for column in DAILY
    if column.name in _SUMS
)
"""The other columns, as SQL over events grouped by :data:`KEYS`."""
