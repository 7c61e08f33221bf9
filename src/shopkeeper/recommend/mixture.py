"""P(item | customer, now): heads that are each a softmax over the catalogue, mixed.

Head h says ``P_h(i) = a_h(i) ** sharpness_h / sum_j a_h(j) ** sharpness_h`` over the items that may be
shown, which is the softmax of ``sharpness x log a``. The mixture is ``sum_h w_h P_h``, where the weights
depend on how long the history is and on how sure each head is (:mod:`~shopkeeper.recommend.confidence`).
All of it is fitted on choices that no head has seen: :mod:`~shopkeeper.recommend.weighing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.confidence import Confidence
from shopkeeper.recommend.heads.base import Affinities, FittedHead, Queries
from shopkeeper.recommend.history import Floats, Ints

BUCKETS: Final = (0, 1, 2, 4, 8, 16, 64)
"""Lengths of history from which a set of weights holds; the next bound ends it."""

CHUNK: Final = 512
"""Queries asked at once."""
_CELLS: Final = 6_000_000
"""Queries x items held at once by each head that says something about every item: 24 MB."""

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Mask:
    """What may be shown: ``offered`` to anybody; what ``excluded`` (queries x items) stores is not."""

    offered: NDArray[np.bool_]
    excluded: sparse.csr_array | None = None

    def part(self, start: int, stop: int) -> Mask:
        """For the queries from ``start`` until before ``stop``."""
        return self if self.excluded is None else replace(self, excluded=self.excluded[start:stop])

    def allowed(self, queries: int) -> NDArray[np.bool_]:
        """(queries x items): what may be shown to whom."""
        if self.excluded is None:
            return np.broadcast_to(self.offered, (queries, len(self.offered)))
        answer = np.tile(self.offered, (queries, 1))
        answer[_rows(self.excluded), self.excluded.indices] = False
        return answer


@dataclass(frozen=True)
class Part:
    """One head's softmax; ``concentration`` by query, nan where it has nothing to say."""

    place: int
    distribution: Affinities
    concentration: Floats


def mixed(parts: Sequence[Part], weights: Floats, shape: tuple[int, int]) -> Probabilities:
    """The sum, weighted by ``weights`` (queries x heads) as a share of what those that speak have."""
    total = np.zeros(shape, np.float32)
    for part in parts:
        weight = weights[:, part.place].astype(np.float32)
        if isinstance(part.distribution, sparse.csr_array):
            rows = _rows(part.distribution)
            total[rows, part.distribution.indices] += part.distribution.data * weight[rows]
        else:
            total += part.distribution * weight[:, None]
    total /= np.maximum(weights.sum(axis=1), 1e-12).astype(np.float32)[:, None]
    return total


@dataclass(frozen=True)
class Mixture:
    """``weights`` (buckets x heads) sum to one by row; the first head must cover every item."""

    heads: Mapping[str, FittedHead]
    sharpness: Mapping[str, float]
    weights: Floats
    buckets: tuple[int, ...] = BUCKETS
    confidence: Confidence | None = None
    """None: weights do not depend on it."""

    def probabilities(self, queries: Queries, mask: Mask) -> Probabilities:
        """(queries x items): rows sum to one over what may be shown; to zero where nothing may be."""
        parts = list(self.parts(queries, mask))
        concentration = np.full((len(queries), len(self.heads)), np.nan)
        for part in parts:
            concentration[:, part.place] = part.concentration
        weights = self.weights_for(queries, concentration)
        return mixed(parts, weights, (len(queries), len(mask.offered)))

    def parts(self, queries: Queries, mask: Mask) -> Iterator[Part]:
        """What each head that counts says, in their order."""
        allowed = mask.allowed(len(queries))
        for place, name, head in self.counting:
            found = softmax(head.affinities(queries), self.sharpness[name], allowed)
            yield Part(place, found, concentrated(found))

    def chunks(self, queries: Queries, mask: Mask) -> Iterator[tuple[slice, Probabilities]]:
        """The probabilities of many queries, a bounded number at a time."""
        many = max(1, min(CHUNK, _CELLS // max(len(mask.offered), 1)))
        for start in range(0, len(queries), many):
            stop = min(start + many, len(queries))
            part = queries.part(start, stop)
            yield slice(start, stop), self.probabilities(part, mask.part(start, stop))

    @cached_property
    def counting(self) -> list[tuple[int, str, FittedHead]]:
        """Place, name and head of those that have a weight, or a say in that of others."""
        say = np.flatnonzero(self.weights.any(axis=0)).tolist()
        if self.confidence is not None:
            say += np.flatnonzero(self.confidence.slopes.any(axis=1)).tolist()
        return [(n, name, head) for n, (name, head) in enumerate(self.heads.items()) if n in say]

    def weights_for(self, queries: Queries, concentration: Floats) -> Floats:
        """(queries x heads) by length of history and by how sure the heads are; none for a silent one."""
        bucket = np.searchsorted(np.array(self.buckets), queries.lengths, side="right") - 1
        weights = np.where(np.isnan(concentration), 0.0, self.weights[bucket])
        if self.confidence is not None:
            weights *= self.confidence.factors(concentration)
        return np.asarray(weights)


def softmax(affinities: Affinities, sharpness: float, allowed: NDArray[np.bool_]) -> Affinities:
    """The head's distribution over what is allowed; a row of zeros where it has none.

    What came sparse goes sparse: a head of neighbours touches a few items in a hundred.
    """
    if isinstance(affinities, sparse.csr_array):
        return _sparse_softmax(affinities, sharpness, allowed)
    dense = np.where(allowed, affinities, np.float32(0.0))
    # By the largest first: a high power of a small number is nothing in single precision.
    dense /= np.maximum(dense.max(axis=1, keepdims=True), 1e-30)
    if sharpness != 1.0:
        np.power(dense, sharpness, out=dense)
    mass = dense.sum(axis=1, keepdims=True)
    dense /= np.maximum(mass, 1e-30)
    return dense


def _sparse_softmax(
    affinities: sparse.csr_array, sharpness: float, allowed: NDArray[np.bool_]
) -> sparse.csr_array:
    count, rows = affinities.shape[0], _rows(affinities)
    data = np.where(allowed[rows, affinities.indices], affinities.data, 0.0).astype(np.float32)
    greatest = np.zeros(count, np.float32)
    np.maximum.at(greatest, rows, data)
    data /= np.maximum(greatest, 1e-30)[rows]
    if sharpness != 1.0:
        np.power(data, sharpness, out=data)
    mass = np.bincount(rows, data, count)
    data /= np.maximum(mass, 1e-30).astype(np.float32)[rows]
    return sparse.csr_array((data, affinities.indices, affinities.indptr), affinities.shape)


def concentrated(distribution: Affinities) -> Floats:
    """The sum of squared probabilities by query; nan where there is no distribution."""
    if isinstance(distribution, sparse.csr_array):
        rows = _rows(distribution)
        squares = np.bincount(rows, distribution.data**2, distribution.shape[0])
    else:
        squares = np.einsum("ij,ij->i", distribution, distribution).astype(np.float64)
    return np.where(squares > 0, squares, np.nan)


def given(part: Affinities, chosen: Ints) -> Floats:
    """The value of one item in each row."""
    if not isinstance(part, sparse.csr_array):
        return np.asarray(part[np.arange(len(chosen)), chosen], dtype=np.float64)
    rows = _rows(part)
    hit = part.indices == chosen[rows]
    return np.bincount(rows[hit], part.data[hit], len(chosen)).astype(np.float64)


def _rows(matrix: sparse.csr_array) -> Ints:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
