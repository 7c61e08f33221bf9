"""Customers who bought once, in the days in which a second order usually comes if it comes."""

from __future__ import annotations

from typing import Final

import numpy as np

from shopkeeper.advice.idea import Idea, count, every, known, line, number_of_days, share
from shopkeeper.advice.types import Opens
from shopkeeper.advice.view import View
from shopkeeper.core.types import Estimate
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion

_SEEN: Final = 90
"""Only first orders at least so long ago are counted: later ones had no time for a second."""

_LEAST: Final = 20
_WITHIN: Final = (25, 80)


def ideas(view: View) -> list[Idea]:
    """One group: one order, as long ago as the middle half of second orders took and a little more."""
    orders, today = view.orders, view.as_of.toordinal()
    starts = np.flatnonzero(orders.first)
    follows = np.r_[starts[1:], len(orders.day)] - starts > 1
    second = starts[follows] + 1
    gaps = orders.day[second] - orders.day[second - 1]
    if len(gaps) < _LEAST:
        return []
    old = orders.day[starts] <= today - _SEEN
    came = np.zeros(len(starts), dtype=bool)
    came[follows] = gaps <= _SEEN
    returned = proportion(Proportion(int(old.sum()), int((old & came).sum())))
    early, late = (round(float(q)) for q in np.percentile(gaps, _WITHIN))
    early, late = max(early, 2), max(late, early + 7)
    lines = [
        line(
            "timing",
            None,
            Opens(what="orders"),
            early=number_of_days(early),
            late=number_of_days(late),
            middle=number_of_days(float(np.median(gaps))),
            orders=count(len(gaps)),
        )
    ]
    if isinstance(returned, Estimate):
        lines.append(
            line(
                "returned",
                None,
                Opens(what="orders"),
                share=share(returned.value, returned.low, returned.high),
                days=number_of_days(_SEEN),
                customers=count(returned.n),
            )
        )
    group = every(
        known("orders", "=", 1),
        known("days_since_order", ">=", early),
        known("days_since_order", "<=", late),
    )
    return [Idea("second_order", view.to_marketing(group), lines, occasion="second_order")]
