"""Recent popularity: what many customers chose lately; it covers the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shopkeeper.recommend.heads.base import Affinities, Goods, Queries
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints


@dataclass(frozen=True)
class Popular:
    """``half_life_days`` after which a choice counts half; every item begins with ``prior`` choices."""

    half_life_days: float = 30.0
    prior: float = 0.5

    def fit(self, history: History, goods: Goods) -> FittedPopular:  # noqa: ARG002 - as every head
        """Count choices by their age."""
        size = len(history.item_ids)
        days = (history.end - history.time) / DAY_MS
        weight = history.strength * 0.5 ** (days / self.half_life_days)
        counted = np.bincount(history.item, weight, size)
        return FittedPopular((counted + self.prior).astype(np.float32))


@dataclass(frozen=True)
class FittedPopular:
    """Weights by item, the same for everybody."""

    weights: np.ndarray[tuple[int], np.dtype[np.float32]]

    def affinities(self, queries: Queries) -> Affinities:
        """The same row for each query."""
        return np.broadcast_to(self.weights, (len(queries), len(self.weights)))

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """Nothing: it is the same for everybody."""
        return np.zeros((len(queries.item), len(items)))

    def grown(self, goods: Goods) -> FittedPopular:
        """New items count as those that nobody chose."""
        fresh = np.full(len(goods.words), self.weights.min(initial=0.5), np.float32)
        return FittedPopular(np.concatenate([self.weights, fresh]))


HEAD = Popular
FITTED = FittedPopular
