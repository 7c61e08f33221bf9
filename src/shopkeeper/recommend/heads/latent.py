"""Latent tastes: a history's place among the items, by what is chosen together.

The matrix of joint choices, log(1 + n_ij N / (n_i n_j)^damping), is cut to ``size`` dimensions by a
truncated SVD; a history is the mean of its items, and the affinity to an item is exp(steepness x cosine)
times its popularity. Unlike the heads that count pairs it says something about every item.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.heads.base import Affinities, ByBehaviour, Goods, Matrix, Queries
from shopkeeper.recommend.history import Floats, History, Ints
from shopkeeper.recommend.together import joint, leading, unit


@dataclass(frozen=True)
class Latent:
    """``lift`` is the power of popularity, ``steepness`` that of likeness."""

    size: int = 128
    damping: float = 0.75
    lift: float = 0.7
    steepness: float = 6.0
    fade: float = 0.8
    recall: int = 50
    rows_per_customer: int = 200
    prior: float = 0.5

    def fit(self, history: History, goods: Goods) -> FittedLatent:  # noqa: ARG002 - as every head
        """Reduce the joint choices; items that nobody chose lie at the origin."""
        items = len(history.item_ids)
        counts = np.bincount(history.item, minlength=items)
        base = self.lift * np.log(counts + self.prior)
        width = min(self.size, items - 1)
        if width < 1 or not len(history.item):
            return FittedLatent(_table(np.zeros((items, 1), np.float32), base), self)
        left, values = leading(joint(history, self.damping, self.rows_per_customer), width)
        return FittedLatent(_table(unit(left * values), base), self)


def _table(vectors: Matrix, base: Floats) -> Matrix:
    return np.column_stack([vectors, base]).astype(np.float32)


@dataclass(frozen=True)
class FittedLatent(ByBehaviour):
    """``table``: one unit vector an item, and in the last column the logarithm of its popularity."""

    table: Matrix
    recipe: Latent

    def affinities(self, queries: Queries) -> Affinities:
        """Likeness of each item to the mean of a history, dense."""
        state, _ = self.state(queries)
        return np.asarray(np.exp(state @ self.table.T), dtype=np.float32)

    def state(self, queries: Queries) -> tuple[Matrix, NDArray[np.bool_]]:
        """The mean of a history, as steep as the recipe says, and 1 for popularity."""
        fed = queries.recall(self.recipe.fade, self.recipe.recall, self.behaviours)
        weight = fed.astype(np.float32)
        if len(queries) == 1:
            place = (weight @ self.table[queries.item])[None]
        else:
            shape = (len(queries), len(self.table))
            rows = sparse.csr_array((weight, queries.item, queries.starts), shape=shape)
            place = np.asarray(rows @ self.table)
        place[:, :-1] = self.recipe.steepness * unit(place[:, :-1])
        place[:, -1] = 1.0
        return place, np.ones(len(queries), dtype=bool)

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """The terms of the likeness to each item, before the exponent."""
        fed = queries.recall(self.recipe.fade, self.recipe.recall, self.behaviours)
        likeness = self.table[queries.item, :-1] @ self.table[items, :-1].T
        return np.asarray(np.maximum(fed[:, None] * likeness, 0.0), dtype=np.float64)

    def grown(self, goods: Goods) -> FittedLatent:
        """New items lie at the origin, as popular as those that nobody chose."""
        fresh = np.zeros((len(goods.words), self.table.shape[1]), np.float32)
        fresh[:, -1] = self.table[:, -1].min(initial=0.0)
        return replace(self, table=np.concatenate([self.table, fresh]))


HEAD = Latent
FITTED = FittedLatent
