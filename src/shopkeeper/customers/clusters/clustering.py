"""Finds clusters: k-means, k by stability under resampling, and the verdict that there are none.

A number of clusters is taken only if, on customers that the centres have not seen, every cluster is set
apart from its nearest one (the customers of both, on the line through their centres, make two heaps), and if
two halves of the customers give the same clusters (adjusted Rand index, Hubert & Arabie 1985; stability as
in Ben-Hur, Elisseeff & Guyon 2002). K-means splits any cloud; these two ask whether it should have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core.types import CannotSay
from shopkeeper.customers.clusters.unimodal import CRITICAL, gap

Array = NDArray[np.float64]

LEAST = 200
"""Customers below which nothing is looked for."""

STABLE = 0.8
MOST_CLUSTERS = 10

_LEAST_SHARE = 0.02
_ROUNDS = 6
_STARTS = 5
_BATCH_FROM = 20_000


@dataclass(frozen=True)
class Found:
    """Centres of the clusters, how stable they are, and how far apart the two that are nearest."""

    centres: Array
    stability: float
    apart: float

    def nearest(self, values: Array) -> NDArray[np.int64]:
        """The cluster of each row."""
        square = (self.centres**2).sum(axis=1) - 2 * values @ self.centres.T
        found: NDArray[np.int64] = square.argmin(axis=1)
        return found


def find(values: Array, seed: int = 0) -> Found | CannotSay:
    """The clusters of the rows, or why there are none; columns are comparable already."""
    if len(values) < LEAST:
        return CannotSay(
            reason=f"Only {len(values)} customers with enough behaviour.",
            needed=f"at least {LEAST}",
            code="few_customers",
            values={"count": len(values), "least": LEAST},
        )
    with threadpool_limits(limits=1):  # k-means of small data only waits for its threads
        return _found(values, seed)


def _found(values: Array, seed: int) -> Found | CannotSay:
    rng = np.random.default_rng(seed)
    best: Found | None = None
    apart = 0.0
    for count in range(2, MOST_CLUSTERS + 1):
        gaps = _apart(values, count, rng)
        apart = max(apart, gaps)
        if gaps < CRITICAL:
            continue
        stability = _stability(values, count, rng)
        if stability >= STABLE and (best is None or stability >= best.stability - 0.02):
            best = Found(_centres(values, count, seed), stability, gaps)
    if best is None:
        return CannotSay(
            reason="There are no clusters here: however customers are split, they run into each other.",
            needed="customers who differ in kind, not only in degree",
            code="no_clusters",
        )
    return best


def _apart(values: Array, count: int, rng: np.random.Generator) -> float:
    """The least gap between a cluster of one half and its nearest, on the other half; 0 if one is tiny."""
    order = rng.permutation(len(values))
    half = len(order) // 2
    seen, unseen = values[order[:half]], values[order[half:]]
    centres = _centres(seen, count, int(rng.integers(2**31)))
    found = Found(centres, 0.0, 0.0)
    mine = found.nearest(unseen)
    if np.bincount(mine, minlength=count).min() < max(10, _LEAST_SHARE * len(unseen)):
        return 0.0
    far = ((centres[:, None] - centres[None]) ** 2).sum(axis=2)
    np.fill_diagonal(far, np.inf)
    least = np.inf
    for one in range(count):
        other = int(far[one].argmin())
        line = centres[other] - centres[one]
        rows = unseen[(mine == one) | (mine == other)]
        least = min(least, gap(rows @ line))
        if least < CRITICAL:
            break
    return float(least)


def _stability(values: Array, count: int, rng: np.random.Generator) -> float:
    """How alike the clusters of two halves are, on all rows: the mean over several splits."""
    found = []
    for _ in range(_ROUNDS):
        order = rng.permutation(len(values))
        half = len(order) // 2
        labels = [
            Found(_centres(values[part], count, int(rng.integers(2**31))), 0, 0).nearest(values)
            for part in (order[:half], order[half:])
        ]
        found.append(adjusted_rand_score(*labels))
    return float(np.mean(found))


def _centres(values: Array, count: int, seed: int) -> Array:
    kind = MiniBatchKMeans if len(values) > _BATCH_FROM else KMeans
    fitted = kind(count, n_init=_STARTS, random_state=seed).fit(values)
    centres: Array = fitted.cluster_centers_.astype(np.float64)
    return centres
