"""Static embeddings of texts, made from the shop's own texts: TF-IDF, then truncated SVD."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Vectors: TypeAlias = NDArray[np.float32]

DIMENSIONS = 100
MOST_WORDS = 30_000
LEAST_TEXTS = 5
"""A word that fewer of the texts have is left out: it describes nobody but its writer."""
_MOST_SHARE = 0.4  # a word that more of the texts have tells them apart no longer
_OVERSAMPLED, _POWER_STEPS = 12, 2


@dataclass(frozen=True)
class Space:
    """Where texts of one language lie: ``directions`` is (words, dimensions), ``weights`` (words,)."""

    words: tuple[str, ...]
    weights: Vectors
    directions: Vectors

    @cached_property
    def places(self) -> dict[str, int]:
        """The row of each word."""
        return {word: place for place, word in enumerate(self.words)}

    def counts(self, texts: Sequence[Sequence[str]]) -> Any:
        """How often each text has each word: CSR, (texts, words), float32."""
        places = self.places
        found = [[places[word] for word in text if word in places] for text in texts]
        return counted(found, len(self.words))

    def embed(self, counts: Any) -> Vectors:
        """(texts, dimensions) of length 1; a text without any known word is all zeros."""
        return unit(np.asarray(weighted(counts, self.weights) @ self.directions, np.float32))


def counted(found: Sequence[Sequence[int]], width: int) -> Any:
    """Lists of columns as a CSR matrix of how often each stands in its row."""
    ends = np.zeros(len(found) + 1, np.int64)
    np.cumsum([len(row) for row in found], out=ends[1:])
    columns = np.fromiter(chain.from_iterable(found), np.int32, int(ends[-1]))
    ones = np.ones(len(columns), np.float32)
    matrix = sparse.csr_matrix((ones, columns, ends), shape=(len(found), width))
    matrix.sum_duplicates()
    return matrix


def weighted(counts: Any, weights: Vectors) -> Any:
    """TF-IDF with damped counts, rows of length 1."""
    damped = counts.copy()
    damped.data = (1 + np.log(damped.data)) * weights[damped.indices]
    lengths = np.sqrt(np.asarray(damped.multiply(damped).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    damped.data /= np.repeat(lengths, np.diff(damped.indptr)).astype(np.float32)
    return damped


def unit(rows: Vectors) -> Vectors:
    """Rows of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    return np.asarray(rows / lengths, np.float32)


def fit(texts: Sequence[Sequence[str]], seed: int) -> Space | None:
    """The space of these texts (lists of words); None where no word is common enough."""
    words = vocabulary(texts)
    if len(words) < 2:
        return None
    bare = Space(words, np.ones(len(words), np.float32), np.zeros((len(words), 1), np.float32))
    counts = bare.counts(texts)
    have = np.bincount(counts.indices, minlength=len(words))
    weights = (np.log((1 + len(texts)) / (1 + have)) + 1).astype(np.float32)
    with threadpool_limits(limits=1, user_api="blas"):  # thin matrices: threads only wait
        directions = _directions(weighted(counts, weights), seed)
    return Space(words, weights, directions)


def vocabulary(texts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The words that enough texts have and not too many, commonest first, at most 30,000."""
    have: Counter[str] = Counter()
    number = 0
    for text in texts:
        have.update(set(text))
        number += 1
    most = max(LEAST_TEXTS, _MOST_SHARE * number)
    kept = [(n, word) for word, n in have.items() if LEAST_TEXTS <= n <= most]
    kept.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple(word for _, word in kept[:MOST_WORDS])


def _directions(rows: Any, seed: int) -> Vectors:
    """Right singular vectors of the rows, (words, dimensions), by a randomised range finder.

    Source: Halko, Martinsson & Tropp, SIAM Review 53 (2011), algorithms 4.4 and 5.1.
    """
    least = min(rows.shape)
    width = min(DIMENSIONS + _OVERSAMPLED, least)
    chance = np.random.default_rng(seed)
    sketch = rows @ chance.standard_normal((rows.shape[1], width), dtype=np.float32)
    for _ in range(_POWER_STEPS):
        basis = np.linalg.qr(sketch)[0]
        sketch = rows @ np.linalg.qr(rows.T @ basis)[0]
    basis = np.linalg.qr(sketch)[0]
    _, _, found = np.linalg.svd(np.asarray(basis.T @ rows), full_matrices=False)
    kept = np.ascontiguousarray(found[: min(DIMENSIONS, least)].T, dtype=np.float32)
    # A singular vector's sign is arbitrary: fixed, so that the same texts give the same file.
    heads = kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])]
    return np.asarray(kept * np.where(heads < 0, -1, 1), np.float32)
