"""The likeliest items for one customer, without going through the whole catalogue.

The mixture is a weighted sum, so an item in no head's first ``reach`` has at most the sum of what each head
gives to the next one: the list is drawn from the union of these, and each of its items gets its exact
probability (Fagin's threshold, 2003). A hundred items of each head nearly always are enough by that bound;
where they are not, four times as many are looked at. Heads of neighbours name few items anyway; popularity
is ordered once; a head that is an inner product is searched by :mod:`~shopkeeper.recommend.clusters` where
the catalogue is large.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.clusters import Clusters
from shopkeeper.recommend.heads.base import FittedHead, FittedLinear, Queries, Tower
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.heads.repeat import FittedRepeat
from shopkeeper.recommend.history import Floats, Ints
from shopkeeper.recommend.mixture import Mask, Mixture

_FAINT: Final = 1e-12
_NEAR: Final = 100
_REACH: Final = 400
"""Items that each head may name: at first, and at least where those might leave a likelier one out."""

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

    @property
    def concentration(self) -> float:
        """The sum of squared probabilities."""
        ...

    def first(self, reach: int) -> tuple[Ints, float]:
        """About ``reach`` of its likeliest items, and the most that any other has."""
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

    @property
    def concentration(self) -> float:
        return float(self.mass @ self.mass)

    def first(self, reach: int) -> tuple[Ints, float]:
        if len(self.items) <= reach:
            return self.items, 0.0
        order = np.argpartition(-self.mass, reach)
        return self.items[order[:reach]], float(self.mass[order[reach]])

    def at(self, items: Ints) -> Floats:
        return self.places.found(self.items, self.mass, items)


@dataclass(frozen=True)
class _All:
    """Of a head that has a probability for each item."""

    mass: Floats

    @property
    def concentration(self) -> float:
        return float(self.mass @ self.mass)

    def first(self, reach: int) -> tuple[Ints, float]:
        if len(self.mass) <= reach:
            return np.arange(len(self.mass)), 0.0
        order = np.argpartition(-self.mass, reach)
        return order[:reach], float(self.mass[order[reach]])

    def at(self, items: Ints) -> Floats:
        return self.mass[items]


@dataclass(frozen=True)
class _Ordered:
    """Of popularity: its order is known."""

    weights: Numbers
    total: float
    order: Ints
    allowed: Bools
    concentration: float

    def first(self, reach: int) -> tuple[Ints, float]:
        # A narrow mask leaves few of the first ones: look further, each time eight times as far.
        found, start, width = np.zeros(0, np.int64), 0, 2 * reach
        while len(found) < reach and start < len(self.order):
            part = self.order[start : start + width]
            found = np.concatenate([found, part[self.allowed[part]]])
            start, width = start + width, 8 * width
        found = found[:reach]
        rest = len(found) == reach and start > 0
        return found, float(self.weights[found[-1]]) / self.total if rest else 0.0

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
        self._towers = {n: head for n, head in mixture.heads.items() if isinstance(head, Tower)}
        self._local = threading.local()
        self._order: dict[str, Ints] = {}
        self._offered: _Offered | None = None

    def __call__(self, query: Queries, mask: Mask, most: int) -> Shortlist:
        """The ``most`` likeliest items that may be shown to the one customer asked about."""
        mine = np.zeros(0, np.int64) if mask.excluded is None else mask.excluded.indices
        return self.among(query, mask.offered, mine, most)

    def among(self, query: Queries, offered: Bools, mine: Ints, most: int) -> Shortlist:
        """The same, where ``mine`` are the items that are not to be shown to this customer alone."""
        allowed, barred = _allowed(offered, mine)
        said: list[tuple[int, _Part]] = []
        concentration = np.full(len(self.mixture.heads), np.nan)
        for place, name, head in self.mixture.counting:
            part = self._part((name, head), query, (offered, allowed, barred))
            if part is not None:
                said.append((place, part))
                concentration[place] = max(part.concentration, _FAINT)
        weights = self.mixture.weights_for(query, concentration[None])[0]
        parts = [(place, float(weights[place]), part) for place, part in said if weights[place] > 0]
        furthest = max(_REACH, 2 * most)
        reach = min(furthest, max(_NEAR, 4 * most))
        while True:
            items, total, by_head, bound = self._within(reach, parts, allowed)
            best = _first(total, items, most)
            if reach == furthest or (len(best) == most and total[best[-1]] > bound):
                break
            reach = furthest
        items, total = items[best], total[best]
        shares = np.zeros((len(weights), len(best)))
        shares[[place for place, _, _ in parts]] = by_head[:, best] / np.maximum(total, 1e-30)
        claimed = sum(weight for _, weight, _ in parts)
        return Shortlist(items, total / max(claimed, 1e-12), shares)

    def _within(
        self, reach: int, parts: Sequence[tuple[int, float, _Part]], allowed: Bools
    ) -> tuple[Ints, Floats, Floats, float]:
        """What some head names: items, their sums, these by part, and the most that any other item has."""
        firsts = [part.first(reach) for _, _, part in parts]
        items = self._union(named for named, _ in firsts)
        items = items[allowed[items]]
        by_head = np.zeros((len(parts), len(items)))
        for row, (_, weight, part) in enumerate(parts):
            np.multiply(part.at(items), weight, out=by_head[row])
        pairs = zip(parts, firsts, strict=True)
        bound = sum(weight * rest for (_, weight, _), (_, rest) in pairs)
        return items, by_head.sum(axis=0), by_head, bound

    def _part(
        self, named: tuple[str, FittedHead], query: Queries, masks: tuple[Bools, Bools, Ints]
    ) -> _Part | None:
        """What one head says; None: nothing."""
        name, head = named
        offered, allowed, barred = masks
        sharpness = self.mixture.sharpness[name]
        if isinstance(head, FittedPopular) and sharpness == 1.0:
            mine = head.weights[barred].astype(np.float64)
            total, squares = self._of_offered(offered).sums(name, head)
            total, squares = total - float(mine.sum()), squares - float(mine @ mine)
            if total <= _FAINT:
                return None
            order = self._ordered(name, head)
            return _Ordered(head.weights, total, order, allowed, squares / total**2)
        if name in self._towers:
            return self._tower((name, self._towers[name]), query, masks)
        if isinstance(head, FittedLinear | FittedRepeat):
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
        self._sums: dict[str, tuple[float, float]] = {}
        self._counts: dict[str, Ints] = {}

    def sums(self, name: str, head: FittedPopular) -> tuple[float, float]:
        """Of popularity, and of its square."""
        if name not in self._sums:
            shown = head.weights[self.offered].astype(np.float64)
            self._sums[name] = float(shown.sum()), float(shown @ shown)
        return self._sums[name]

    def counts(self, name: str, clusters: Clusters) -> Ints:
        if name not in self._counts:
            self._counts[name] = clusters.counted(self.offered)
        return self._counts[name]


def _allowed(offered: Bools, mine: Ints) -> tuple[Bools, Ints]:
    """What may be shown to the one customer, and what is offered but not to them."""
    if not len(mine):
        return offered, np.zeros(0, np.int64)
    barred = mine[offered[mine]]
    allowed = offered.copy()
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
