"""What every head is given and gives: histories in, affinities to the whole catalogue out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.history import Floats, History, Ints

Affinities: TypeAlias = sparse.csr_array | NDArray[np.float32]
"""(queries x items), never negative; what is not stored is zero. A head's softmax is taken over
the logarithm: see :mod:`shopkeeper.recommend.mixture`."""


@dataclass(frozen=True)
class Goods:
    """What is known of the items besides who chose them, in the order of ``History.item_ids``.

    ``words`` is title, path and attributes as one text, empty where nothing is known; ``brand`` and
    ``category`` are empty strings where they are not.
    """

    words: tuple[str, ...]
    brand: tuple[str, ...]
    category: tuple[str, ...]

    @classmethod
    def unknown(cls, size: int) -> Goods:
        """Goods of which nothing is known but that they exist."""
        blank = ("",) * size
        return cls(blank, blank, blank)


@dataclass(frozen=True)
class Queries:
    """For whom: the history of each, oldest first. Query ``q`` has the rows ``starts[q]:starts[q+1]``.

    ``time`` is milliseconds since 1970 and ``now`` the instant of each request.
    """

    starts: Ints
    item: Ints
    time: Ints
    strength: Floats
    now: Ints

    def __len__(self) -> int:
        return len(self.now)

    @property
    def lengths(self) -> Ints:
        return np.diff(self.starts)

    @property
    def query(self) -> Ints:
        """The query that each row belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)

    @property
    def age(self) -> Ints:
        """How many later rows the same query has."""
        return np.repeat(self.starts[1:], self.lengths) - 1 - np.arange(len(self.item))

    def recalled(self, items: int, fade: float, keep: int) -> sparse.csr_array:
        """(queries x items): ``strength x fade ** age`` of the last ``keep`` rows, summed by item."""
        rows = np.flatnonzero(self.age < keep)
        weight = self.strength[rows] * fade ** self.age[rows]
        return sparse.csr_array(
            sparse.coo_array(
                (weight.astype(np.float32), (self.query[rows], self.item[rows])),
                shape=(len(self), items),
            )
        )

    def recall(self, fade: float, keep: int) -> Floats:
        """What each row weighs in :meth:`recalled`."""
        return np.where(self.age < keep, self.strength * fade**self.age, 0.0)

    def part(self, start: int, stop: int) -> Queries:
        """The queries from ``start`` until before ``stop``."""
        first, last = int(self.starts[start]), int(self.starts[stop])
        return Queries(
            self.starts[start : stop + 1] - first,
            self.item[first:last],
            self.time[first:last],
            self.strength[first:last],
            self.now[start:stop],
        )


def by_rows(weights: sparse.csr_array, fed: Floats, rows: Ints, items: Ints) -> Floats:
    """(rows x items) the terms of a linear head's sum: what each row weighs times its weights."""
    found = sparse.csr_array(weights[rows])[:, items].toarray()
    return np.asarray(fed[:, None] * found, dtype=np.float64)


class FittedHead(Protocol):
    """A head that has learned."""

    def affinities(self, queries: Queries) -> Affinities:
        """How much each query's customer is drawn to each item."""
        ...

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """(rows x items) how much each row of the one query speaks for each item; zero: not by rows."""
        ...


class Head(Protocol):
    """A recipe; its fields are its parameters, with defaults that suit most shops."""

    def fit(self, history: History, goods: Goods) -> FittedHead:
        """What this history teaches; rows are sorted by customer and time."""
        ...


def past(history: History, drop: int = 0) -> tuple[Queries, Ints]:
    """Everybody's history without their last ``drop`` rows, and whose each is.

    The request is made when the first dropped row happened. Who has no row left is left out.
    """
    customers, starts, counts = np.unique(history.customer, return_index=True, return_counts=True)
    kept = counts - drop
    some = kept > 0
    customers, starts, kept = customers[some], starts[some].astype(np.int64), kept[some]
    ends = starts + kept
    rows = np.concatenate([[0], np.cumsum(kept)])
    take = np.repeat(starts - rows[:-1], kept) + np.arange(rows[-1])
    asked = (
        history.time[np.minimum(ends, len(history.time) - 1)] if drop else history.time[ends - 1]
    )
    return (
        Queries(rows, history.item[take], history.time[take], history.strength[take], asked),
        customers,
    )
