"""The list for one customer, and for every item the head and the past event that it rests on most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import Mask, Mixture, mixed, shares
from shopkeeper.recommend.ranking import best


@dataclass(frozen=True)
class Picked:
    """The items of one list, best first.

    ``shares`` (heads x items) is how much of each probability comes from each head; ``because`` is the
    row of the history that the leading head rests on most, -1 where it rests on none.
    """

    item: Ints
    probability: Floats
    shares: Floats
    because: Ints


def pick(mixture: Mixture, query: Queries, mask: Mask, k: int) -> Picked:
    """The likeliest ``k`` items that may be shown to the one customer asked about."""
    parts = list(mixture.parts(query, mask))
    found = mixed(parts, (1, len(mask.offered)))
    items, probability = best(found, min(k, found.shape[1]))
    some = probability[0] > 0
    chosen = items[0][some]
    share = shares(parts, len(mixture.heads), chosen)
    return Picked(chosen, probability[0][some], share, _because(mixture, query, chosen, share))


def _because(mixture: Mixture, query: Queries, items: Ints, share: Floats) -> Ints:
    answer = np.full(len(items), -1, dtype=np.int64)
    if not len(query.item) or not len(items):
        return answer
    leading = share.argmax(axis=0)
    heads = list(mixture.heads.values())
    for place in np.unique(leading):
        own = np.flatnonzero(leading == place)
        told = heads[place].evidence(query, items[own])
        answer[own] = np.where(told.max(axis=0) > 0, told.argmax(axis=0), -1)
    return answer
