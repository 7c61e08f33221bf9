"""What every head is given and gives: histories in, affinities to the whole catalogue out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.history import LEVELS, Floats, History, Ints
from shopkeeper.recommend.spoken import Spoken

Affinities: TypeAlias = sparse.csr_array | NDArray[np.float32]
"""(queries x items), never negative; what is not stored is zero. A head's softmax is taken over
the logarithm: see :mod:`shopkeeper.recommend.mixture`."""


Matrix: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Goods:
    """What is known of the items besides who chose them, in the order of ``History.item_ids``.

    ``words`` is title, path and attributes as one text, empty where nothing is known; ``brand`` and
    ``category`` are empty strings where they are not. ``vectors`` (items x dimensions) are what an
    embedding model makes of the words, where the shop has one.
    """

    words: tuple[str, ...]
    brand: tuple[str, ...]
    category: tuple[str, ...]
    vectors: Matrix | None = None

    @classmethod
    def unknown(cls, size: int) -> Goods:
        """Goods of which nothing is known but that they exist."""
        blank = ("",) * size
        return cls(blank, blank, blank)


@dataclass(frozen=True)
class Queries:
    """For whom: the history of each, oldest first. Query ``q`` has the rows ``starts[q]:starts[q+1]``.

    ``time`` is milliseconds since 1970 and ``now`` the instant of each request. ``spoken`` is what each
    customer searched for and wrote until then.
    """

    starts: Ints
    item: Ints
    time: Ints
    strength: Floats
    now: Ints
    spoken: Spoken | None = None

    def __len__(self) -> int:
        return len(self.now)

    @property
    def lengths(self) -> Ints:
        return np.diff(self.starts)

    @property
    def query(self) -> Ints:
        """The query that each row belongs to."""
        if len(self) == 1:
            return np.zeros(len(self.item), np.int64)
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)

    @property
    def age(self) -> Ints:
        """How many later rows the same query has."""
        if len(self) == 1:
            return np.arange(len(self.item) - 1, -1, -1, dtype=np.int64)
        return np.repeat(self.starts[1:], self.lengths) - 1 - np.arange(len(self.item))

    def weight(self, behaviours: Floats) -> Floats:
        """What each row weighs by its behaviour: ``behaviours`` are weights in the order of ``LEVELS``."""
        return np.asarray(behaviours[np.searchsorted(LEVELS[:-1], self.strength)])

    def recalled(
        self, items: int, fade: float, keep: int, behaviours: Floats = LEVELS
    ) -> sparse.csr_array:
        """(queries x items): ``weight x fade ** age`` of the last ``keep`` rows, summed by item."""
        age = self.age
        rows = np.flatnonzero(age < keep)
        weight = self.weight(behaviours)[rows] * fade ** age[rows]
        return sparse.csr_array(
            sparse.coo_array(
                (weight.astype(np.float32), (self.query[rows], self.item[rows])),
                shape=(len(self), items),
            )
        )

    def recall(self, fade: float, keep: int, behaviours: Floats = LEVELS) -> Floats:
        """What each row weighs in :meth:`recalled`."""
        age = self.age
        return np.where(age < keep, self.weight(behaviours) * fade**age, 0.0)

    def part(self, start: int, stop: int) -> Queries:
        """The queries from ``start`` until before ``stop``."""
        first, last = int(self.starts[start]), int(self.starts[stop])
        return Queries(
            self.starts[start : stop + 1] - first,
            self.item[first:last],
            self.time[first:last],
            self.strength[first:last],
            self.now[start:stop],
            None if self.spoken is None else self.spoken.select(np.arange(start, stop)),
        )


class FittedHead(Protocol):
    """A head that has learned."""

    def affinities(self, queries: Queries) -> Affinities:
        """How much each query's customer is drawn to each item."""
        ...

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """(rows x items) how much each row of the one query speaks for each item; zero: not by rows."""
        ...

    def grown(self, goods: Goods) -> FittedHead:
        """The head over a longer catalogue, of which it knows the last items by these words alone."""
        ...


@runtime_checkable
class Tower(Protocol):
    """A head whose affinity is the exponent of an inner product: the best items can be searched for."""

    @property
    def table(self) -> Matrix:
        """(items x dimensions)."""
        ...

    def state(self, queries: Queries) -> tuple[Matrix, NDArray[np.bool_]]:
        """(queries x dimensions), and which of them the head has something to say to."""
        ...


@dataclass(frozen=True, kw_only=True)
class ByBehaviour:
    """A fitted head that weighs the rows of a history by what was done."""

    behaviours: Floats = field(default_factory=LEVELS.copy)
    """Weights in the order of ``LEVELS``; learned by :mod:`shopkeeper.recommend.behaviours`."""


class Fading(Protocol):
    """The part of a linear head's recipe that says how a history is fed to it."""

    @property
    def fade(self) -> float: ...

    @property
    def recall(self) -> int: ...


@dataclass(frozen=True)
class FittedLinear(ByBehaviour):
    """Weights (items x items): the affinity is their sum over a history, its latest rows weighing most."""

    weights: sparse.csr_array
    recipe: Fading

    def affinities(self, queries: Queries) -> Affinities:
        """``behaviour x fade ** age`` of the rows, times their weights."""
        size, recipe = self.weights.shape[0], self.recipe
        fed = queries.recalled(size, recipe.fade, recipe.recall, self.behaviours)
        return sparse.csr_array(fed @ self.weights)

    def terms(self, query: Queries) -> tuple[Ints, Ints, Matrix]:
        """Of one query: row of the history, item and term, for everything that its rows speak for."""
        fed = fed_weight(query, self.recipe, self.behaviours)
        row = np.flatnonzero(fed)
        starts = self.weights.indptr[query.item[row]].astype(np.int64)
        lengths = self.weights.indptr[query.item[row] + 1] - starts
        ends = np.cumsum(lengths)
        take = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)
        source = np.repeat(row, lengths)
        return source, self.weights.indices[take], self.weights.data[take] * fed[source]

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """The terms of the sum."""
        row, item, term = self.terms(queries)
        order = np.argsort(items, kind="stable")
        place = np.minimum(np.searchsorted(items[order], item), max(len(items) - 1, 0))
        asked = items[order][place] == item if len(items) else np.zeros(len(item), bool)
        answer = np.zeros((len(queries.item), len(items)))
        answer[row[asked], order[place[asked]]] = term[asked]
        return answer

    def grown(self, goods: Goods) -> FittedHead:
        """No weights to or from the new items."""
        return replace(self, weights=wider(self.weights, len(goods.words), len(goods.words)))


def wider(matrix: sparse.csr_array, rows: int, columns: int) -> sparse.csr_array:
    """With so many empty rows and columns at the end; values are shared, not copied."""
    ends = np.full(rows, matrix.indptr[-1], matrix.indptr.dtype)
    three = (matrix.data, matrix.indices, np.concatenate([matrix.indptr, ends]))
    shape = (matrix.shape[0] + rows, matrix.shape[1] + columns)
    return sparse.csr_array(three, shape=shape)


def fed_weight(query: Queries, recipe: Fading, behaviours: Floats) -> Matrix:
    """What each row weighs when a linear head is fed."""
    return query.recall(recipe.fade, recipe.recall, behaviours).astype(np.float32)


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
        Queries(
            rows,
            history.item[take],
            history.time[take],
            history.strength[take],
            asked,
            None if history.spoken is None else history.spoken.select(customers, asked),
        ),
        customers,
    )
