"""The likeliest items for one customer, without going through the whole catalogue.

The mixture is a weighted sum, so an item in no head's first ``reach`` has at most the sum of what each head
gives to its last one: the list is drawn from the union of these, and each of its items gets its exact
probability (Fagin's observation, 2003). Heads of neighbours name few items anyway; popularity is ordered
once; a head that is an inner product is searched by :mod:`~shopkeeper.recommend.clusters` where the
catalogue is large.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.clusters import Clusters
from shopkeeper.recommend.heads.base import FittedHead, FittedLinear, Queries, Tower
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import Mask, Mixture

_REACH: Final = 400
"""Items that each head may name, at least."""

Bools = NDArray[np.bool_]
Numbers = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Shortlist:
    """Items, best first; ``shares`` (heads x items) is how much of each comes from each head."""

    item: Ints
    probability: Floats
    shares: Floats


class _Part(Protocol):
    """One head's distribution over what may be shown."""

    def first(self, reach: int) -> Ints:
        """About ``reach`` of its likeliest items."""
        ...

    def at(self, items: Ints) -> Floats:
        """The probability of each of these."""
        ...


@dataclass(frozen=True)
class _Few:
    """Of a head that says nothing about most items."""

    items: Ints
    mass: Floats
    places: Places

    def first(self, reach: int) -> Ints:
        if len(self.items) <= reach:
            return self.items
        return self.items[np.argpartition(-self.mass, reach)[:reach]]

    def at(self, items: Ints) -> Floats:
        return self.places.found(self.items, self.mass, items)


@dataclass(frozen=True)
class _All:
    """Of a head that has a probability for each item."""

    mass: Floats

    def first(self, reach: int) -> Ints:
        if len(self.mass) <= reach:
            return np.arange(len(self.mass))
        return np.argpartition(-self.mass, reach)[:reach]

    def at(self, items: Ints) -> Floats:
        return self.mass[items]


@dataclass(frozen=True)
class _Ordered:
    """Of popularity: its order is known."""

    weights: Numbers
    total: float
    order: Ints
    allowed: Bools

    def first(self, reach: int) -> Ints:
        # A narrow mask leaves few of the first ones: look further, each time eight times as far.
        found, start, width = np.zeros(0, np.int64), 0, 2 * reach
        while len(found) < reach and start < len(self.order):
            part = self.order[start : start + width]
            found = np.concatenate([found, part[self.allowed[part]]])
            start, width = start + width, 8 * width
        return found[:reach]

    def at(self, items: Ints) -> Floats:
        return np.asarray(self.weights[items] / self.total, dtype=np.float64)


class Places:
    """Where items stand in a list, without clearing memory between lists; one for each thread.

    What ``_slot`` holds for an item counts only if the list has this item there (Briggs and Torczon, 1993).
    """

    def __init__(self, size: int) -> None:
        self._slot = np.zeros(max(size, 1), np.int32)

    def summed(self, items: Ints, values: Numbers) -> tuple[Ints, Floats]:
        """Each item once, and the sum of its values."""
        number = np.arange(len(items), dtype=np.int32)
        self._slot[items] = number
        kept = self._slot[items]
        first = kept == number
        count = int(np.count_nonzero(first))
        sums = np.bincount((np.cumsum(first) - 1)[kept], values, count)
        return items[first], sums.astype(np.float64)

    def found(self, items: Ints, values: Floats, asked: Ints) -> Floats:
        """The value of each item asked for; 0 for one that is not among ``items``."""
        if not len(items):
            return np.zeros(len(asked))
        self._slot[items] = np.arange(len(items), dtype=np.int32)
        slot = np.minimum(self._slot[asked], len(items) - 1)
        return np.where(items[slot] == asked, values[slot], 0.0)


class Shortlister:
    """A mixture made ready for single requests; safe to share between threads."""

    def __init__(self, mixture: Mixture, clusters: Mapping[str, Clusters] | None = None) -> None:
        self.mixture = mixture
        self._clusters = clusters or {}
        self._local = threading.local()
        self._order: dict[str, Ints] = {}
        self._offered: _Offered | None = None

    def __call__(self, query: Queries, mask: Mask, most: int) -> Shortlist:
        """The ``most`` likeliest items that may be shown to the one customer asked about."""
        allowed, barred = _allowed(mask)
        weights = self.mixture.weights_for(query)[0]
        parts: list[tuple[int, float, _Part]] = []
        for place, (name, head) in enumerate(self.mixture.heads.items()):
            if weights[place] > 0:
                part = self._part((name, head), query, (mask.offered, allowed, barred))
                if part is not None:
                    parts.append((place, float(weights[place]), part))
        reach = max(_REACH, 2 * most)
        items = self._union(part.first(reach) for _, _, part in parts)
        items = items[allowed[items]]
        by_head = np.zeros((len(weights), len(items)))
        for place, weight, part in parts:
            by_head[place] = weight * part.at(items)
        total = by_head.sum(axis=0)
        best = _first(total, items, most)
        items, total, by_head = items[best], total[best], by_head[:, best]
        claimed = sum(weight for _, weight, _ in parts)
        return Shortlist(items, total / max(claimed, 1e-12), by_head / np.maximum(total, 1e-30))

    def _part(
        self, named: tuple[str, FittedHead], query: Queries, masks: tuple[Bools, Bools, Ints]
    ) -> _Part | None:
        """What one head says; None: nothing."""
        name, head = named
        offered, allowed, barred = masks
        sharpness = self.mixture.sharpness[name]
        if isinstance(head, FittedPopular) and sharpness == 1.0:
            total = self._mass(name, head, offered) - float(head.weights[barred].sum())
            ordered = _Ordered(head.weights, total, self._ordered(name, head), allowed)
            return ordered if total > 1e-12 else None
        if isinstance(head, Tower):
            return self._tower((name, head), query, masks)
        if isinstance(head, FittedLinear):
            _, items, terms = head.terms(query)
            items, values = self._places.summed(items, terms)
        else:
            found = head.affinities(query)
            if not isinstance(found, sparse.csr_array):
                mass = _sharpened(np.where(allowed, found[0], 0.0).astype(np.float64), sharpness)
                return None if mass is None else _All(mass)
            items, values = found.indices, found.data
        kept = allowed[items] & (values > 0)
        few = _sharpened(values[kept].astype(np.float64), sharpness)
        return None if few is None else _Few(items[kept], few, self._places)

    def _tower(
        self, named: tuple[str, Tower], query: Queries, masks: tuple[Bools, Bools, Ints]
    ) -> _Part | None:
        name, head = named
        offered, allowed, _ = masks
        state, says = head.state(query)
        if not says[0]:
            return None
        asked = (state[0] * self.mixture.sharpness[name]).astype(np.float32)
        if name in self._clusters:
            clusters = self._clusters[name]
            return clusters.search(asked, allowed, self._counted(name, clusters, offered))
        logits = head.table @ asked
        if not allowed.all():
            logits[~allowed] = -np.inf
        greatest = logits.max(initial=-np.inf)
        if not np.isfinite(greatest):
            return None
        logits -= greatest
        np.exp(logits, out=logits)
        return _All(logits / logits.sum())

    def _union(self, lists: Iterator[Ints]) -> Ints:
        every = np.concatenate([np.zeros(0, np.int64), *lists])
        return self._places.summed(every, np.ones(len(every)))[0]

    @property
    def _places(self) -> Places:
        if not hasattr(self._local, "places"):
            self._local.places = Places(self._size)
        places: Places = self._local.places
        return places

    @property
    def _size(self) -> int:
        return len(next(iter(self.mixture.heads.values())).weights)  # type: ignore[attr-defined]  # popularity comes first

    def _ordered(self, name: str, head: FittedPopular) -> Ints:
        if name not in self._order:
            self._order[name] = np.argsort(-head.weights, kind="stable")
        return self._order[name]

    def _mass(self, name: str, head: FittedPopular, offered: Bools) -> float:
        """Popularity of everything that is offered; worked out again when that is another mask."""
        return self._of_offered(offered).mass(name, head)

    def _counted(self, name: str, clusters: Clusters, offered: Bools) -> Ints:
        return self._of_offered(offered).counts(name, clusters)

    def _of_offered(self, offered: Bools) -> _Offered:
        known = self._offered
        if known is None or known.offered is not offered:
            known = self._offered = _Offered(offered)
        return known


class _Offered:
    """Sums over what is offered, kept for as long as the mask is the same one."""

    def __init__(self, offered: Bools) -> None:
        self.offered = offered
        self._mass: dict[str, float] = {}
        self._counts: dict[str, Ints] = {}

    def mass(self, name: str, head: FittedPopular) -> float:
        if name not in self._mass:
            self._mass[name] = float(head.weights[self.offered].sum(dtype=np.float64))
        return self._mass[name]

    def counts(self, name: str, clusters: Clusters) -> Ints:
        if name not in self._counts:
            self._counts[name] = clusters.counted(self.offered)
        return self._counts[name]


def _allowed(mask: Mask) -> tuple[Bools, Ints]:
    """What may be shown to the one customer, and what is offered but theirs already."""
    if mask.excluded is None or not mask.excluded.nnz:
        return mask.offered, np.zeros(0, np.int64)
    barred = mask.excluded.indices[mask.offered[mask.excluded.indices]]
    allowed = mask.offered.copy()
    allowed[barred] = False
    return allowed, barred


def _sharpened(values: Floats, sharpness: float) -> Floats | None:
    """The softmax of the logarithm; None where all is zero."""
    greatest = values.max(initial=0.0)
    if greatest <= 0:
        return None
    values = values / greatest
    if sharpness != 1.0:
        values **= sharpness
    return np.asarray(values / values.sum())


def _first(total: Floats, items: Ints, most: int) -> Ints:
    """The places of the ``most`` greatest that are not zero, best first; equal ones by item."""
    some = np.flatnonzero(total > 0)
    if len(some) > most:
        bound = np.partition(total[some], len(some) - most)[len(some) - most]
        some = some[total[some] >= bound]
    return some[np.lexsort((items[some], -total[some]))][:most]
