"""Rewrites days of the tables without what is past its term."""

from __future__ import annotations

from datetime import date, datetime

from shopkeeper.core.events import PURCHASE, REFUND
from shopkeeper.core.schema import EVENTS
from shopkeeper.core.subject import PSEUDONYM
from shopkeeper.warehouse.rewriting import clear, counted, rewritten, without_text
from shopkeeper.warehouse.warehouse import Warehouse

__all__ = ["clear", "expire", "forget_orders", "without_text"]

_ORDERS = f"name IN ('{PURCHASE}', '{REFUND}')"


def old_rows(warehouse: Warehouse, table: str, before: date) -> int:
    """How many rows :func:`expire` would remove."""
    return counted(warehouse, table, _gone(table, before))


def expire(warehouse: Warehouse, table: str, before: date) -> int:
    """Remove rows of days before that one; orders stay, without their customer's other events."""
    return rewritten(warehouse, table, _gone(table, before), {})


def old_orders(warehouse: Warehouse, before: datetime) -> int:
    """How many rows :func:`forget_orders` would change."""
    return counted(warehouse, EVENTS.name, _pseudonymous(before))


def forget_orders(warehouse: Warehouse, before: datetime) -> int:
    """Take the pseudonym of an erased customer from orders before that time."""
    old = _pseudonymous(before)
    columns = {"user_id": f"CASE WHEN NOT coalesce({old}, false) THEN user_id END"}
    return rewritten(warehouse, EVENTS.name, old, columns)


def _gone(table: str, before: date) -> str:
    kept = _ORDERS if table == EVENTS.name else "false"
    return f"day < DATE '{before}' AND NOT ({kept})"


def _pseudonymous(before: datetime) -> str:
    return f"starts_with(user_id, '{PSEUDONYM}') AND time < TIMESTAMPTZ '{before.isoformat()}'"
