"""Who is like the customers of a list, and how sure that is.

The list's customers against a sample of all others, by the same model and features as predictions; others
are unlabelled, not unlike (Elkan & Noto 2008: the order of chances is that of the likeness). How good the
order is, is measured on halves of the list that the model has not seen, beside what the
share of the list among the nearest customers in recency, frequency and money would find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core.types import CannotSay
from shopkeeper.customers.predict.blend import Blend
from shopkeeper.customers.predict.features import Features

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

LEAST = 40
"""Customers of a list who have bought, below which halves of it say nothing."""

TOP = 0.1
"""The share of the customers among whom the list's held-out half is looked for."""

_OTHERS = 20_000
_ROUNDS = 5
_DRAWS = 1000
_NEIGHBOURS = 50
_RFM = ("days_since_order", "order_days", "revenue")


@dataclass(frozen=True)
class Lift:
    """How many times more of the held-out list is in the top tenth than chance would put there."""

    value: float
    low: float
    high: float
    rfm: float
    gain_low: float
    gain_high: float
    seeds: int


def fit(known: Features, seeds: NDArray[np.bool_], seed: int = 0) -> Blend:
    """The model of the list against a sample of the others."""
    rng = np.random.default_rng(seed)
    others = np.flatnonzero(~seeds)
    if len(others) > _OTHERS:
        others = rng.choice(others, _OTHERS, replace=False)
    rows = np.concatenate([np.flatnonzero(seeds), others])
    return Blend.fit(known.values[rows], seeds[rows].astype(np.float64))


def lift(known: Features, seeds: NDArray[np.bool_]) -> Lift | CannotSay:
    """The lift on held-out halves, beside that of the nearest in recency, frequency and money.

    Intervals (95 %) by resampling the list's customers, each with all the rounds it was held out in.
    """
    mine = np.flatnonzero(seeds)
    if len(mine) < LEAST:
        return CannotSay(
            reason=f"Only {len(mine)} of the list have bought: who is like them cannot be measured.",
            needed=f"at least {LEAST} customers with purchases",
            code="few_of_list",
            values={"count": len(mine), "least": LEAST},
        )
    with threadpool_limits(limits=1):  # trees of small data only wait for each other's threads
        return _lift(known, seeds, mine)


def _lift(known: Features, seeds: NDArray[np.bool_], mine: Rows) -> Lift:
    rng = np.random.default_rng(0)
    hits, simple, rounds = (np.zeros(len(seeds)) for _ in range(3))
    near = _neighbours(known)
    for number in range(_ROUNDS):
        order = rng.permutation(mine)
        for held in np.array_split(order, 2):
            shown = seeds.copy()
            shown[held] = False
            rest = np.flatnonzero(~shown)
            found = fit(known, shown, number).margin(known.values[rest])
            hits[_top(rest, found)] += 1
            simple[_top(rest, _nearest(near, shown, rest))] += 1
            rounds[held] += 1
    return _measured(hits[mine] / rounds[mine] / TOP, simple[mine] / rounds[mine] / TOP, rng)


def _top(rest: Rows, score: Array) -> Rows:
    """The rows of the top tenth; ties in an order that has nothing to do with them."""
    rng = np.random.default_rng(1)
    order = np.lexsort((rng.random(len(rest)), -score))
    return rest[order[: max(1, round(TOP * len(rest)))]]


def _measured(hits: Array, simple: Array, rng: np.random.Generator) -> Lift:
    drawn = rng.integers(0, len(hits), (_DRAWS, len(hits)))
    model, rfm = hits[drawn].mean(axis=1), simple[drawn].mean(axis=1)
    low, high = np.quantile(model, [0.025, 0.975])
    gain_low, gain_high = np.quantile(model - rfm, [0.025, 0.975])
    return Lift(
        float(hits.mean()),
        float(low),
        float(high),
        float(simple.mean()),
        float(gain_low),
        float(gain_high),
        len(hits),
    )


def _nearest(near: NDArray[np.int64], shown: NDArray[np.bool_], rest: Rows) -> Array:
    """The share of the list among each row's nearest customers."""
    found: Array = shown[near[rest]].mean(axis=1)
    return found


def _neighbours(known: Features) -> NDArray[np.int64]:
    """The nearest customers of each in recency, frequency and money, on one scale."""
    logs = np.log1p(np.maximum(np.column_stack([known.column(one) for one in _RFM]), 0.0))
    scaled = (logs - logs.mean(axis=0)) / np.maximum(logs.std(axis=0), 1e-9)
    count = min(_NEIGHBOURS, len(scaled) - 1)
    _, found = cKDTree(scaled).query(scaled, k=[*range(2, count + 2)])
    near: NDArray[np.int64] = found
    return near
