"""P(item | customer, now): heads that are each a softmax over the catalogue, mixed.

Head h says ``P_h(i) = a_h(i) ** sharpness_h / sum_j a_h(j) ** sharpness_h`` over the items that may be
shown, which is the softmax of ``sharpness x log a``. The mixture is ``sum_h w_h P_h``, where the weights
depend on how long the history is. Both are fitted by likelihood on choices that no head has seen:
sharpness by a grid, head by head beside all others; weights by expectation-maximisation (Dempster, Laird and
Rubin, 1977), with a term for heads that are silent (see :func:`weigh`).
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
_STEPS_TRIED: Final = 20
_SWEEPS: Final = 4
_LEAST: Final = 1e-12
_PLAIN: Final = SHARPNESS.index(1.0)
_FLOOR: Final = 1e-3
"""The first head's least weight: somebody for whom no other head has anything still gets a list."""
_FLOORS: Final = {"text": 0.01}
"""It alone knows new items, and nearly all choices that weights are fitted on are of items all heads know."""
_UNHEARD: Final = 20.0
"""Choices in which all heads were right alike, added to the real ones: a head that had nothing to say to any
of them (nobody has searched yet) gets a fair share when it speaks."""
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
    seen = [of_chosen(heads[name], queries, chosen, mask, SHARPNESS) for name in names]
    known = seen[0][_PLAIN] > 0
    seen = [[column[known] for column in columns] for columns in seen]
    places, everybody = _sharpened(seen)
    table = np.stack([seen[h][place] for h, place in enumerate(places)], axis=1)
    bucket = np.searchsorted(np.array(BUCKETS), queries.lengths[known], side="right") - 1
    weights = np.stack([weigh(table[bucket == b], everybody, _FEW) for b in range(len(BUCKETS))])
    least = [_FLOOR, *(_FLOORS.get(name, 0.0) for name in names[1:])]
    weights = np.maximum(weights, least)
    sharpness = {name: SHARPNESS[place] for name, place in zip(names, places, strict=True)}
    return Mixture(dict(heads), sharpness, weights / weights.sum(axis=1, keepdims=True))


def _sharpened(seen: Sequence[Sequence[Floats]]) -> tuple[list[int], Floats]:
    """Each head's place in ``SHARPNESS``, the first's being 1, and everybody's weights.

    First each head beside the first one; then, head by head, beside all others, until none moves.
    """
    first = seen[0][_PLAIN]
    places = [_PLAIN]
    for columns in seen[1:]:
        found = [_likelihood(np.stack([first, p], 1)) for p in columns]
        places.append(_best(found, _PLAIN))
    table = np.stack([seen[h][place] for h, place in enumerate(places)], axis=1)
    even = np.full(len(seen), 1 / len(seen))
    weights = weigh(table, even, _UNHEARD)
    for _ in range(_SWEEPS):
        before = list(places)
        for h in range(1, len(seen)):
            found = []
            for column in seen[h]:
                table[:, h] = column
                found.append(_likelihood(table, weights, _STEPS_TRIED))
            places[h] = _best(found, places[h])
            table[:, h] = seen[h][places[h]]
            weights = weigh(table, even, _UNHEARD)
        if places == before:
            break
    return places, weights


def _best(found: Sequence[float], held: int) -> int:
    """The place of the greatest; the one that is held stays where none is greater."""
    place = int(np.argmax(found))
    return place if found[place] > found[held] + 1e-12 else held


def weigh(
    table: Floats, prior: Floats | None = None, strength: float = 0.0, steps: int = _STEPS
) -> Floats:
    """Weights of the columns under which the choices are likeliest.

    A head that has nothing to say leaves its share to the others, so choice n has the probability
    ``sum_h w_h p_nh / W_n``, where W_n is the weight of those that speak. Each step raises the likelihood:
    it maximises a bound of it, by expectation-maximisation in the first part and by the tangent of the
    logarithm in W_n (Hunter and Lange, 2004).

    Args:
        table: (choices x heads) the probability that each head gave to what was chosen; nan: it was silent.
        prior: weights to start from and to lean on; None: equal ones.
        strength: how many choices, in which all speak, they count as.
        steps: how many.
    """
    heads = table.shape[1]
    weights = np.full(heads, 1 / heads) if prior is None else prior
    if not len(table):
        return weights
    extra = 0.0 if prior is None else prior * strength
    speaks = (~np.isnan(table)).astype(np.float64)
    given = np.nan_to_num(table)
    for _ in range(steps):
        share = given * weights
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
        claimed = np.maximum(speaks @ weights, 1e-12)
        weights = (share.sum(axis=0) + extra) / np.maximum(
            speaks.T @ (1 / claimed) + strength, 1e-12
        )
        weights = weights / max(weights.sum(), 1e-300)
    return np.asarray(weights)


def likelihoods(table: Floats, weights: Floats) -> Floats:
    """The logarithm of each choice's probability under a mixture of the columns, as in :func:`weigh`."""
    claimed = (~np.isnan(table)) @ weights
    mixed = np.nan_to_num(table) @ weights / np.maximum(claimed, 1e-12)
    return np.asarray(np.log(np.maximum(mixed, _LEAST)))


def _likelihood(table: Floats, start: Floats | None = None, steps: int = _STEPS) -> float:
    return float(likelihoods(table, weigh(table, start, 0.0, steps)).mean())


def of_chosen(
    head: FittedHead, queries: Queries, chosen: Ints, mask: Mask, sharpnesses: Sequence[float]
) -> list[Floats]:
    """What the head gave to each choice, for every sharpness; nan where it has nothing to say."""
    answer = [np.zeros(len(queries)) for _ in sharpnesses]
    for start in range(0, len(queries), _CHUNK):
        stop = min(start + _CHUNK, len(queries))
        affinities = head.affinities(queries.part(start, stop))
        allowed = mask.part(start, stop).allowed(stop - start)
        for place, sharpness in enumerate(sharpnesses):
            part, says = softmax(affinities, sharpness, allowed)
            told = given(part, chosen[start:stop])
            answer[place][start:stop] = np.where(says, told, np.nan)
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
