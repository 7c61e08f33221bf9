"""Intervals of proportions, means, ratios and their differences, or why there can be none."""

from __future__ import annotations

import math
from statistics import NormalDist

from scipy.special import stdtrit

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats.summary import Mean, Proportion, Ratio

LEVEL = 0.95
MINIMUM_UNITS = 20
"""Below this many units a t interval of a skewed quantity, such as money, promises too much."""


def proportion(sample: Proportion, level: float = LEVEL) -> Estimate | CannotSay:
    """The share with Wilson's score interval, which also holds for few units and shares near 0 or 1.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927); recommended by Brown, Cai & DasGupta, Statistical Science 16 (2001).
    """
    if sample.n == 0:
        return CannotSay(
            reason="There is no unit to take a share of.",
            needed="at least 1",
            code="nothing_to_divide_by",
        )
    z = NormalDist().inv_cdf((1 + level) / 2)
    n, share = sample.n, sample.value
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if sample.hits == 0 else max(0.0, centre - half)
    high = 1.0 if sample.hits == n else min(1.0, centre + half)
    return Estimate(value=share, low=low, high=high, n=n, level=level)


def mean(sample: Mean, level: float = LEVEL, minimum: int = MINIMUM_UNITS) -> Estimate | CannotSay:
    """The mean with Student's t interval; says why not below ``minimum`` units."""
    if sample.n < max(2, minimum):
        return _too_few(sample.n, sample.value, minimum)
    return _around(sample.value, sample.error, sample.n, level)


def ratio(
    sample: Ratio, level: float = LEVEL, minimum: int = MINIMUM_UNITS
) -> Estimate | CannotSay:
    """The quotient of two totals with a delta-method interval over the units (see :class:`Ratio`).

    Says why not when the denominator is 0 or there are fewer than ``minimum`` units.
    """
    if not sample.x:
        return CannotSay(
            reason="The denominator is 0.",
            needed="at least one to divide by",
            code="nothing_to_divide_by",
        )
    if sample.n < max(2, minimum):
        return _too_few(sample.n, sample.value, minimum)
    return _around(sample.value, sample.error, sample.n, level)


def difference(first: Estimate, second: Estimate, correlation: float = 0.0) -> Estimate:
    """``first`` - ``second`` with an interval recovered from their own two intervals.

    ``correlation`` is that of the two estimates (see ``Products.correlation``): customers who are in
    both samples make the difference surer than two separate samples would. With symmetric intervals
    this is the usual delta-method interval; with Wilson's and no correlation it is Newcombe's.

    Source: Zou & Donner, Statistics in Medicine 27 (2008), equation 3 (MOVER); Newcombe, Statistics
    in Medicine 17 (1998), method 10.
    """
    if first.level != second.level:
        raise ValueError("the two intervals have different levels")
    gap = first.value - second.value
    down = _spread(first.value - first.low, second.high - second.value, correlation)
    up = _spread(first.high - first.value, second.value - second.low, correlation)
    n = min(first.n, second.n)
    return Estimate(value=gap, low=gap - down, high=gap + up, n=n, level=first.level)


def _spread(a: float, b: float, correlation: float) -> float:
    return math.sqrt(max(0.0, a * a + b * b - 2 * correlation * a * b))


def _around(value: float, error: float, n: int, level: float) -> Estimate:
    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return Estimate(value=value, low=value - half, high=value + half, n=n, level=level)


def _too_few(n: int, value: float, minimum: int) -> CannotSay:
    seen = f" The {n} there are give {value:.4g}." if n else ""
    return CannotSay(
        reason=f"Too few units for an interval.{seen}",
        needed=f"at least {max(2, minimum)}",
        code="few_units",
        values={"count": n, "least": max(2, minimum)},
    )
