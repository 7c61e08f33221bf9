"""The likeliest items of many customers at once: exact, over the whole catalogue, block by block.

One block of customers shares each pass over memory: a head that is an inner product is one matrix product,
heads of neighbours are sparse products, popularity is a row that is added. The first ``k`` are then looked
for among the ``k`` stretches of the catalogue with the greatest maxima, which hold them.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.recommend.cases import owned
from shopkeeper.recommend.heads.base import FittedHead, Matrix, Queries, Tower
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.history import Ints
from shopkeeper.recommend.mixture import Mixture

_CELLS: Final = 1_000_000
"""Customers x items held at once by one thread: 4 MB for each of two arrays."""
_STRETCH: Final = 128
_SAFE: Final = 35.0
"""Exponents of twice this and of its negative, summed, are far from the ends of single precision."""
_FAINT: Final = 1e-12

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

    @cached_property
    def _longest(self) -> dict[str, float]:
        """The length of the longest row of each head that is an inner product."""
        tables = {n: h.table for n, h in self.mixture.heads.items() if isinstance(h, Tower)}
        lengths = {n: np.einsum("ij,ij->i", table, table) for n, table in tables.items()}
        return {n: float(np.sqrt(one.max(initial=0.0))) for n, one in lengths.items()}

    def lists(self, queries: Queries, k: int) -> Iterator[tuple[slice, Lists]]:
        """The lists of all queries in order, computed on every core."""
        size = max(1, min(1024, _CELLS // max(len(self.offered), 1)))
        spans = [
            slice(start, min(start + size, len(queries))) for start in range(0, len(queries), size)
        ]
        # A block for each core: a product that spread over all of them would make the blocks wait.
        with (
            threadpool_limits(limits=1, user_api="blas"),
            ThreadPoolExecutor(os.cpu_count() or 1) as threads,
        ):
            found = threads.map(lambda s: self._block(queries.part(s.start, s.stop), k), spans)
            yield from zip(spans, found, strict=True)

    def _block(self, queries: Queries, k: int) -> Lists:
        barred = owned(queries, self.again)
        cells = np.repeat(np.arange(len(queries)), np.diff(barred.indptr)), barred.indices
        allowed = np.tile(self.offered, (len(queries), 1))
        allowed[cells] = False
        concentration = np.full((len(queries), len(self.mixture.heads)), np.nan)
        parts: list[tuple[int, _Part]] = []
        for place, name, head in self.mixture.counting:
            part = self._part((name, head), queries, (cells, allowed))
            parts.append((place, part))
            concentration[:, place] = part.concentration
        weights = self.mixture.weights_for(queries, concentration).astype(np.float32)
        total = np.zeros((len(queries), len(self.offered)), np.float32)
        for place, part in parts:
            part.add(total, weights[:, place])
        total[cells] = 0.0
        if not self.offered.all():
            total *= self.offered
        found = first(total, k)
        chance = found.probability / np.maximum(weights.sum(axis=1), 1e-12)[:, None]
        return Lists(found.item, chance.astype(np.float32))

    def _part(
        self,
        named: tuple[str, FittedHead],
        queries: Queries,
        of: tuple[tuple[Ints, Ints], Bools],
    ) -> _Part:
        """What a head says of a block."""
        name, head = named
        cells, allowed = of
        sharpness = self.mixture.sharpness[name]
        if isinstance(head, FittedPopular) and sharpness == 1.0:
            shown = np.where(self.offered, head.weights, np.float32(0.0))
            return _Same(shown, *self._sums(shown, shown[cells[1]], cells[0], len(queries)))
        if isinstance(head, Tower):
            state, says = head.state(queries)
            dense = _exponents(state * np.float32(sharpness), head.table, self._longest[name])
            dense[~says] = 0.0
        else:
            found = head.affinities(queries)
            if isinstance(found, sparse.csr_array):
                return _few(found, sharpness, allowed)
            dense = found / np.maximum(found.max(axis=1, keepdims=True), 1e-30)
            dense **= np.float32(sharpness)
        # Where nothing may be shown is left as it is: the whole is cleared there once, at the end.
        barred = dense[cells] * self.offered[cells[1]]
        return _Whole(dense, *self._sums(dense, barred, cells[0], len(queries)))

    def _sums(self, values: Matrix, barred: Matrix, row: Ints, count: int) -> tuple[Matrix, Matrix]:
        """By query, of what may be shown: the sum, and the sum of squares."""
        shown = self.offered.astype(np.float32)
        mass = values @ shown - np.bincount(row, barred, count)
        return mass, np.square(values) @ shown - np.bincount(row, barred**2, count)


@dataclass(frozen=True)
class _Part(ABC):
    """What a head says of a block, in proportion: ``mass`` and ``squares`` are its sums by query."""

    values: Matrix
    mass: Matrix
    squares: Matrix

    @property
    def concentration(self) -> Matrix:
        """The sum of squared probabilities; nan where it has nothing to say."""
        says = (self.mass > _FAINT) & (self.squares > 0)
        return np.where(says, self.squares / np.maximum(self.mass, _FAINT) ** 2, np.nan)

    def add(self, total: Matrix, weight: Matrix) -> None:
        """Add it to (queries x items), by these weights."""
        self._add(total, (weight / np.maximum(self.mass, _FAINT)).astype(np.float32))

    @abstractmethod
    def _add(self, total: Matrix, scale: Matrix) -> None: ...


class _Same(_Part):
    """Of a head that says the same to everybody."""

    def _add(self, total: Matrix, scale: Matrix) -> None:
        total += scale[:, None] * self.values


class _Whole(_Part):
    """Of a head that says something about every item."""

    def _add(self, total: Matrix, scale: Matrix) -> None:
        total += np.multiply(self.values, scale[:, None], out=self.values)


@dataclass(frozen=True)
class _Few(_Part):
    """Of a head that says nothing about most items: ``flat`` is where its values are in the block."""

    flat: Ints
    lengths: Ints

    def _add(self, total: Matrix, scale: Matrix) -> None:
        total.reshape(-1)[self.flat] += self.values * np.repeat(scale, self.lengths)


def _exponents(asked: Matrix, table: Matrix, longest: float) -> Matrix:
    """(queries x items) what the softmax of ``asked @ table.T`` is in proportion to.

    No inner product is larger than both lengths multiplied (Cauchy and Schwarz; ``longest`` is that of the
    longest row): where that is small the greatest need not be taken off, which saves two passes.
    """
    dense = asked @ table.T
    if longest * float(np.sqrt((asked**2).sum(axis=1)).max(initial=0.0)) > _SAFE:
        dense -= dense.max(axis=1, keepdims=True)
    np.exp(dense, out=dense)
    return dense


def _few(found: sparse.csr_array, sharpness: float, allowed: Bools) -> _Few:
    count, size = found.shape
    lengths = np.diff(found.indptr)
    some = np.flatnonzero(lengths)
    flat = np.repeat(np.arange(count) * size, lengths) + found.indices
    data = found.data * allowed.reshape(-1).take(flat)
    greatest, mass, squares = (np.zeros(count, np.float32) for _ in range(3))
    if len(some):
        greatest[some] = np.maximum.reduceat(data, found.indptr[some])
    data /= np.repeat(np.maximum(greatest, 1e-30), lengths)
    if sharpness != 1.0:
        np.power(data, np.float32(sharpness), out=data)
    if len(some):
        mass[some] = np.add.reduceat(data, found.indptr[some], dtype=np.float64)
        squares[some] = np.add.reduceat(data**2, found.indptr[some], dtype=np.float64)
    return _Few(data, mass, squares, flat, lengths)


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
