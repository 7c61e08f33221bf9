"""Recent popularity: what many customers chose lately; it covers the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopkeeper.recommend.cases import only
from shopkeeper.recommend.heads.base import Affinities, Goods, Queries
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints

_HALF_LIVES: Final = (3.0, 7.0, 14.0, 30.0, 60.0, 120.0)
_USUAL: Final = 30.0
_WEEK_MS: Final = 7 * DAY_MS
_LEAST: Final = 200
"""Choices, of the week and before it."""


@dataclass(frozen=True)
class Popular:
    """``half_life_days`` after which a choice counts half; every item begins with ``prior`` choices.

    None: the half-life under which the history's last week is likeliest, by what came before it.
    """

    half_life_days: float | None = None
    prior: float = 0.5

    def fit(self, history: History, goods: Goods) -> FittedPopular:  # noqa: ARG002 - as every head
        """Count choices by their age."""
        counted = faded(history, self.half_life(history), history.end)
        return FittedPopular((counted + self.prior).astype(np.float32))

    def momentum(self, history: History, prior: float) -> Floats:
        """How many times as often as usual each item is chosen lately, ``prior`` choices added to both.

        What is usual is its share of all choices there ever were.
        """
        lately = faded(history, self.half_life(history), history.end)
        ever = np.bincount(history.item, history.strength, len(lately))
        usual = ever * (lately.sum() / ever.sum()) if len(history.item) else ever
        return np.asarray((lately + prior) / (usual + prior))

    def half_life(self, history: History) -> float:
        """Its own in days, else the best of a few; the usual where the last week or the past is small."""
        if self.half_life_days is not None:
            return self.half_life_days
        last = history.time > history.end - _WEEK_MS
        before, asked = only(history, ~last), history.item[last]
        if min(len(before.item), len(asked)) < _LEAST:
            return _USUAL
        likely = []
        for days in _HALF_LIVES:
            counted = faded(before, days, history.end - _WEEK_MS) + self.prior
            likely.append(float(np.log(counted[asked] / counted.sum()) @ history.strength[last]))
        return _HALF_LIVES[int(np.argmax(likely))]


def faded(history: History, half_life: float, now: int) -> Floats:
    """How often each item was chosen, by the age of the choices in days."""
    days = (now - history.time) / DAY_MS
    weight = history.strength * 0.5 ** (days / half_life)
    return np.bincount(history.item, weight, len(history.item_ids)).astype(np.float64)


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
