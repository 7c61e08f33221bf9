"""Newcomers: what customers choose first, for those of whom nothing is known yet.

What a shop shows to strangers, and what strangers look for, differs from what everybody chooses. Who has a
history has other heads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from shopkeeper.recommend.heads.base import Affinities, Goods, Queries
from shopkeeper.recommend.heads.popular import Popular, faded
from shopkeeper.recommend.history import Floats, History, Ints


@dataclass(frozen=True)
class Newcomer:
    """The ``keep`` items chosen first most often lately, forgotten as popularity forgets."""

    keep: int = 1000

    def fit(self, history: History, goods: Goods) -> FittedNewcomer:  # noqa: ARG002 - as every head
        """Count first choices by their age; choices made at once share one."""
        first = _first(history)
        counts = faded(first, Popular().half_life(first), history.end)
        if len(counts) > self.keep:
            counts[np.argpartition(-counts, self.keep - 1)[self.keep :]] = 0.0
        return FittedNewcomer(sparse.csr_array(counts.astype(np.float32)[None]))


def _first(history: History) -> History:
    """What each chooser chose at their earliest time, together as strong as one choice."""
    choosers = len(history.customer_ids)
    earliest = np.full(choosers, np.iinfo(np.int64).max)
    np.minimum.at(earliest, history.customer, history.time)
    rows = history.time == earliest[history.customer]
    customer = history.customer[rows]
    shared = np.bincount(customer, minlength=choosers)[customer]
    return replace(
        history,
        customer=customer,
        item=history.item[rows],
        time=history.time[rows],
        strength=history.strength[rows] / shared,
    )


@dataclass(frozen=True)
class FittedNewcomer:
    """(1 x items) how often each item was chosen first."""

    counts: sparse.csr_array

    def affinities(self, queries: Queries) -> Affinities:
        """The counts for who has no history, nothing for the others."""
        new = queries.lengths == 0
        many, row = int(np.count_nonzero(new)), self.counts
        ends = np.concatenate([[0], np.cumsum(new) * row.nnz])
        three = (np.tile(row.data, many), np.tile(row.indices, many), ends)
        return sparse.csr_array(three, shape=(len(queries), row.shape[1]))

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """Nothing: there is no history that it could rest on."""
        return np.zeros((len(queries.item), len(items)))

    def grown(self, goods: Goods) -> FittedNewcomer:
        """Nobody has chosen a new item first."""
        row = self.counts
        shape = (1, row.shape[1] + len(goods.words))
        return FittedNewcomer(sparse.csr_array((row.data, row.indices, row.indptr), shape=shape))


HEAD = Newcomer
FITTED = FittedNewcomer
