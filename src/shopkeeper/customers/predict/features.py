"""What the boosted models look at: one row per buyer, as one could have known it on a given day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopkeeper.customers.predict.activity import Activity, bounds, purchases
from shopkeeper.customers.predict.bgnbd import BgNbd, Purchases

Array = NDArray[np.float64]

PREFIX = "taste_"

_WINDOWS = (14, 30, 60, 90, 180)
_SEEN = (30, 90)
_LEAST_GAP = 1.0


@dataclass(frozen=True)
class Features:
    """``values`` has a row per entry of ``places`` (customers by number) and a column per name."""

    places: NDArray[np.int64]
    seen: Purchases
    names: tuple[str, ...]
    values: Array

    def column(self, name: str) -> Array:
        found: Array = self.values[:, self.names.index(name)]
        return found


def features(activity: Activity, now: int, model: BgNbd, horizon: int) -> Features:
    """The features of who had bought before the day ``now``; nothing of that day or later enters.

    ``model`` gives what a memoryless buyer of that history would do within ``horizon`` days: boosting then
    only has to learn where that is wrong.
    """
    places, seen = purchases(activity, now)
    past = activity.before(now).of(places)
    columns = {
        **_rhythm(past.buying(), seen, now),
        **_amounts(past.buying(), now),
        **_visits(past, now),
        **_baskets(past),
        **_model(model, seen, horizon),
    }
    values = np.column_stack(list(columns.values())) if len(places) else np.zeros((0, len(columns)))
    return Features(places, seen, tuple(columns), values)


def _rhythm(bought: Activity, seen: Purchases, now: int) -> dict[str, Array]:
    """When they bought: recency, gaps between purchases and how regular these are."""
    _, last = bounds(bought)
    recency = (now - 1 - last).astype(np.float64)
    same = np.zeros(len(bought.customer), bool)
    same[1:] = bought.customer[1:] == bought.customer[:-1]
    gap = np.where(same, np.diff(bought.day, prepend=0), 0).astype(np.float64)
    repeats = np.maximum(seen.repeats, 1)
    mean = bought.total(gap) / repeats
    spread = np.sqrt(np.maximum(bought.total(gap**2) / repeats - mean**2, 0.0))
    last_gap = bought.total(gap * (bought.day == last[bought.customer]))
    again = seen.repeats > 0
    return {
        "days_since_order": recency,
        "tenure_days": seen.age,
        "order_days": seen.repeats + 1,
        "order_gap": np.where(again, mean, np.nan),
        "order_gap_spread": np.where(seen.repeats > 1, spread, np.nan),
        "last_gap": np.where(again, last_gap, np.nan),
        "overdue": np.where(again, recency / np.maximum(mean, _LEAST_GAP), np.nan),
    }


def _amounts(bought: Activity, now: int) -> dict[str, Array]:
    """How much they bought, lately and altogether."""
    _, last = bounds(bought)
    at_last = (bought.day == last[bought.customer]).astype(np.float64)
    count, paid = np.maximum(bought.total(), 1), bought.total(bought.sums["revenue"])
    found = {
        f"order_days_{days}": bought.total((bought.day >= now - days).astype(np.float64))
        for days in _WINDOWS
    }
    recent = (bought.day >= now - 90).astype(np.float64)
    return {
        **found,
        "orders": bought.total(bought.sums["orders"]),
        "revenue": paid,
        "average_order": paid / count,
        "last_order": bought.total(bought.sums["revenue"] * at_last),
        "revenue_90": bought.total(bought.sums["revenue"] * recent),
        "lines_an_order": bought.total(bought.sums["lines"]) / count,
        "units": bought.total(bought.sums["units"]),
        "last_lines": bought.total(bought.sums["lines"] * at_last),
    }


def _visits(past: Activity, now: int) -> dict[str, Array]:
    """What they did besides buying: visits, looks, baskets and refunds."""
    _, last = bounds(past)
    paid = np.maximum(past.total(past.sums["revenue"]), 1e-9)
    found = {
        "days_since_seen": (now - 1 - last).astype(np.float64),
        "refund_share": np.minimum(past.total(past.sums["refunds"]) / paid, 1.0),
    }
    for days in _SEEN:
        recent = (past.day >= now - days).astype(np.float64)
        found[f"active_days_{days}"] = past.total(recent)
        found[f"views_{days}"] = past.total(past.sums["views"] * recent)
        found[f"carts_{days}"] = past.total(past.sums["carts"] * recent)
    return found


def _baskets(past: Activity) -> dict[str, Array]:
    """What they bought, where baskets are known."""
    if "basket" not in past.sums:
        return {}
    rows = np.maximum(past.total(past.sums["basket"]), 1)
    fresh = past.total(past.sums["fresh"])
    found = {
        "items": fresh,
        "item_again": rows / np.maximum(fresh, 1),
        "item_price": past.total(past.sums["log_price"]) / rows,
        "item_quantity": past.total(past.sums["log_quantity"]) / rows,
    }
    tastes = {name: past.total(past.sums[name]) for name in past.sums if name.startswith(PREFIX)}
    length = np.sqrt(sum((one**2 for one in tastes.values()), np.zeros(len(past))))
    return found | {name: one / np.maximum(length, 1e-9) for name, one in tastes.items()}


def _model(model: BgNbd, seen: Purchases, horizon: int) -> dict[str, Array]:
    """What BG/NBD makes of the same history."""
    expected = np.maximum(model.expected(seen, horizon), 1e-9)
    return {"alive": model.alive(seen), "expected_orders": np.log(expected)}
