"""Co-visitation: what the same customers chose after, or together with, their latest items."""

from __future__ import annotations

from dataclasses import dataclass

from shopkeeper.recommend.covisit import Covisit as Pairs
from shopkeeper.recommend.heads.base import FittedLinear, Goods
from shopkeeper.recommend.history import History


@dataclass(frozen=True)
class Covisit:
    """``pairs`` says how pairs are counted; ``fade`` is the weight of a row by its age."""

    pairs: Pairs = Pairs(window=5, backward=0.0, half_life_days=3650.0, damping=0.5, keep=100)  # noqa: RUF009 - frozen
    fade: float = 0.6
    recall: int = 20

    def fit(self, history: History, goods: Goods) -> FittedLinear:  # noqa: ARG002 - as every head
        """Count the pairs."""
        return FittedLinear(self.pairs.fit(history), self)


HEAD = Covisit
FITTED = FittedLinear
