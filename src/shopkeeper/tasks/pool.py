"""Students from few labels and many texts without any: what a shop has a million of.

Three things are learned from the texts without labels, and all end up in the weights of one linear
student, as large and as fast as any: the directions in which n-grams vary together (truncated SVD), so
that a weight learned for one n-gram reaches those that are used like it; which n-grams are worth keeping
and their idf; and, from the texts as a first student reads them, naive-Bayes weights for n-grams that no
labelled text holds (one step of EM). On online-shopping reviews 450 chosen labels so read as well as 1,000
drawn at random do without (docs/tasks.md).

Sources: Deerwester et al., JASIS 41 (1990) for the SVD; Halko, Martinsson & Tropp, SIAM Review 53 (2011),
algorithm 4.4, for how it is computed; Nigam, McCallum, Thrun & Mitchell, Machine Learning 39 (2000) for EM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax

from shopkeeper.core.errors import BadInput
from shopkeeper.tasks.features import NgramHasher
from shopkeeper.tasks.fitting import FOLDS, folds, readable, targets_of
from shopkeeper.tasks.linear import Linear, fit_softmax, log_ratios, paired
from shopkeeper.tasks.readable import refusals
from shopkeeper.tasks.student import Student, judged
from shopkeeper.tasks.vectors import Vectors, learn

Floats = NDArray[np.float32]
_HASHER = NgramHasher(sizes=(1, 2, 3), bits=22)
_LEAST, _MOST = 5, 200_000
_DIRECTIONS, _TURNS, _SPARE = 300, 3, 10
_PER_DIRECTION = 20
"""Texts that a direction needs at least."""
_TOGETHER = 3.0
"""How much farther a weight may go along the directions than alone."""
_RIDGE = 1.0
_SHARP = 4.0
"""The first student's scores are multiplied by this before they teach: nearly its plain guesses."""
_BAYES = 1.5
"""Weight of the naive-Bayes scores beside the first student's, both of unit spread."""
_ENOUGH = 40_000


class Pool:
    """Texts without labels, prepared once; :meth:`student` then takes a fraction of a second.

    Of more than 40,000 texts so many are drawn.
    """

    def __init__(self, texts: Sequence[str], *, seed: int = 0) -> None:
        refused = refusals(texts)
        kept = [text for place, text in enumerate(texts) if place not in refused]
        if len(kept) > _ENOUGH:
            drawn = np.random.default_rng(seed).choice(len(kept), _ENOUGH, replace=False)
            kept = [kept[place] for place in np.sort(drawn)]
        counts = _HASHER.matrix(kept)
        self.vectors: Vectors = learn(_HASHER, counts, least=_LEAST, most=_MOST)
        self._matrix = self.vectors.weighted(counts)
        count = min(_DIRECTIONS, len(kept) // _PER_DIRECTION, self._matrix.shape[1] // 2)
        if count < 2:
            hint = "Give some thousand texts of the kind to be read."
            raise BadInput(f"{len(kept)} readable texts are no pool.", hint=hint, field="texts")
        self._directions = _directions(self._matrix, count, seed)
        self._along = np.asarray(self._matrix @ self._directions, np.float32)
        self._present = self._matrix.sign()

    def student(
        self,
        name: str,
        texts: Sequence[str],
        labels: Sequence[str],
        *,
        names: Sequence[str] = (),
        seed: int = 0,
    ) -> Student:
        """A student of these labels and the pool; see :meth:`Student.fit` for the arguments.

        The temperature is fitted on five folds of the labels: where these were chosen because they are
        hard, the student is surer than it says.
        """
        targets, order = targets_of(labels, names)
        kept, goals = readable(texts, targets)
        matrix = self.vectors.of(kept)
        scores = np.zeros_like(goals)
        for fold in folds(len(kept), min(FOLDS, len(kept)), seed):
            inside = np.setdiff1d(np.arange(len(kept)), fold)
            scores[fold] = self._fitted(matrix[inside], goals[inside]).scores(matrix[fold])
        degree, fitness = judged(scores, goals)
        card = {
            "texts": len(kept),
            "pool": self._matrix.shape[0],
            "fitness": fitness._asdict(),
        }
        return Student(name, order, self.vectors, self._fitted(matrix, goals), degree, card)

    def _fitted(self, matrix: Any, targets: Floats) -> Linear:
        first = self._first(matrix, targets)
        read = np.asarray(self._matrix @ first.weights + first.bias, np.float32)
        guesses = softmax(paired(read) * _SHARP, axis=1)
        bayes = log_ratios(self._present, guesses)
        heard = np.asarray(self._matrix @ bayes, np.float32)
        spread, other = max(float(read.std()), 1e-6), max(float(heard.std()), 1e-6)
        weights = first.weights / spread + _BAYES * bayes / other
        return Linear(weights.astype(np.float32), (first.bias / spread).astype(np.float32))

    def _first(self, matrix: Any, targets: Floats) -> Linear:
        """A student of n-grams and of the directions they vary in, as weights of the n-grams."""
        along = np.asarray(matrix @ self._directions, np.float32) * np.float32(_TOGETHER)
        alone = np.abs(log_ratios(matrix.sign(), targets))
        both = sparse.hstack([matrix, sparse.csr_matrix(along)], format="csr")
        ones = np.ones((along.shape[1], alone.shape[1]), np.float32)
        found = fit_softmax(both.astype(np.float32), targets, np.vstack([alone, ones]), _RIDGE)
        own, shared = np.split(found.weights, [matrix.shape[1]])
        return Linear(own + self._directions @ (shared * np.float32(_TOGETHER)), found.bias)


def _directions(matrix: Any, count: int, seed: int) -> Floats:
    """The right singular vectors (features, count) of the largest singular values, by random projection."""
    random = np.random.default_rng(seed)
    width = min(count + _SPARE, *matrix.shape)
    basis = np.asarray(matrix @ random.standard_normal((matrix.shape[1], width)).astype(np.float32))
    transposed = matrix.T.tocsr()
    for _ in range(_TURNS):
        image = np.asarray(transposed @ _orthonormal(basis, width))
        basis = np.asarray(matrix @ _orthonormal(image, width))
    return _orthonormal(np.asarray(transposed @ _orthonormal(basis, width)), count)


def _orthonormal(columns: Floats, count: int) -> Floats:
    """The ``count`` left singular vectors of a tall matrix, by its small Gram matrix.

    LAPACK's QR would do as well, but on a busy machine its many small steps wait for the BLAS's threads.
    """
    squares, turn = np.linalg.eigh((columns.T @ columns).astype(np.float64))
    largest = np.argsort(-squares)[:count]
    lengths = np.sqrt(np.maximum(squares[largest], 1e-9 * squares[largest[0]]))
    return np.ascontiguousarray(columns @ (turn[:, largest] / lengths).astype(np.float32))
