"""The list for one customer, and for every item the head and the past event that it rests on most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import Mask, Mixture
from shopkeeper.recommend.shortlist import Shortlist, Shortlister


@dataclass(frozen=True)
class Picked:
    """The items of one list in their order; ``shares`` as in a shortlist.

    ``because`` is the row of the history that the leading head rests on most, -1 where it rests on none.
    """

    item: Ints
    probability: Floats
    shares: Floats
    because: Ints


def pick(shortlister: Shortlister, query: Queries, mask: Mask, k: int) -> Picked:
    """The likeliest ``k`` items that may be shown to the one customer asked about."""
    short = shortlister(query, mask, k)
    return explained(shortlister.mixture, query, short, np.arange(len(short.item)))


def explained(mixture: Mixture, query: Queries, short: Shortlist, places: Ints) -> Picked:
    """Those at these places of the shortlist, in this order, with what each rests on."""
    items, share = short.item[places], short.shares[:, places]
    because = _because(mixture, query, items, share)
    return Picked(items, short.probability[places], share, because)


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
