"""P(item | customer, now): heads that are each a softmax over the catalogue, mixed.

Head h says ``P_h(i) = a_h(i) ** sharpness_h / sum_j a_h(j) ** sharpness_h`` over the items that may be
shown, which is the softmax of ``sharpness x log a``. The mixture is ``sum_h w_h P_h``, where the weights
depend on how long the history is. Both are fitted by likelihood on choices that no head has seen:
sharpness by a grid, each head beside the first; weights by expectation-maximisation (Dempster, Laird and
Rubin, 1977), whose every step raises the likelihood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

    def apply(self, dense: Probabilities) -> None:
        """Set what may not be shown to zero, in place."""
        dense[:, ~self.offered] = 0.0
        if self.excluded is not None:
            rows = np.repeat(np.arange(len(dense)), np.diff(self.excluded.indptr))
            dense[rows, self.excluded.indices] = 0.0


@dataclass(frozen=True)
class Mixture:
    """``weights`` (buckets x heads) sum to one by row; the first head must cover every item."""

    heads: Mapping[str, FittedHead]
    sharpness: Mapping[str, float]
    weights: Floats
    buckets: tuple[int, ...] = BUCKETS

    def probabilities(self, queries: Queries, mask: Mask) -> Probabilities:
        """(queries x items): rows sum to one over what may be shown; to zero where nothing may be."""
        weights = self.weights[self._bucket(queries)]
        total: Probabilities | None = None
        claimed = np.zeros(len(queries), np.float32)
        for place, (name, head) in enumerate(self.heads.items()):
            if not weights[:, place].any():
                continue
            part, some = softmax(head.affinities(queries), self.sharpness[name], mask)
            share = (weights[:, place] * some).astype(np.float32)
            part *= share[:, None]
            claimed += share
            total = part if total is None else np.add(total, part, out=total)
        if total is None:
            raise ValueError("a mixture needs a head")
        # A head that has nothing to say to somebody leaves its share to those that have.
        return np.asarray(total / np.maximum(claimed, 1e-12)[:, None], dtype=np.float32)

    def chunks(self, queries: Queries, mask: Mask) -> Iterator[tuple[slice, Probabilities]]:
        """The probabilities of many queries, a bounded number at a time."""
        for start in range(0, len(queries), _CHUNK):
            stop = min(start + _CHUNK, len(queries))
            part = queries.part(start, stop)
            yield slice(start, stop), self.probabilities(part, mask.part(start, stop))

    def _bucket(self, queries: Queries) -> Ints:
        return np.searchsorted(np.array(self.buckets), queries.lengths, side="right") - 1


def softmax(
    affinities: Affinities, sharpness: float, mask: Mask
) -> tuple[Probabilities, NDArray[np.bool_]]:
    """The head's distribution over what may be shown, and which rows have one at all."""
    dense = (
        affinities.toarray()
        if isinstance(affinities, sparse.csr_array)
        else np.array(affinities, dtype=np.float32)
    )
    mask.apply(dense)
    np.maximum(dense, 0.0, out=dense)
    # By the largest first: a high power of a small number is nothing in single precision.
    dense /= np.maximum(dense.max(axis=1, keepdims=True), 1e-30)
    if sharpness != 1.0:
        np.power(dense, sharpness, out=dense)
    mass = dense.sum(axis=1, keepdims=True)
    dense /= np.maximum(mass, 1e-30)
    return dense, np.asarray(mass[:, 0] > 0)


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
        rows = np.arange(stop - start)
        for place, sharpness in enumerate(SHARPNESS):
            dense, _ = softmax(affinities, sharpness, mask.part(start, stop))
            answer[place][start:stop] = dense[rows, chosen[start:stop]]
    return answer
