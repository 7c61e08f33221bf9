"""Sums of values and of their products over units: what a comparison of variants needs, and they add.

A unit has up to four values, in this order: the numerator ``y``, the denominator ``x`` (of a ratio),
and the same two from before the experiment, ``a`` and ``b`` (for CUPED). A mean has no ``x`` and ``b``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

VALUES: Final = ("y", "x", "a", "b")
PRODUCTS: Final = ("yy", "yx", "ya", "yb", "xx", "xa", "xb", "aa", "ab", "bb")
"""The products in the order in which they are kept."""

_PLACES: Final = [(VALUES.index(pair[0]), VALUES.index(pair[1])) for pair in PRODUCTS]


@dataclass(frozen=True)
class Moments:
    """``n`` units, the totals of their values, and the totals of the values' products."""

    n: int = 0
    totals: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    products: tuple[float, ...] = (0.0,) * len(PRODUCTS)

    def __post_init__(self) -> None:
        if len(self.totals) != len(VALUES) or len(self.products) != len(PRODUCTS):
            raise ValueError("four totals and ten products are needed")

    def __add__(self, other: Moments) -> Moments:
        totals = tuple(a + b for a, b in zip(self.totals, other.totals, strict=True))
        products = tuple(a + b for a, b in zip(self.products, other.products, strict=True))
        return Moments(self.n + other.n, totals, products)  # type: ignore[arg-type]

    @classmethod
    def of(cls, values: Mapping[str, Floats]) -> Moments:
        """Of arrays by name, one value a unit; names that are missing count as 0."""
        n = len(values["y"])
        each = [np.asarray(values.get(name, np.zeros(n)), np.float64) for name in VALUES]
        totals = tuple(float(one.sum()) for one in each)
        products = tuple(float(each[i] @ each[j]) for i, j in _PLACES)
        return cls(n, totals, products)  # type: ignore[arg-type]

    def total(self, name: str) -> float:
        """The total of one of :data:`VALUES`."""
        return self.totals[VALUES.index(name)]

    def mean(self, name: str) -> float:
        """Its mean over the units; not a number without one."""
        return self.total(name) / self.n if self.n else math.nan

    def covariance(self) -> Floats:
        """The unbiased covariance matrix of the four values; not a number below two units."""
        if self.n < 2:
            return np.full((4, 4), np.nan)
        squares = np.zeros((4, 4))
        for (i, j), total in zip(_PLACES, self.products, strict=True):
            squares[i, j] = squares[j, i] = total
        totals = np.asarray(self.totals)
        return np.asarray((squares - np.outer(totals, totals) / self.n) / (self.n - 1))
