"""Texts as weighted vectors: the n-grams worth keeping, their weights, rows of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.tasks.features import NgramHasher

Floats = NDArray[np.float32]


class Vectors:
    """Turns texts into rows of (1 + ln count) · idf over the kept n-grams, divided by their length.

    ``rows`` are the kept buckets in ascending order, ``idf`` their weights (float16, as they are saved).
    """

    def __init__(
        self, hasher: NgramHasher, rows: NDArray[np.int32], idf: NDArray[np.float16]
    ) -> None:
        self.hasher = hasher
        self.rows = rows
        self.idf = idf
        self._place = np.zeros(hasher.buckets, np.int32)
        self._place[rows] = np.arange(1, len(rows) + 1, dtype=np.int32)  # 0: not kept
        self._weight = np.concatenate([np.zeros(1, np.float32), idf.astype(np.float32)])

    def of(self, texts: Sequence[str]) -> Any:
        """A scipy CSR matrix, texts × kept n-grams; the caller bounds the batch."""
        return self.weighted(self.hasher.matrix(texts))

    def weighted(self, counts: Any) -> Any:
        """The same for counts that :meth:`NgramHasher.matrix` gave."""
        places = self._place[counts.indices]
        kept = places > 0
        bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])[counts.indptr]
        places = places[kept]
        data = (1 + np.log(counts.data[kept])) * self._weight[places]
        squares = np.concatenate([np.zeros(1), np.cumsum(data * data, dtype=np.float64)])
        length = np.sqrt(np.diff(squares[bounds]).clip(min=0))
        length[length == 0] = 1
        data /= np.repeat(length, np.diff(bounds)).astype(np.float32)
        shape = (counts.shape[0], len(self.rows))
        return sparse.csr_matrix((data, places - 1, bounds), shape=shape)


def learn(hasher: NgramHasher, counts: Any, *, least: int, most: int) -> Vectors:
    """The vectors whose n-grams stand in at least ``least`` of the texts, the ``most`` frequent of them."""
    kept, frequency = np.unique(counts.indices, return_counts=True)
    often = frequency >= least
    kept, frequency = kept[often], frequency[often]
    if len(kept) > most:
        chosen = np.sort(np.argsort(-frequency, kind="stable")[:most])
        kept, frequency = kept[chosen], frequency[chosen]
    idf = np.log((1 + counts.shape[0]) / (1 + frequency)) + 1
    return Vectors(hasher, kept.astype(np.int32), idf.astype(np.float16))
