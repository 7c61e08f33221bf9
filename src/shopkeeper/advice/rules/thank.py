"""The best customers: thanked without a discount, which would teach them to wait for one."""

from __future__ import annotations

from typing import Final

import numpy as np

from shopkeeper.advice.idea import Idea, every, known, line, share
from shopkeeper.advice.types import Opens
from shopkeeper.advice.view import View

_HERE: Final = 60
_LEAST: Final = 50
_TENTH: Final = 10
_MOST: Final = 0.2
"""Where the best tenth brings less, customers are alike and nobody stands out."""


def ideas(view: View) -> list[Idea]:
    """One group: champions by recency, frequency and money who bought within two months."""
    orders = view.orders
    spent = np.sort(np.bincount(orders.customer, orders.revenue))[::-1]
    if len(spent) < _LEAST or spent.sum() <= 0:
        return []
    best = float(spent[: len(spent) // _TENTH].sum() / spent.sum())
    if best < _MOST:
        return []
    top = line("best", None, Opens(what="orders"), tenth=share(best))
    group = every(known("rfm_segment", "=", "champions"), known("days_since_order", "<=", _HERE))
    return [Idea("thank", view.to_marketing(group), [top], occasion="thanks")]
