"""Choices held back from the models: who chose what, out of which history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.history import STRENGTH, History, Ints

_PURCHASE = STRENGTH["purchase"]


@dataclass(frozen=True)
class Cases:
    """``learned`` is what models may see; ``chosen`` the item of each query, ``customer`` whose it is."""

    learned: History
    queries: Queries
    chosen: Ints
    customer: Ints

    def part(self, rows: Ints) -> Cases:
        """Some of the cases."""
        queries = select(self.queries, rows)
        return Cases(self.learned, queries, self.chosen[rows], self.customer[rows])


def last_choices(history: History, most: int | None = None, seed: int = 0) -> Cases:
    """Leave one out: each known customer's last choice, and everything before it.

    What others chose later stays visible: that is this protocol's known weakness, and why
    :func:`choices_since` is reported beside it.
    """
    row = np.flatnonzero(_countable(history))
    newest = np.full(len(history.customer_ids), np.iinfo(np.int64).max)
    if len(row):
        final = row[np.r_[np.diff(history.customer[row]) != 0, True]]
        newest[history.customer[final]] = history.time[final]
    return _held(history, newest, most, seed)


def choices_since(history: History, since: int, most: int | None = None, seed: int = 0) -> Cases:
    """Split by time: each known customer's first choice at or after ``since`` (ms since 1970).

    Models may see what happened before ``since``; a query is the customer's own history up to the
    choice, as a live server has it.
    """
    return _held(history, np.full(len(history.customer_ids), since), most, seed)


def owned(queries: Queries, keep: NDArray[np.bool_]) -> sparse.csr_array:
    """(queries x items) what was bought already, but for the items that ``keep`` lets be shown again."""
    rows = np.flatnonzero((queries.strength >= _PURCHASE) & ~keep[queries.item])
    ones = np.ones(len(rows), np.float32)
    cells = (queries.query[rows], queries.item[rows])
    return sparse.csr_array(sparse.coo_array((ones, cells), shape=(len(queries), len(keep))))


def had(query: Queries, keep: NDArray[np.bool_]) -> Ints:
    """The same of one query: the items, each once."""
    bought = query.item[query.strength >= _PURCHASE]
    return np.unique(bought[~keep[bought]])


def rebought(history: History, least: int = 5, share: float = 0.05) -> NDArray[np.bool_]:
    """Items that at least this ``share`` of their buyers, and ``least`` of them, bought on two days."""
    size = len(history.item_ids)
    bought = history.bought & history.known[history.customer]
    pair = history.customer[bought] * np.int64(max(size, 1)) + history.item[bought]
    pairs, times = np.unique(pair, return_counts=True)
    item = pairs % max(size, 1)
    buyers = np.bincount(item, minlength=size)
    again = np.bincount(item[times > 1], minlength=size)
    return np.asarray((again >= least) & (again >= share * buyers))


def only(history: History, rows: NDArray[np.bool_]) -> History:
    """The history of these rows; positions stay as they are."""
    return replace(
        history,
        customer=history.customer[rows],
        item=history.item[rows],
        time=history.time[rows],
        strength=history.strength[rows],
    )


def select(queries: Queries, rows: Ints) -> Queries:
    """Some of the queries, in the order given."""
    lengths = queries.lengths[rows]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    take = np.repeat(queries.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
    return Queries(
        starts,
        queries.item[take],
        queries.time[take],
        queries.strength[take],
        queries.now[rows],
        None if queries.spoken is None else queries.spoken.select(rows),
    )


def _countable(history: History) -> NDArray[np.bool_]:
    """Rows that count as a choice: purchases, or any row in a shop where nothing is bought."""
    chosen = history.bought if history.bought.any() else np.ones(len(history.item), dtype=bool)
    return np.asarray(chosen & history.known[history.customer])


def _held(history: History, since: Ints, most: int | None, seed: int) -> Cases:
    """The first choice of each customer from their time on; rows of one moment are in a fixed shuffle."""
    row = np.flatnonzero(_countable(history) & (history.time >= since[history.customer]))
    first = row[np.r_[True, np.diff(history.customer[row]) != 0]] if len(row) else row
    if most is not None and len(first) > most:
        first = np.sort(np.random.default_rng(seed).permutation(first)[:most])
    begins = np.searchsorted(history.customer, history.customer[first], side="left")
    ends = _before(history, first, begins)
    lengths = ends - begins
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    take = np.repeat(begins - starts[:-1], lengths) + np.arange(starts[-1])
    queries = Queries(
        starts,
        history.item[take],
        history.time[take],
        history.strength[take],
        history.time[first],
        None
        if history.spoken is None
        else history.spoken.select(history.customer[first], history.time[first]),
    )
    learned = only(history, history.time < since[history.customer])
    return Cases(learned, queries, history.item[first], history.customer[first])


def _before(history: History, row: Ints, begins: Ints) -> Ints:
    """Where the moment of each row begins: what shares its time is no past of it."""
    ends = row.copy()
    while True:
        back = (ends > begins) & (history.time[np.maximum(ends - 1, 0)] == history.time[row])
        if not back.any():
            return ends
        ends = np.where(back, ends - 1, ends)
