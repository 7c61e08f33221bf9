"""Sufficient statistics: frozen, and their sum is the statistic of the pooled data.

Whatever is computed per day, per segment or per worker is added with ``+``; an interval is made of
the total at the end. The empty one (no arguments) changes nothing when added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Proportion:
    """How many of ``n`` units have a property."""

    n: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.n:
            raise ValueError(f"{self.hits} of {self.n} is no proportion")

    def __add__(self, other: Proportion) -> Proportion:
        return Proportion(self.n + other.n, self.hits + other.hits)

    @property
    def value(self) -> float:
        """The share, from 0 to 1; not a number when there is no unit."""
        return self.hits / self.n if self.n else math.nan


@dataclass(frozen=True)
class Mean:
    """``n`` measured units, the total of their values and of the squares of their values."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Mean) -> Mean:
        return Mean(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def value(self) -> float:
        """The mean; not a number when there is no unit."""
        return self.total / self.n if self.n else math.nan

    @property
    def variance(self) -> float:
        """The unbiased variance of one unit's value; not a number below two units."""
        if self.n < 2:
            return math.nan
        return max(0.0, self.squares - self.total**2 / self.n) / (self.n - 1)

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return math.sqrt(self.variance / self.n) if self.n else math.nan


@dataclass(frozen=True)
class Ratio:
    """The quotient of two totals over ``n`` independent units (clusters, such as customers).

    ``y`` and ``x`` are the totals of numerator and denominator; ``yy``, ``xy`` and ``xx`` the totals
    of the units' products. The orders of one customer resemble each other: with customers as units,
    the error of "revenue per order" takes that into account.
    """

    n: int = 0
    y: float = 0.0
    x: float = 0.0
    yy: float = 0.0
    xy: float = 0.0
    xx: float = 0.0

    def __add__(self, other: Ratio) -> Ratio:
        return Ratio(
            self.n + other.n,
            self.y + other.y,
            self.x + other.x,
            self.yy + other.yy,
            self.xy + other.xy,
            self.xx + other.xx,
        )

    @property
    def value(self) -> float:
        """The quotient ``y / x``; not a number when ``x`` is 0."""
        return self.y / self.x if self.x else math.nan

    @property
    def residual_squares(self) -> float:
        """Total of ``(y_i - value · x_i)²`` over the units."""
        r = self.value
        return max(0.0, self.yy - 2 * r * self.xy + r * r * self.xx)

    @property
    def error(self) -> float:
        """The standard error of the quotient by the delta method (linearisation).

        Source: Cochran, Sampling Techniques (3rd ed. 1977), section 6.3; for metrics whose unit of
        analysis is finer than the unit of randomness: Deng, Knoblich & Lu, "Applying the Delta
        Method in Metric Analytics", KDD 2018, equation 3.
        """
        if self.n < 2 or not self.x:
            return math.nan
        return math.sqrt(self.residual_squares * self.n / (self.n - 1)) / abs(self.x)


@dataclass(frozen=True)
class Products:
    """Totals of products of the same units' values in two samples: what correlates two ratios.

    ``y1x2`` is the total of (numerator in sample 1 × denominator in sample 2), and so on; a unit
    that is in one sample only adds nothing.
    """

    y1y2: float = 0.0
    y1x2: float = 0.0
    x1y2: float = 0.0
    x1x2: float = 0.0

    def __add__(self, other: Products) -> Products:
        return Products(
            self.y1y2 + other.y1y2,
            self.y1x2 + other.y1x2,
            self.x1y2 + other.x1y2,
            self.x1x2 + other.x1x2,
        )

    def correlation(self, first: Ratio, second: Ratio) -> float:
        """The correlation of the two quotients, from -1 to 1; 0 where it cannot be told."""
        scale = math.sqrt(first.residual_squares * second.residual_squares)
        if not first.x or not second.x or scale == 0.0:
            return 0.0
        r1, r2 = first.value, second.value
        shared = self.y1y2 - r2 * self.y1x2 - r1 * self.x1y2 + r1 * r2 * self.x1x2
        return min(1.0, max(-1.0, shared / scale))
