"""Co-visitation: what the same customers chose after, or together with, their latest items."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from shopkeeper.recommend.covisit import Covisit as Pairs
from shopkeeper.recommend.heads.base import Affinities, Goods, Queries, by_rows
from shopkeeper.recommend.history import Floats, History, Ints


@dataclass(frozen=True)
class Covisit:
    """``pairs`` says how pairs are counted; ``fade`` is the weight of a row by its age."""

    pairs: Pairs = Pairs(window=5, backward=0.0, half_life_days=3650.0, damping=0.5, keep=300)  # noqa: RUF009 - frozen
    fade: float = 0.6
    recall: int = 20

    def fit(self, history: History, goods: Goods) -> FittedCovisit:  # noqa: ARG002 - as every head
        """Count the pairs."""
        return FittedCovisit(self.pairs.fit(history), self)


@dataclass(frozen=True)
class FittedCovisit:
    """Scores (items x items) of what follows what."""

    weights: sparse.csr_array
    recipe: Covisit

    def affinities(self, queries: Queries) -> Affinities:
        """What follows the latest items."""
        fed = queries.recalled(self.weights.shape[0], self.recipe.fade, self.recipe.recall)
        return sparse.csr_array(fed @ self.weights)

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """The terms of the sum."""
        fed = queries.recall(self.recipe.fade, self.recipe.recall)
        return by_rows(self.weights, fed, queries.item, items)


HEAD = Covisit
FITTED = FittedCovisit
