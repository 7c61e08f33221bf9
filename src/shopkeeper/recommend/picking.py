"""The list for one customer, and for every item the head and the past event that it rests on most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.heads.interests import FittedInterests
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import Mask, Mixture
from shopkeeper.recommend.shortlist import Shortlist, Shortlister


@dataclass(frozen=True)
class Picked:
    """The items of one list in their order; ``shares`` as in a shortlist.

    ``because`` is the row of the history that the leading head rests on most, -1 where it rests on none;
    ``saying`` the row of what the customer said, where that speaks louder.
    """

    item: Ints
    probability: Floats
    shares: Floats
    because: Ints
    saying: Ints


def pick(shortlister: Shortlister, query: Queries, mask: Mask, k: int) -> Picked:
    """The likeliest ``k`` items that may be shown to the one customer asked about."""
    short = shortlister(query, mask, k)
    return explained(shortlister.mixture, query, short, np.arange(len(short.item)))


def explained(mixture: Mixture, query: Queries, short: Shortlist, places: Ints) -> Picked:
    """Those at these places of the shortlist, in this order, with what each rests on."""
    items, share = short.item[places], short.shares[:, places]
    because, saying = _because(mixture, query, items, share)
    return Picked(items, short.probability[places], share, because, saying)


def _because(mixture: Mixture, query: Queries, items: Ints, share: Floats) -> tuple[Ints, Ints]:
    answer = np.full(len(items), -1, dtype=np.int64)
    saying = answer.copy()
    if not len(items):
        return answer, saying
    leading = share.argmax(axis=0)
    heads = list(mixture.heads.values())
    for place in np.unique(leading):
        own = np.flatnonzero(leading == place)
        told = _loudest(heads[place].evidence(query, items[own]))
        answer[own] = told[0]
        head = heads[place]
        if isinstance(head, FittedInterests):
            said = _loudest(head.sayings(query, items[own]))
            saying[own] = np.where(said[1] > told[1], said[0], -1)
    return answer, saying


def _loudest(told: Floats) -> tuple[Ints, Floats]:
    """The row that says most for each column, -1 where none says anything, and how much that is."""
    if not len(told):
        return np.full(told.shape[1], -1, dtype=np.int64), np.zeros(told.shape[1])
    most = told.max(axis=0)
    return np.where(most > 0, told.argmax(axis=0), -1), most
