"""Rewrites days of the tables without what is past its term."""

from __future__ import annotations

from datetime import date, datetime

from shopkeeper.core.events import PURCHASE, REFUND
from shopkeeper.core.schema import EVENTS
from shopkeeper.core.subject import PSEUDONYM
from shopkeeper.warehouse.erase import clear, rewritten
from shopkeeper.warehouse.warehouse import Warehouse

__all__ = ["clear", "expire", "forget_orders"]

_ORDERS = f"name IN ('{PURCHASE}', '{REFUND}')"


def expire(warehouse: Warehouse, table: str, before: date) -> int:
    """Remove rows of days before that one; orders stay, without their customer's other events."""
    kept = _ORDERS if table == EVENTS.name else "false"
    gone = f"day < DATE '{before}' AND NOT ({kept})"
    return rewritten(warehouse, table, gone, {})


def forget_orders(warehouse: Warehouse, before: datetime) -> int:
    """Take the pseudonym of an erased customer from orders before that time."""
    stamp = before.isoformat()
    old = f"starts_with(user_id, '{PSEUDONYM}') AND time < TIMESTAMPTZ '{stamp}'"
    columns = {"user_id": f"CASE WHEN NOT coalesce({old}, false) THEN user_id END"}
    return rewritten(warehouse, EVENTS.name, old, columns)
