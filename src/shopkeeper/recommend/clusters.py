"""Search among the items of a head that is an inner product, where the catalogue is too large to go through.

Items are grouped by k-means. A query is compared with the centres; the items of the nearest groups are
gone through, and the others count by their centre alone: with that the sum over the catalogue,
which a probability needs, is known nearly. For items around a centre c with mean squared distance r2 in d
dimensions, the mean of exp(q.v) is about exp(q.c + |q|2 r2 / 2d).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.recommend.heads.base import Matrix, Tower
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import Mixture

LARGE: Final = 20_000
"""Up to so many items all are gone through: it takes less than a millisecond."""

_PASSES: Final = 8
_SAMPLE: Final = 40
"""Items that the centres are fitted on, for each group."""
_GROUP: Final = 250
"""Items in a group, about."""
_VISITED: Final = 32
"""Groups gone through for one query."""
_ROWS: Final = 8192


@dataclass(frozen=True)
class Clusters:
    """``items`` grouped: group ``g`` is ``starts[g]:starts[g+1]``; ``table`` has their rows in that order."""

    centres: Matrix
    spread: NDArray[np.float32]
    items: NDArray[np.int32]
    starts: Ints
    table: Matrix

    def search(self, asked: NDArray[np.float32], allowed: NDArray[np.bool_], counts: Ints) -> Found:
        """The softmax of ``table @ asked`` over what is allowed, known exactly where it is greatest.

        ``counts`` says how many of each group may be offered at all.
        """
        dimensions = self.table.shape[1]
        middle = self.centres @ asked + float(asked @ asked) * self.spread / (2 * dimensions)
        visited = min(_VISITED, len(middle))
        near = np.argpartition(-middle, visited - 1)[:visited]
        spans = [slice(self.starts[group], self.starts[group + 1]) for group in near]
        logits = np.concatenate([self.table[span] @ asked for span in spans])
        items = np.concatenate([self.items[span] for span in spans])
        shown = allowed[items]
        logits, items = logits[shown], items[shown]
        far = np.ones(len(middle), dtype=bool)
        far[near] = False
        greatest = max(logits.max(initial=-np.inf), middle[far].max(initial=-np.inf))
        inside, outside = np.exp(logits - greatest), np.exp(middle[far] - greatest)
        total = max(float(inside.sum() + (counts[far] * outside).sum()), 1e-30)
        squares = float(inside @ inside + (counts[far] * outside) @ outside)
        log_total = float(greatest + np.log(total))
        return Found(items, logits, asked, self, log_total, squares / total**2)

    def counted(self, offered: NDArray[np.bool_]) -> Ints:
        """How many items of each group may be offered."""
        there = np.concatenate([[0], np.cumsum(offered[self.items])])
        return np.asarray(there[self.starts[1:]] - there[self.starts[:-1]])

    def rows(self, items: Ints) -> Matrix:
        """The vectors of these items."""
        return self.table[self._place[items]]

    @property
    def _place(self) -> Ints:
        """Where each item stands in ``table``; worked out once."""
        known: Ints | None = self.__dict__.get("place")
        if known is None:
            known = np.empty(len(self.items), np.int64)
            known[self.items] = np.arange(len(self.items))
            self.__dict__["place"] = known
        return known


@dataclass(frozen=True)
class Found:
    """What a search gave, exact near the query; the sum and the concentration are over everything."""

    items: Ints
    logits: NDArray[np.float32]
    asked: NDArray[np.float32]
    clusters: Clusters
    log_total: float
    concentration: float

    def first(self, reach: int) -> tuple[Ints, float]:
        """About ``reach`` of the likeliest items, and the most that any other of those looked at has."""
        if len(self.items) <= reach:
            return self.items, 0.0
        order = np.argpartition(-self.logits, reach)
        return self.items[order[:reach]], self._chance(self.logits[order[reach]])

    def at(self, items: Ints) -> Floats:
        """The probability of each of these, exact but for the sum."""
        logits = self.clusters.rows(items) @ self.asked
        return np.asarray(np.exp(np.minimum(logits - self.log_total, 0.0)), dtype=np.float64)

    def _chance(self, logit: float) -> float:
        return math.exp(min(float(logit) - self.log_total, 0.0))


def grouped(table: Matrix, seed: int = 0) -> Clusters:
    """The items of a table in groups of about 250."""
    groups = max(1, len(table) // _GROUP)
    random = np.random.default_rng(seed)
    sample = table[random.permutation(len(table))[: groups * _SAMPLE]]
    centres = sample[random.permutation(len(sample))[:groups]].copy()
    for _ in range(_PASSES):
        centres = _moved(centres, sample, _nearest(centres, sample))
    group = _nearest(centres, table)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(groups + 1))
    away = ((table - centres[group]) ** 2).sum(axis=1)
    count = np.maximum(np.bincount(group, minlength=groups), 1)
    spread = np.bincount(group, away, groups) / count
    return Clusters(
        centres,
        spread.astype(np.float32),
        order.astype(np.int32),
        starts.astype(np.int64),
        np.ascontiguousarray(table[order]),
    )


def clustered(mixture: Mixture) -> dict[str, Clusters]:
    """The groups of each head that is searched; none in a catalogue that can be gone through."""
    return {
        name: grouped(np.asarray(head.table))
        for name, head in mixture.heads.items()
        if isinstance(head, Tower) and len(head.table) > LARGE
    }


def _nearest(centres: Matrix, rows: Matrix) -> Ints:
    half = (centres**2).sum(axis=1) / 2
    parts = [
        (rows[at : at + _ROWS] @ centres.T - half).argmax(axis=1)
        for at in range(0, len(rows), _ROWS)
    ]
    return np.concatenate(parts)


def _moved(centres: Matrix, rows: Matrix, group: Ints) -> Matrix:
    """Each centre in the middle of its rows; one without rows stays."""
    order = np.argsort(group, kind="stable")
    there, starts, counts = np.unique(group[order], return_index=True, return_counts=True)
    moved = centres.copy()
    moved[there] = np.add.reduceat(rows[order], starts, axis=0) / counts[:, None]
    return moved
