"""Valuable customers who are late: they ordered more than once, and are twice as long away as usual."""

from __future__ import annotations

from typing import Final

import numpy as np

from shopkeeper.advice.idea import Idea, count, every, known, line, money, number_of_days
from shopkeeper.advice.types import Opens
from shopkeeper.advice.view import View

_LATE: Final = 2.0
_SILENT: Final = 30
_GONE: Final = 365
_LEAST: Final = 30


def ideas(view: View) -> list[Idea]:
    """One group: late by their own rhythm, and among the half of such customers who spent most."""
    orders = view.orders
    if len(orders.gaps) < _LEAST:
        return []
    again = np.unique(orders.customer[~orders.first])
    spent = np.bincount(orders.customer, orders.revenue)[again]
    worth = round(float(np.median(spent)), 2)
    group = every(
        known("orders", ">=", 2),
        known("overdue", ">=", _LATE),
        known("days_since_order", ">=", _SILENT),
        known("days_since_order", "<", _GONE),
        known("net_revenue", ">=", worth),
    )
    usual = line(
        "usual",
        None,
        Opens(what="orders"),
        days=number_of_days(float(np.median(orders.gaps))),
        gaps=count(len(orders.gaps)),
        worth=money(worth),
    )
    return [Idea("win_back", view.to_marketing(group), [usual], occasion="win_back")]
