"""Interests: what a customer's searches, words and looks give away, matched to items by interest and by word.

A saying is spread over items twice: over those that share its words (cosine of TF-IDF, squared, as a
distribution), and over those whose own words show the same interest, by how often they are chosen. Beside
them the items of a history speak by their interests. Latest first, and a saying fades with time: a search
is about now. An item that came today is found by the next search for it. To somebody who has said nothing
lately the head says nothing: the other heads read histories better.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.heads.base import Affinities, ByBehaviour, Goods, Matrix, Queries
from shopkeeper.recommend.history import DAY_MS, Floats, History, Ints
from shopkeeper.recommend.spoken import HASHER, INTERESTS, Spoken, interests

_MANY = 100  # fewer items than this: no word is too rare or too common


@dataclass(frozen=True)
class Interests:
    """``words`` is the share of a saying that goes by words, ``looks`` what a history weighs beside it."""

    half_life_days: float = 3.0
    fade: float = 0.7
    recall: int = 10
    words: float = 0.7
    looks: float = 0.3
    prior: float = 0.5
    commonest: float = 0.5
    interests: int = field(default=len(INTERESTS), init=False)
    """How many there are: weights of other ones cannot be read."""

    def fit(self, history: History, goods: Goods) -> FittedInterests:
        """Read the items' words."""
        size = len(history.item_ids)
        counts = np.bincount(history.item, history.strength, size) + self.prior
        words = sparse.csr_array(HASHER.matrix(goods.words), dtype=np.float32)
        holding = np.bincount(words.indices, minlength=words.shape[1])
        most = self.commonest * size if size > _MANY else size
        used = np.flatnonzero((holding > 0) & (holding <= most)).astype(np.int32)
        rarity = (np.log((1 + size) / (1 + holding[used])) + 1).astype(np.float32)
        shows = interests(goods.words)
        vectors = _unit(sparse.csr_array(words[:, used]), rarity)
        return FittedInterests(
            sparse.csr_array(vectors.T), shows, counts.astype(np.float32), used, rarity, self
        )


def _unit(counts: sparse.csr_array, rarity: Matrix) -> sparse.csr_array:
    """TF-IDF rows of unit length."""
    data = ((1 + np.log(counts.data)) * rarity[counts.indices]).astype(np.float32)
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(row, data.astype(np.float64) ** 2, counts.shape[0]))
    data /= np.maximum(length, 1e-9).astype(np.float32)[row]
    return sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape)


def _shares(rows: sparse.csr_array) -> sparse.csr_array:
    """Each row as a distribution."""
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    total = np.bincount(row, rows.data, rows.shape[0])
    data = (rows.data / np.maximum(total, 1e-12)[row]).astype(np.float32)
    return sparse.csr_array((data, rows.indices, rows.indptr), shape=rows.shape)


@dataclass(frozen=True)
class FittedInterests(ByBehaviour):
    """``found`` (words x items) and ``shows`` (items x interests); ``columns`` are the hashed words."""

    found: sparse.csr_array
    shows: sparse.csr_array
    counts: Matrix
    columns: NDArray[np.int32]
    rarity: Matrix
    recipe: Interests

    def affinities(self, queries: Queries) -> Affinities:
        """What sayings, and looks beside them, mean together; who said nothing is left to other heads."""
        size = len(self.counts)
        if queries.spoken is None or not len(queries.spoken.time):
            return sparse.csr_array((len(queries), size), dtype=np.float32)
        weight = self._weight(queries)
        words, shown = self._parts(queries.spoken)
        wanted = (1 - self.recipe.words) * (weight @ shown) + self._looks(queries)
        direct = self.recipe.words * (weight @ self._matching(words))
        return sparse.csr_array(direct + wanted @ self._within(), dtype=np.float32)

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """What each row of the history says by its interests; sayings are no rows of it."""
        if queries.spoken is None or not len(queries.spoken.time):
            return np.zeros((len(queries.item), len(items)))
        fed = queries.recall(self.recipe.fade, self.recipe.recall, self.behaviours)
        own = sparse.csr_array(self.shows[queries.item])
        spread = sparse.csr_array(own @ self._within()[:, items]).toarray()
        named = np.asarray(own.sum(axis=1)).ravel()
        return np.asarray(self.recipe.looks * fed[:, None] * spread / max(fed @ named, 1e-12))

    def sayings(self, queries: Queries, items: Ints) -> Floats:
        """(sayings x items) what each saying of the one query says for each item."""
        if queries.spoken is None or not len(queries.spoken.time):
            return np.zeros((0, len(items)))
        words, shown = self._parts(queries.spoken)
        spread = self.recipe.words * self._matching(words)[:, items].toarray()
        spread += (1 - self.recipe.words) * (shown @ self._within()[:, items]).toarray()
        return np.asarray(self._weight(queries).toarray().T * spread, dtype=np.float64)

    def grown(self, goods: Goods) -> FittedInterests:
        """New items are found by their words at once."""
        words = sparse.csr_array(HASHER.matrix(goods.words), dtype=np.float32)
        fresh = _unit(sparse.csr_array(words[:, self.columns]), self.rarity)
        counts = np.full(len(goods.words), self.recipe.prior, np.float32)
        return replace(
            self,
            found=sparse.csr_array(sparse.hstack([self.found, fresh.T]), dtype=np.float32),
            shows=sparse.csr_array(sparse.vstack([self.shows, interests(goods.words)])),
            counts=np.concatenate([self.counts, counts]),
        )

    def _parts(self, spoken: Spoken) -> tuple[sparse.csr_array, sparse.csr_array]:
        """Words of each saying, and its interests as a distribution."""
        each = sparse.csr_array(spoken.said)
        width = HASHER.buckets
        return sparse.csr_array(each[:, :width]), _shares(sparse.csr_array(each[:, width:]))

    def _looks(self, queries: Queries) -> sparse.csr_array:
        """(queries x interests) of the histories of those who said something."""
        recipe, size = self.recipe, len(self.counts)
        fed = queries.recalled(size, recipe.fade, recipe.recall, self.behaviours)
        shown = _shares(sparse.csr_array(fed @ self.shows))
        assert queries.spoken is not None  # noqa: S101 - the caller has looked
        heard = np.diff(queries.spoken.starts) > 0
        data = (
            recipe.looks
            * shown.data
            * heard[np.repeat(np.arange(len(queries)), np.diff(shown.indptr))]
        )
        return sparse.csr_array((data, shown.indices, shown.indptr), shape=shown.shape)

    def _weight(self, queries: Queries) -> sparse.csr_array:
        """(queries x sayings): latest first, fading with time."""
        spoken = queries.spoken
        assert spoken is not None  # noqa: S101 - the caller has looked
        lengths = np.diff(spoken.starts)
        query = np.repeat(np.arange(len(queries)), lengths)
        age = np.repeat(spoken.starts[1:], lengths) - 1 - np.arange(len(spoken.time))
        days = np.maximum(queries.now[query] - spoken.time, 0) / DAY_MS
        weight = self.recipe.fade**age * 0.5 ** (days / self.recipe.half_life_days)
        weight = np.where(age < self.recipe.recall, weight, 0.0).astype(np.float32)
        shape = (len(queries), len(spoken.time))
        return sparse.csr_array((weight, np.arange(len(weight)), spoken.starts), shape=shape)

    def _matching(self, words: sparse.csr_array) -> sparse.csr_array:
        """(sayings x items): squared cosines as distributions; none for words that no item has."""
        asked = _unit(sparse.csr_array(words[:, self.columns]), self.rarity)
        alike = sparse.csr_array(asked @ self.found)
        alike.data **= 2
        return _shares(alike)

    def _within(self) -> sparse.csr_array:
        """(interests x items): how likely each item is, given the interest."""
        shows = sparse.csr_array(self.shows.T)
        weighed = (shows.data * self.counts[shows.indices]).astype(np.float32)
        return _shares(sparse.csr_array((weighed, shows.indices, shows.indptr), shape=shows.shape))


HEAD = Interests
FITTED = FittedInterests
