"""Where the item that was chosen stands among all that might have been shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import Mask, Mixture

TOP = 10
_LEAST = 1e-12


@dataclass(frozen=True)
class Ranked:
    """One row per query.

    ``rank`` (0 is first; ties share their mean) and ``probability`` are those of what was chosen;
    ``items`` are the first ten, ``claimed`` the probability given to each.
    """

    rank: Floats
    probability: Floats
    items: Ints
    claimed: Floats

    @property
    def hit(self) -> Floats:
        """1 where the choice is among the first ten."""
        return np.asarray(self.rank < TOP, dtype=np.float64)

    @property
    def ndcg(self) -> Floats:
        """1 / log2(place + 1) where it is among the first ten."""
        return np.asarray(self.hit / np.log2(self.rank + 2))

    @property
    def loss(self) -> Floats:
        """-log of its probability, in nats."""
        return np.asarray(-np.log(np.maximum(self.probability, _LEAST)))


def ranked(mixture: Mixture, queries: Queries, chosen: Ints, mask: Mask) -> Ranked:
    """Rank every item that may be shown for every query: the full catalogue, no sample of it."""
    width = min(TOP, len(mask.offered))
    rank, probability = np.zeros(len(queries)), np.zeros(len(queries))
    items = np.zeros((len(queries), width), np.int64)
    claimed = np.zeros((len(queries), width))
    for rows, found in mixture.chunks(queries, mask):
        own = np.take_along_axis(found, chosen[rows][:, None], axis=1)
        tied = ((found == own) & mask.part(rows.start, rows.stop).allowed(len(found))).sum(axis=1)
        rank[rows] = (found > own).sum(axis=1) + np.maximum(tied - 1, 0) / 2
        probability[rows] = own[:, 0]
        items[rows], claimed[rows] = best(found, width)
    return Ranked(rank, probability, items, claimed)


def best(found: np.ndarray[tuple[int, int], np.dtype[np.float32]], k: int) -> tuple[Ints, Floats]:
    """The ``k`` likeliest items of each row and their probabilities, best first; equal ones by item."""
    width = found.shape[1]
    if k < width:
        place = np.sort(np.argpartition(-found, k - 1, axis=1)[:, :k], axis=1)
    else:
        place = np.broadcast_to(np.arange(width), found.shape)
    value = np.take_along_axis(found, place, axis=1)
    order = np.argsort(-value, axis=1, kind="stable")
    chosen = np.take_along_axis(place, order, axis=1)
    return chosen.astype(np.int64), np.take_along_axis(value, order, axis=1).astype(np.float64)
