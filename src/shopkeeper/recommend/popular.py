"""Recent popularity: how many different customers wanted an item, the latest weighing most."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from shopkeeper.core.events import PURCHASE, VIEW_ITEM
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints

RECENT_DAYS: Final = 30
HALF_LIFE_DAYS: Final = 14.0


@dataclass(frozen=True)
class Popularity:
    """Scores by item. ``recent`` counts the known customers who chose it since the given time."""

    score: Floats
    recent: Ints
    basis: str

    @cached_property
    def order(self) -> Ints:
        """Positions of items with any score, best first; equal ones in a fixed order."""
        order = np.lexsort((np.arange(len(self.score)), -self.score))
        return order[self.score[order] > 0].astype(np.int64)


def popularity(
    history: History, half_life_days: float = HALF_LIFE_DAYS, recent_from_ms: int | None = None
) -> Popularity:
    """Each chooser counts once an item, by the latest time: 0.5 ** (age in days / half-life).

    Counted over buyers; in a shop where nothing is ever bought, over those who looked. ``recent``
    starts at ``recent_from_ms``, or 30 times 24 hours before the latest row.
    """
    bought = history.bought
    basis = PURCHASE if bought.any() else VIEW_ITEM
    rows = bought if bought.any() else np.ones(len(bought), dtype=bool)
    customer, item, time = history.customer[rows], history.item[rows], history.time[rows]
    order = np.lexsort((-time, item, customer))
    customer, item, time = customer[order], item[order], time[order]
    first = np.ones(len(item), dtype=bool)
    first[1:] = (customer[1:] != customer[:-1]) | (item[1:] != item[:-1])
    days = (history.end - time[first]) / DAY_MS
    size = len(history.item_ids)
    start = history.end - RECENT_DAYS * DAY_MS + 1 if recent_from_ms is None else recent_from_ms
    recent = (time[first] >= start) & history.known[customer[first]]
    return Popularity(
        np.bincount(item[first], 0.5 ** (days / half_life_days), size).astype(np.float64),
        np.bincount(item[first][recent], minlength=size),
        basis,
    )
