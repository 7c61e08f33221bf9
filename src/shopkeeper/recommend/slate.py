"""Lists for many customers at once: what goes with their own history, then what is popular.

A customer's score of item j is the sum over the last ``recall`` rows of their history of
``strength x 0.6 ** (visits since) x covisit[i, j]``. Items they own, and items that may not be
offered, are left out; places that stay empty are filled by popularity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.covisit import top
from shopkeeper.recommend.history import STRENGTH, Floats, History, Ints, age, moments
from shopkeeper.recommend.popular import Popularity

FADE: Final = 0.6
COVISIT: Final = 0
POPULAR: Final = 1

_CHUNK = 10_000  # customers scored at once: bounds memory at about 200 MB
_SPARE = (
    200  # popular items looked at beyond the length of a list, for those who own the first ones
)


@dataclass(frozen=True, slots=True)
class Slates:
    """One row per place, sorted by customer and rank; ``because`` is a row of the history, or -1."""

    customer: Ints
    rank: Ints
    item: Ints
    score: Floats
    head: Ints
    because: Ints


@dataclass(frozen=True)
class Recommender:
    """What lists are made from: scores of pairs, popularity, and which items may be offered."""

    pairs: sparse.csr_array
    popular: Popularity
    offered: NDArray[np.bool_]
    recall: int = 40

    def slates(self, history: History, customers: Ints, k: int) -> Slates:
        """At most ``k`` places for each of these customers (positions in ``customer_ids``)."""
        offer = sparse.csr_array(self.pairs @ sparse.diags_array(self.offered.astype(np.float64)))
        offer.eliminate_zeros()
        parts = [
            self._chunk(history, customers[start : start + _CHUNK], offer, k)
            for start in range(0, len(customers), _CHUNK)
        ]
        if not parts:
            empty = np.zeros(0, dtype=np.int64)
            return Slates(empty, empty, empty, empty.astype(np.float64), empty, empty)
        names = ("customer", "rank", "item", "score", "head", "because")
        return Slates(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def _chunk(self, history: History, customers: Ints, offer: sparse.csr_array, k: int) -> Slates:
        rows, own = _rows_of(history, customers)
        shape = (len(customers), offer.shape[0])
        weight = history.strength[rows] * FADE ** moments(own, history.time[rows])
        recent = age(own) < self.recall
        recalled = sparse.csr_array(
            (weight[recent], (own[recent], history.item[rows][recent])), shape
        )
        bought = history.strength[rows] >= STRENGTH["purchase"]
        owned = sparse.csr_array(
            (np.ones(int(bought.sum())), (own[bought], history.item[rows][bought])), shape
        )
        owned.data[:] = 1.0
        scores = sparse.csr_array(recalled @ offer)
        scores = sparse.csr_array(scores - scores.multiply(owned))
        chosen = top(scores, k)
        filled_customer, filled_item = self._fill(chosen, owned, k)
        counts = np.diff(chosen.indptr)
        customer = np.concatenate([np.repeat(np.arange(len(customers)), counts), filled_customer])
        item = np.concatenate([chosen.indices.astype(np.int64), filled_item])
        score = np.concatenate([chosen.data, self.popular.score[filled_item]])
        head = np.repeat([COVISIT, POPULAR], [len(chosen.data), len(filled_item)])
        order = np.argsort(customer, kind="stable")
        customer, item, head = customer[order], item[order], head[order]
        because = _because(
            (customer, item, head == COVISIT),
            (own[recent], history.item[rows][recent], weight[recent], rows[recent]),
            offer,
        )
        rank = np.arange(len(customer)) - np.searchsorted(customer, customer, side="left") + 1
        return Slates(customers[customer], rank, item, score[order], head, because)

    def _fill(self, chosen: sparse.csr_array, owned: sparse.csr_array, k: int) -> tuple[Ints, Ints]:
        order = self.popular.order
        order = order[self.offered[order]][: k + _SPARE]
        taken = sparse.csc_array(chosen + owned)[:, order].toarray() != 0
        need = k - np.diff(chosen.indptr)
        free = ~taken
        wanted = free & (np.cumsum(free, axis=1) <= need[:, None])
        customer, place = np.nonzero(wanted)
        return customer.astype(np.int64), order[place]


def _rows_of(history: History, customers: Ints) -> tuple[Ints, Ints]:
    """The history rows of these customers, in order, and for each the place of its customer."""
    starts = np.searchsorted(history.customer, customers, side="left")
    counts = np.searchsorted(history.customer, customers, side="right") - starts
    own = np.repeat(np.arange(len(customers)), counts)
    within = np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(starts, counts) + within, own


def _because(
    slots: tuple[Ints, Ints, NDArray[np.bool_]],
    recalled: tuple[Ints, Ints, Floats, Ints],
    pairs: sparse.csr_array,
) -> Ints:
    """For each place that co-visitation filled, the history row that gave most of its score."""
    customer, item, covisited = slots
    own, seen, weight, rows = recalled
    answer = np.full(len(item), -1, dtype=np.int64)
    asked = np.flatnonzero(covisited)
    starts = np.searchsorted(own, customer[asked], side="left")
    counts = np.searchsorted(own, customer[asked], side="right") - starts
    slot = np.repeat(asked, counts)
    source = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    share = weight[source] * _lookup(pairs, seen[source], item[slot])
    order = np.lexsort((-share, slot))
    slot, source = slot[order], source[order]
    first = np.ones(len(slot), dtype=bool)
    first[1:] = slot[1:] != slot[:-1]
    answer[slot[first]] = rows[source[first]]
    return answer


def _lookup(matrix: sparse.csr_array, row: Ints, column: Ints) -> Floats:
    """``matrix[row, column]`` for many pairs at once, zero where nothing is stored."""
    size = matrix.shape[1]
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    keys = rows * size + matrix.indices
    order = np.argsort(keys, kind="stable")
    keys, data = keys[order], matrix.data[order]
    wanted = row * size + column
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    if not len(keys):
        return np.zeros(len(row))
    return np.where(keys[place] == wanted, data[place], 0.0)
