"""Text: items whose words are like those of a history. It knows an item that nobody has chosen yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.covisit import top
from shopkeeper.recommend.heads.base import FittedLinear, Goods, Matrix, wider
from shopkeeper.recommend.history import History
from shopkeeper.tasks.features import NgramHasher

_ROWS = 1024
_MANY = 100  # fewer items than this: no word is too rare or too common
_HASHER = NgramHasher(sizes=(1, 2), letters=(), bits=20)


@dataclass(frozen=True)
class Text:
    """Cosine of TF-IDF over words and pairs of words (Chinese: characters); each item's ``keep`` nearest.

    Where the goods come with an embedding model's vectors, the cosine of these. An item that is new after
    the fit is compared by its words either way: no request waits for a model.
    """

    fade: float = 0.7
    recall: int = 20
    keep: int = 100
    rarest: int = 2
    commonest: float = 0.2

    def fit(self, history: History, goods: Goods) -> FittedText:
        """Compare the items' words; an item without words is like none."""
        size = len(history.item_ids)
        counts = sparse.csr_array(_HASHER.matrix(goods.words), dtype=np.float32)
        holding = np.bincount(counts.indices, minlength=counts.shape[1])
        least, most = (self.rarest, self.commonest * size) if size > _MANY else (1, size)
        used = np.flatnonzero((holding >= max(least, 1)) & (holding <= most)).astype(np.int32)
        rarity = (np.log((1 + size) / (1 + holding[used])) + 1).astype(np.float32)
        vectors = _unit(sparse.csr_array(counts[:, used]), rarity)
        if goods.vectors is None:
            near = _alike(vectors, vectors, self.keep, own=True)
        else:
            near = _near(_centred(goods.vectors, goods.words), self.keep)
        return FittedText(near, self, vectors, used, rarity)


def _unit(counts: sparse.csr_array, rarity: Matrix) -> sparse.csr_array:
    """TF-IDF rows of unit length: (1 + log count) x (1 + log((1 + items) / (1 + items with it)))."""
    data = ((1 + np.log(counts.data)) * rarity[counts.indices]).astype(np.float32)
    vectors = sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape)
    length = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    row = np.repeat(np.arange(counts.shape[0]), np.diff(vectors.indptr))
    vectors.data /= np.maximum(length, 1e-9).astype(np.float32)[row]
    return vectors


def _centred(vectors: Matrix, words: tuple[str, ...]) -> Matrix:
    """Unit vectors about their common centre: what all texts share says nothing (Mu and Viswanath, 2018).

    An item without words is like none.
    """
    some = np.array([bool(text.strip()) for text in words])
    centred = np.where(some[:, None], vectors - vectors[some].mean(axis=0), 0.0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(length, 1e-9), dtype=np.float32)


def _near(vectors: Matrix, keep: int) -> sparse.csr_array:
    """Cosines, each row's ``keep`` greatest above zero, without itself."""
    size = len(vectors)
    blocks = [sparse.csr_array((0, size), dtype=np.float32)]
    for start in range(0, size, _ROWS):
        block = vectors[start : start + _ROWS] @ vectors.T
        own = np.arange(len(block))
        block[own, own + start] = 0.0
        width = min(keep, size)
        place = np.argpartition(-block, width - 1, axis=1)[:, :width]
        value = np.maximum(np.take_along_axis(block, place, axis=1), 0.0)
        starts = np.arange(len(block) + 1) * width
        rows = sparse.csr_array((value.ravel(), place.ravel(), starts), shape=(len(block), size))
        rows.eliminate_zeros()
        blocks.append(rows)
    return sparse.csr_array(sparse.vstack(blocks), dtype=np.float32)


def _alike(
    rows: sparse.csr_array, columns: sparse.csr_array, keep: int, *, own: bool = False
) -> sparse.csr_array:
    """Cosines (rows x columns), each row's ``keep`` greatest; ``own``: both are the same, without itself."""
    blocks = [sparse.csr_array((0, columns.shape[0]), dtype=np.float32)]
    turned = sparse.csc_array(columns.T)
    for start in range(0, rows.shape[0], _ROWS):
        block = sparse.csr_array(rows[start : start + _ROWS] @ turned)
        if own:
            row = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
            block.data[block.indices == row + start] = 0.0
        blocks.append(top(block, keep))
    return sparse.csr_array(sparse.vstack(blocks), dtype=np.float32)


@dataclass(frozen=True)
class FittedText(FittedLinear):
    """Cosines of the nearest; and the items' vectors, with which a new item finds its own nearest.

    ``columns`` are the hashed words that vectors are made of, ``rarity`` their weights.
    """

    vectors: sparse.csr_array
    columns: NDArray[np.int32]
    rarity: Matrix

    def grown(self, goods: Goods) -> FittedText:
        """New items are compared with all; an old item gets those new ones that find it near."""
        assert isinstance(self.recipe, Text)  # noqa: S101 - what fit() gave it
        counts = sparse.csr_array(_HASHER.matrix(goods.words), dtype=np.float32)
        fresh = _unit(sparse.csr_array(counts[:, self.columns]), self.rarity)
        vectors = sparse.csr_array(sparse.vstack([self.vectors, fresh]), dtype=np.float32)
        old = self.vectors.shape[0]
        near = _alike(fresh, vectors, self.recipe.keep)
        row = np.repeat(np.arange(near.shape[0]), np.diff(near.indptr))
        near.data[near.indices == row + old] = 0.0
        back = sparse.csr_array(near[:, :old].T)
        back = sparse.csr_array(
            (back.data, back.indices + old, back.indptr), shape=(old, old + len(goods.words))
        )
        weights = wider(self.weights, 0, len(goods.words)) + back
        weights = sparse.csr_array(sparse.vstack([weights, near]), dtype=np.float32)
        weights.eliminate_zeros()
        return replace(self, weights=weights, vectors=vectors)


HEAD = Text
FITTED = FittedText
