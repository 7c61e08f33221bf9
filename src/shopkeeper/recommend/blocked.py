"""The likeliest items of many customers at once: exact, over the whole catalogue, block by block.

One block of customers shares each pass over memory: a head that is an inner product is one matrix product,
heads of neighbours are sparse products, popularity is a row that is added. The first ``k`` are then looked
for among the ``k`` stretches of the catalogue with the greatest maxima, which hold them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shopkeeper.recommend.cases import owned
from shopkeeper.recommend.heads.base import FittedHead, Matrix, Queries, Tower
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.history import Ints
from shopkeeper.recommend.mixture import Mixture

_CELLS: Final = 3_000_000
"""Customers x items held at once by one thread: 12 MB for each of two arrays."""
_STRETCH: Final = 128

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Lists:
    """One row per customer, best first; a probability of zero ends a list."""

    item: Ints
    probability: Matrix


@dataclass(frozen=True)
class Blocked:
    """A mixture ready for blocks; ``offered`` may be shown, and of what is owned only ``again``."""

    mixture: Mixture
    offered: Bools
    again: Bools

    def lists(self, queries: Queries, k: int) -> Iterator[tuple[slice, Lists]]:
        """The lists of all queries in order, computed on every core."""
        size = max(1, min(1024, _CELLS // max(len(self.offered), 1)))
        spans = [
            slice(start, min(start + size, len(queries))) for start in range(0, len(queries), size)
        ]
        with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            found = threads.map(lambda s: self._block(queries.part(s.start, s.stop), k), spans)
            yield from zip(spans, found, strict=True)

    def _block(self, queries: Queries, k: int) -> Lists:
        weights = self.mixture.weights_for(queries).astype(np.float32)
        barred = owned(queries, self.again)
        cells = np.repeat(np.arange(len(queries)), np.diff(barred.indptr)), barred.indices
        allowed = np.tile(self.offered, (len(queries), 1))
        allowed[cells] = False
        total = np.zeros((len(queries), len(self.offered)), np.float32)
        claimed = np.zeros(len(queries), np.float32)
        for place, (name, head) in enumerate(self.mixture.heads.items()):
            weight = weights[:, place]
            if weight.any():
                claimed += self._add(total, (name, head), queries, (weight, cells, allowed))
        total[cells] = 0.0
        total /= np.maximum(claimed, 1e-12)[:, None]
        return first(total, k)

    def _add(
        self,
        total: Matrix,
        named: tuple[str, FittedHead],
        queries: Queries,
        of: tuple[Matrix, tuple[Ints, Ints], Bools],
    ) -> Matrix:
        """Add a head's distribution; the weight that it takes, none where it has nothing to say."""
        name, head = named
        weight, cells, allowed = of
        sharpness = self.mixture.sharpness[name]
        if isinstance(head, FittedPopular) and sharpness == 1.0:
            shown = np.where(self.offered, head.weights, np.float32(0.0))
            gone = np.zeros(len(queries), np.float32)
            np.add.at(gone, cells[0], shown[cells[1]])
            mass = shown.sum() - gone
            says = mass > 1e-12
            total += (weight * says / np.maximum(mass, 1e-12))[:, None] * shown
            return np.asarray(weight * says)
        if isinstance(head, Tower):
            state, says = head.state(queries)
            dense = (state * np.float32(sharpness)) @ head.table.T
            dense -= dense.max(axis=1, keepdims=True)
            np.exp(dense, out=dense)
        else:
            found = head.affinities(queries)
            if isinstance(found, sparse.csr_array):
                return _add_sparse(total, found, sharpness, weight, allowed)
            dense = found / np.maximum(found.max(axis=1, keepdims=True), 1e-30)
            dense **= np.float32(sharpness)
            says = np.ones(len(queries), dtype=bool)
        if not self.offered.all():
            dense *= self.offered
        dense[cells] = 0.0
        mass = dense.sum(axis=1)
        says = says & (mass > 0)
        dense *= (weight * says / np.maximum(mass, 1e-30))[:, None]
        total += dense
        return np.asarray(weight * says)


def _add_sparse(
    total: Matrix, found: sparse.csr_array, sharpness: float, weight: Matrix, allowed: Bools
) -> Matrix:
    """The same for a head that says nothing about most items."""
    count, size = found.shape
    row = np.repeat(np.arange(count), np.diff(found.indptr))
    flat = row * size + found.indices
    data = found.data * allowed.reshape(-1)[flat]
    some = np.flatnonzero(np.diff(found.indptr))
    greatest = np.zeros(count, np.float32)
    if len(some):
        greatest[some] = np.maximum.reduceat(data, found.indptr[some])
    says = greatest > 0
    data /= np.maximum(greatest, 1e-30)[row]
    if sharpness != 1.0:
        np.power(data, np.float32(sharpness), out=data)
    mass = np.bincount(row, data, count)
    data *= (weight * says / np.maximum(mass, 1e-30))[row].astype(np.float32)
    total.reshape(-1)[flat] += data
    return np.asarray(weight * says)


def first(total: Matrix, k: int) -> Lists:
    """The ``k`` greatest of each row, best first; equal ones by item."""
    rows, size = total.shape
    k = min(k, size)
    stretches = -(-size // _STRETCH)
    if stretches <= k:
        items = np.broadcast_to(np.arange(size), total.shape)
        value = total
    else:
        whole = size // _STRETCH * _STRETCH
        top = total[:, :whole].reshape(rows, -1, _STRETCH).max(axis=2)
        if whole < size:
            top = np.column_stack([top, total[:, whole:].max(axis=1)])
        near = np.sort(np.argpartition(-top, k - 1, axis=1)[:, :k], axis=1)
        items = (near[:, :, None] * _STRETCH + np.arange(_STRETCH)).reshape(rows, -1)
        value = np.take_along_axis(total, np.minimum(items, size - 1), axis=1)
        value[items >= size] = -1.0
    place = np.argpartition(-value, k - 1, axis=1)[:, :k] if k < value.shape[1] else None
    if place is not None:
        place.sort(axis=1)
        items = np.take_along_axis(items, place, axis=1)
        value = np.take_along_axis(value, place, axis=1)
    order = np.argsort(-value, axis=1, kind="stable")
    return Lists(
        np.take_along_axis(items, order, axis=1).astype(np.int64),
        np.take_along_axis(value, order, axis=1),
    )
