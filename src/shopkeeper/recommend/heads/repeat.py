"""Buy again: what a customer chose before, by how long ago, how often it is chosen again, and its season.

Who bought wrapping paper last December buys it again in December: the rate of choosing an item again is
multiplied by how much more often than usual everybody chooses it now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from shopkeeper.recommend.heads.base import Affinities, ByBehaviour, Goods, Queries
from shopkeeper.recommend.heads.popular import Popular
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints


@dataclass(frozen=True)
class Repeat:
    """``prior`` choosers are added to each item, who chose again as often as the shop's average.

    What was chosen ``days`` ago weighs 1 / (days + ``offset_days``): memory fades by a power of time
    (Anderson and Schooler, 1991), so that minutes count within a visit and months between orders.
    """

    offset_days: float = 0.01
    prior: float = 5.0

    def fit(self, history: History, goods: Goods) -> FittedRepeat:  # noqa: ARG002 - as every head
        """The share of each item's choosers who chose it on another day as well, times its momentum."""
        size = len(history.item_ids)
        pair = history.customer * np.int64(size) + history.item
        pairs, times = np.unique(pair, return_counts=True)
        item = pairs % size if size else pairs
        choosers = np.bincount(item, minlength=size)
        again = np.bincount(item, (times > 1).astype(float), size)
        average = again.sum() / max(choosers.sum(), 1)
        rate = (again + self.prior * average) / (choosers + self.prior)
        return FittedRepeat(rate * Popular().momentum(history, self.prior), self)


@dataclass(frozen=True)
class FittedRepeat(ByBehaviour):
    """The rate of choosing again now, by item."""

    rate: Floats
    recipe: Repeat

    def affinities(self, queries: Queries) -> Affinities:
        """Own items only: times chosen, faded by time, times the item's rate."""
        weight, shape = self._weight(queries).astype(np.float32), (len(queries), len(self.rate))
        return sparse.csr_array(
            sparse.coo_array((weight, (queries.query, queries.item)), shape=shape)
        )

    def terms(self, query: Queries) -> tuple[Ints, Ints, Floats]:
        """Of one query: row of the history, item and term, as those of a linear head."""
        return np.arange(len(query.item)), query.item, self._weight(query)

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """Each row speaks for its own item."""
        return np.asarray(self._weight(queries)[:, None] * (queries.item[:, None] == items))

    def grown(self, goods: Goods) -> FittedRepeat:
        """New items are bought again as often as the average."""
        average = float(self.rate.mean()) if len(self.rate) else 0.0
        fresh = np.full(len(goods.words), average)
        return replace(self, rate=np.concatenate([self.rate, fresh]))

    def _weight(self, queries: Queries) -> Floats:
        days = (queries.now[queries.query] - queries.time) / DAY_MS
        faded = 1.0 / (np.maximum(days, 0.0) + self.recipe.offset_days)
        weight = queries.weight(self.behaviours)
        return np.asarray(weight * faded * self.rate[queries.item])


HEAD = Repeat
FITTED = FittedRepeat
