"""Kinds: the brands and categories of a history, and what is popular within each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import sparse

from shopkeeper.recommend.heads.base import Affinities, ByBehaviour, Goods, Queries, wider
from shopkeeper.recommend.history import Floats, History, Ints

_LEVELS: Final = 3


@dataclass(frozen=True)
class Kind:
    """``share`` is how much of the affinity comes by brand; the rest comes by category."""

    fade: float = 0.8
    recall: int = 50
    share: float = 0.7
    prior: float = 0.5

    def fit(self, history: History, goods: Goods) -> FittedKind:
        """Popularity within each brand, and within each category down to the third level."""
        size = len(history.item_ids)
        counts = np.bincount(history.item, history.strength, size).astype(np.float64) + self.prior
        paths = tuple(" > ".join(path.split(" > ")[:_LEVELS]) for path in goods.category)
        parts = (_members(goods.brand, counts), _members(paths, counts))
        return FittedKind(*parts[0], *parts[1], self)


def _members(labels: tuple[str, ...], counts: Floats) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Who belongs (items x groups, ones) and popularity within the group (groups x items, rows of 1)."""
    groups, group = np.unique(np.array(labels, dtype=object).astype(str), return_inverse=True)
    named = np.flatnonzero(groups[group] != "")
    shape = (len(labels), len(groups))
    belongs = sparse.csr_array(
        (np.ones(len(named), np.float32), (named, group[named])), shape=shape
    )
    mass = np.bincount(group[named], counts[named], len(groups))
    share = (counts[named] / mass[group[named]]).astype(np.float32)
    within = sparse.csr_array((share, (group[named], named)), shape=shape[::-1])
    return belongs, within


@dataclass(frozen=True)
class FittedKind(ByBehaviour):
    """Who belongs to which brand and category, and what is popular within each."""

    of_brand: sparse.csr_array
    in_brand: sparse.csr_array
    of_category: sparse.csr_array
    in_category: sparse.csr_array
    recipe: Kind

    def affinities(self, queries: Queries) -> Affinities:
        """The shares of brands and categories in a history, spread over their items."""
        size, recipe = self.of_brand.shape[0], self.recipe
        fed = queries.recalled(size, recipe.fade, recipe.recall, self.behaviours)
        brand = sparse.csr_array(_shares(fed, self.of_brand) @ self.in_brand)
        category = sparse.csr_array(_shares(fed, self.of_category) @ self.in_category)
        return sparse.csr_array(self.recipe.share * brand + (1 - self.recipe.share) * category)

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """The terms of the sum: rows of the item's brand and of its category."""
        fed = queries.recall(self.recipe.fade, self.recipe.recall, self.behaviours)
        brand = _terms(fed, queries.item, items, (self.of_brand, self.in_brand))
        category = _terms(fed, queries.item, items, (self.of_category, self.in_category))
        return self.recipe.share * brand + (1 - self.recipe.share) * category

    def grown(self, goods: Goods) -> FittedKind:
        """New items belong to no group until the next fit."""
        more = len(goods.words)
        return replace(
            self,
            of_brand=wider(self.of_brand, more, 0),
            in_brand=wider(self.in_brand, 0, more),
            of_category=wider(self.of_category, more, 0),
            in_category=wider(self.in_category, 0, more),
        )


def _shares(fed: sparse.csr_array, belongs: sparse.csr_array) -> sparse.csr_array:
    groups = sparse.csr_array(fed @ belongs)
    total = np.asarray(groups.sum(axis=1)).ravel()
    row: Ints = np.repeat(np.arange(groups.shape[0]), np.diff(groups.indptr))
    groups.data /= np.maximum(total[row], 1e-12)
    return groups


def _terms(
    fed: Floats, rows: Ints, items: Ints, group: tuple[sparse.csr_array, sparse.csr_array]
) -> Floats:
    belongs = sparse.csr_array(group[0][rows])
    named = np.asarray(belongs.sum(axis=1)).ravel()
    spread = sparse.csr_array(belongs @ group[1][:, items]).toarray()
    return np.asarray(fed[:, None] * spread / max(float(fed @ named), 1e-12))


HEAD = Kind
FITTED = FittedKind
