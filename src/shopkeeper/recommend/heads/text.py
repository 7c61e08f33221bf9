"""Text: items whose words are like those of a history. It knows an item that nobody has chosen yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from shopkeeper.recommend.covisit import top
from shopkeeper.recommend.heads.base import Affinities, Goods, Queries, by_rows
from shopkeeper.recommend.history import Floats, History, Ints
from shopkeeper.tasks.features import NgramHasher

_ROWS = 1024
_MANY = 100  # fewer items than this: no word is too rare or too common
_HASHER = NgramHasher(sizes=(1, 2), letters=(), bits=20)


@dataclass(frozen=True)
class Text:
    """Cosine of TF-IDF over words and pairs of words (Chinese: characters); each item's ``keep`` nearest."""

    fade: float = 0.7
    recall: int = 20
    keep: int = 150
    rarest: int = 2
    commonest: float = 0.2

    def fit(self, history: History, goods: Goods) -> FittedText:
        """Compare the items' words; an item without words is like none."""
        size = len(history.item_ids)
        empty = sparse.csr_array((size, size), dtype=np.float32)
        if not any(goods.words):
            return FittedText(empty, self)
        vectors = _vectors(goods.words, self)
        blocks = []
        turned = sparse.csc_array(vectors.T)
        for start in range(0, size, _ROWS):
            block = sparse.csr_array(vectors[start : start + _ROWS] @ turned)
            rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
            block.data[block.indices == rows + start] = 0.0
            blocks.append(top(block, self.keep))
        return FittedText(sparse.csr_array(sparse.vstack(blocks), dtype=np.float32), self)


def _vectors(words: tuple[str, ...], recipe: Text) -> sparse.csr_array:
    """TF-IDF rows of unit length: (1 + log count) x (1 + log((1 + items) / (1 + items with it)))."""
    counts = sparse.csr_array(_HASHER.matrix(words), dtype=np.float32)
    size = len(words)
    holding = np.bincount(counts.indices, minlength=counts.shape[1])
    least, most = (recipe.rarest, recipe.commonest * size) if size > _MANY else (1, size)
    used = np.flatnonzero((holding >= least) & (holding <= most))
    vectors = sparse.csr_array(counts[:, used])
    rarity = np.log((1 + size) / (1 + holding[used])) + 1
    vectors.data = ((1 + np.log(vectors.data)) * rarity[vectors.indices]).astype(np.float32)
    length = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    row = np.repeat(np.arange(size), np.diff(vectors.indptr))
    vectors.data /= np.maximum(length, 1e-9).astype(np.float32)[row]
    return vectors


@dataclass(frozen=True)
class FittedText:
    """Cosines (items x items) of the nearest."""

    weights: sparse.csr_array
    recipe: Text

    def affinities(self, queries: Queries) -> Affinities:
        """What reads like the latest items."""
        fed = queries.recalled(self.weights.shape[0], self.recipe.fade, self.recipe.recall)
        return sparse.csr_array(fed @ self.weights)

    def evidence(self, queries: Queries, items: Ints) -> Floats:
        """The terms of the sum."""
        fed = queries.recall(self.recipe.fade, self.recipe.recall)
        return by_rows(self.weights, fed, queries.item, items)


HEAD = Text
FITTED = FittedText
