"""P(item | customer, now): heads that are each a softmax over the catalogue, mixed.

Head h says ``P_h(i) = a_h(i) ** sharpness_h / sum_j a_h(j) ** sharpness_h`` over the items that may be
shown, which is the softmax of ``sharpness x log a``. The mixture is ``sum_h w_h P_h``, where the weights
depend on how long the history is. Both are fitted by likelihood on choices that no head has seen:
sharpness by a grid, each head beside the first; weights by expectation-maximisation (Dempster, Laird and
Rubin, 1977), whose every step raises the likelihood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.heads.base import Affinities, FittedHead, Queries
from shopkeeper.recommend.history import Floats, Ints

SHARPNESS: Final = (0.5, 0.7, 1.0, 1.3, 1.6, 2.0, 2.5, 3.0)
BUCKETS: Final = (0, 1, 2, 4, 8, 16, 64)
"""Lengths of history from which a set of weights holds; the next bound ends it."""

_CHUNK: Final = 512
_STEPS: Final = 200
_FLOOR: Final = 1e-3
"""The first head's least weight: somebody for whom no other head has anything still gets a list."""
_FEW: Final = 200
"""A bucket with fewer validation choices than this leans on everybody's weights."""

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
    """One head's softmax, and its weight by query: none where it has nothing to say."""

    place: int
    weight: NDArray[np.float32]
    distribution: Affinities


def mixed(parts: Iterable[Part], shape: tuple[int, int]) -> Probabilities:
    """The weighted sum; a head that has nothing to say to somebody leaves its share to the others."""
    total, claimed = np.zeros(shape, np.float32), np.zeros(shape[0], np.float32)
    for part in parts:
        if isinstance(part.distribution, sparse.csr_array):
            rows = _rows(part.distribution)
            total[rows, part.distribution.indices] += part.distribution.data * part.weight[rows]
        else:
            total += part.distribution * part.weight[:, None]
        claimed += part.weight
    total /= np.maximum(claimed, 1e-12)[:, None]
    return total


@dataclass(frozen=True)
class Mixture:
    """``weights`` (buckets x heads) sum to one by row; the first head must cover every item."""

    heads: Mapping[str, FittedHead]
    sharpness: Mapping[str, float]
    weights: Floats
    buckets: tuple[int, ...] = BUCKETS

    def probabilities(self, queries: Queries, mask: Mask) -> Probabilities:
        """(queries x items): rows sum to one over what may be shown; to zero where nothing may be."""
        return mixed(self.parts(queries, mask), (len(queries), len(mask.offered)))

    def parts(self, queries: Queries, mask: Mask) -> Iterator[Part]:
        """What each head that counts says, in their order."""
        weights = self.weights_for(queries).astype(np.float32)
        allowed = mask.allowed(len(queries))
        for place, (name, head) in enumerate(self.heads.items()):
            if weights[:, place].any():
                found = head.affinities(queries)
                distribution, some = softmax(found, self.sharpness[name], allowed)
                yield Part(place, weights[:, place] * some, distribution)

    def chunks(self, queries: Queries, mask: Mask) -> Iterator[tuple[slice, Probabilities]]:
        """The probabilities of many queries, a bounded number at a time."""
        for start in range(0, len(queries), _CHUNK):
            stop = min(start + _CHUNK, len(queries))
            part = queries.part(start, stop)
            yield slice(start, stop), self.probabilities(part, mask.part(start, stop))

    def weights_for(self, queries: Queries) -> Floats:
        """(queries x heads) by length of history."""
        bucket = np.searchsorted(np.array(self.buckets), queries.lengths, side="right") - 1
        return np.asarray(self.weights[bucket])


def softmax(
    affinities: Affinities, sharpness: float, allowed: NDArray[np.bool_]
) -> tuple[Affinities, NDArray[np.bool_]]:
    """The head's distribution over what is allowed, and which rows have one at all.

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
    return dense, np.asarray(mass[:, 0] > 0)


def _sparse_softmax(
    affinities: sparse.csr_array, sharpness: float, allowed: NDArray[np.bool_]
) -> tuple[sparse.csr_array, NDArray[np.bool_]]:
    count, rows = affinities.shape[0], _rows(affinities)
    data = np.where(allowed[rows, affinities.indices], affinities.data, 0.0).astype(np.float32)
    greatest = np.zeros(count, np.float32)
    np.maximum.at(greatest, rows, data)
    data /= np.maximum(greatest, 1e-30)[rows]
    if sharpness != 1.0:
        np.power(data, sharpness, out=data)
    mass = np.bincount(rows, data, count)
    data /= np.maximum(mass, 1e-30).astype(np.float32)[rows]
    parts = sparse.csr_array((data, affinities.indices, affinities.indptr), affinities.shape)
    return parts, mass > 0


def fit(heads: Mapping[str, FittedHead], queries: Queries, chosen: Ints, mask: Mask) -> Mixture:
    """The mixture under which these choices, which no head has seen, were likeliest.

    Args:
        heads: in order; the first must give every item that may be shown a probability.
        queries: histories before each choice.
        chosen: the item that was chosen, by query; one that may not be shown is left out.
        mask: what may be shown.
    """
    names = list(heads)
    seen = {name: _of_chosen(heads[name], queries, chosen, mask) for name in names}
    first = seen[names[0]][SHARPNESS.index(1.0)]
    sharpness = {names[0]: 1.0}
    columns = [first]
    for name in names[1:]:
        place = int(np.argmax([_likelihood(np.stack([first, p], 1)) for p in seen[name]]))
        sharpness[name] = SHARPNESS[place]
        columns.append(seen[name][place])
    table = np.stack(columns, axis=1)
    table = table[known := table[:, 0] > 0]
    everybody = weigh(table)
    bucket = np.searchsorted(np.array(BUCKETS), queries.lengths[known], side="right") - 1
    weights = np.stack([weigh(table[bucket == b], everybody, _FEW) for b in range(len(BUCKETS))])
    weights[:, 0] = np.maximum(weights[:, 0], _FLOOR)
    return Mixture(dict(heads), sharpness, weights / weights.sum(axis=1, keepdims=True))


def weigh(table: Floats, prior: Floats | None = None, strength: float = 0.0) -> Floats:
    """Weights of the columns by expectation-maximisation.

    Args:
        table: (choices x heads) the probability that each head gave to what was chosen.
        prior: weights to lean on; None: none.
        strength: how many choices they count as.
    """
    heads = table.shape[1]
    weights = np.full(heads, 1 / heads) if prior is None else prior
    extra = 0.0 if prior is None else prior * strength
    if not len(table):
        return weights
    for _ in range(_STEPS):
        share = table * weights
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
        weights = share.sum(axis=0) + extra
        weights = weights / weights.sum()
    return np.asarray(weights)


def _likelihood(table: Floats) -> float:
    return float(np.log(np.maximum(table @ weigh(table), 1e-300)).mean())


def _of_chosen(head: FittedHead, queries: Queries, chosen: Ints, mask: Mask) -> Sequence[Floats]:
    """What the head gave to each choice, for every sharpness."""
    answer = [np.zeros(len(queries)) for _ in SHARPNESS]
    for start in range(0, len(queries), _CHUNK):
        stop = min(start + _CHUNK, len(queries))
        affinities = head.affinities(queries.part(start, stop))
        allowed = mask.part(start, stop).allowed(stop - start)
        for place, sharpness in enumerate(SHARPNESS):
            part, _ = softmax(affinities, sharpness, allowed)
            answer[place][start:stop] = given(part, chosen[start:stop])
    return answer


def given(part: Affinities, chosen: Ints) -> Floats:
    """The value of one item in each row."""
    if not isinstance(part, sparse.csr_array):
        return np.asarray(part[np.arange(len(chosen)), chosen], dtype=np.float64)
    rows = _rows(part)
    hit = part.indices == chosen[rows]
    return np.bincount(rows[hit], part.data[hit], len(chosen)).astype(np.float64)


def _rows(matrix: sparse.csr_array) -> Ints:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
