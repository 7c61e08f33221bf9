"""Group-sequential boundaries: how large a z must be at each look so that all looks together err with alpha.

The standardised statistics of the looks are multivariate normal: with information fractions t_1 < ... < t_K
the score S_k = z_k sqrt(t_k) is a Brownian motion seen at t_k. The chance of crossing first at look k is
worked out exactly, by recursive numerical integration over the scores that have not crossed.
Source: Jennison and Turnbull, *Group Sequential Methods* (2000), chapters 7 and 19; spending functions of
Lan and DeMets, Biometrika 70 (1983). Nothing depends on how many looks were planned, only on what was spent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

Spending = Literal["obrien_fleming", "pocock"]
Floats = NDArray[np.float64]

FARTHEST: Final = 8.0
"""A boundary beyond so many standard errors spends less than 1e-15: it is not looked for."""

_LEAST_NODES = 96
_NODES_A_STEP = 7.0  # nodes per standard deviation of one look's increment
_MOST_NODES = 1600
_NEVER = 1e-14


def spent(spending: Spending, fraction: float, alpha: float) -> float:
    """How much of ``alpha`` may be spent when this fraction of the information is there.

    ``obrien_fleming`` spends little early, ``pocock`` about evenly (Lan and DeMets, 1983); each side has
    half of it.
    """
    t = min(1.0, max(0.0, fraction))
    if t == 0.0:
        return 0.0
    if spending == "obrien_fleming":
        return float(4 * ndtr(ndtri(alpha / 4) / math.sqrt(t)))
    return alpha * math.log1p((math.e - 1) * t)


@dataclass(frozen=True)
class _Inside:
    """The score's density where no look has crossed yet: at nodes, with their weights."""

    at: Floats
    mass: Floats
    """Density times weight: adds up to the chance of not having crossed."""
    time: float


def boundaries(
    fractions: Sequence[float], alpha: float = 0.05, spending: Spending = "obrien_fleming"
) -> tuple[float, ...]:
    """The two-sided critical |z| of each look at these information fractions, in (0, 1] and rising.

    A look past the planned information spends nothing beyond alpha: its fraction is to be given as 1.
    """
    return _boundaries(tuple(fractions), alpha, spending)


@lru_cache(maxsize=512)
def _boundaries(
    fractions: tuple[float, ...], alpha: float, spending: Spending
) -> tuple[float, ...]:
    _rising(fractions)
    found: list[float] = []
    inside: _Inside | None = None
    before = 0.0
    for t in fractions:
        now = spent(spending, t, alpha)
        bound = _critical(inside, t, max(now - before, 0.0))
        found.append(bound)
        inside = _onward(inside, t, bound, 0.0)
        before = now
    return tuple(found)


def _critical(inside: _Inside | None, t: float, wanted: float) -> float:
    """The |z| that is first crossed now with probability ``wanted``, both sides together."""

    def excess(bound: float) -> float:
        up, down = _outside(inside, t, bound, 0.0)
        return up + down - wanted

    if wanted < _NEVER or excess(FARTHEST) >= 0:
        return FARTHEST
    return float(brentq(excess, 0.0, FARTHEST, xtol=1e-10, rtol=1e-12))


@dataclass(frozen=True)
class Crossing:
    """The chance of crossing first at each look, above and below."""

    above: tuple[float, ...]
    below: tuple[float, ...]

    @property
    def total(self) -> float:
        """The chance of ever crossing: the error without an effect, the power with one."""
        return math.fsum(self.above) + math.fsum(self.below)

    def mean_of(self, values: Sequence[float]) -> float:
        """What is expected of a value known at each look, at the one that stops: the last where none does."""
        each = [up + down for up, down in zip(self.above, self.below, strict=True)]
        return (
            math.fsum(p * v for p, v in zip(each, values, strict=True))
            + (1 - math.fsum(each)) * values[-1]
        )


def crossing(fractions: Sequence[float], bounds: Sequence[float], drift: float = 0.0) -> Crossing:
    """The chance of crossing |z| bounds at these fractions; ``drift`` is the mean of z at fraction 1."""
    _rising(fractions)
    inside: _Inside | None = None
    above, below = [], []
    for t, bound in zip(fractions, bounds, strict=True):
        up, down = _outside(inside, t, bound, drift)
        above.append(up)
        below.append(down)
        inside = _onward(inside, t, bound, drift)
    return Crossing(tuple(above), tuple(below))


def drift_for(power: float, fractions: Sequence[float], bounds: Sequence[float]) -> float:
    """The drift with which the bounds are crossed with this probability."""
    return float(
        brentq(lambda d: crossing(fractions, bounds, d).total - power, 0.1, 20.0, xtol=1e-8)
    )


def _outside(inside: _Inside | None, t: float, bound: float, drift: float) -> tuple[float, float]:
    edge = bound * math.sqrt(t)
    start, mass, before = _from(inside)
    step = math.sqrt(t - before)
    middle = start + drift * (t - before)
    up = float(mass @ ndtr((middle - edge) / step))
    down = float(mass @ ndtr((-edge - middle) / step))
    return up, down


def _onward(inside: _Inside | None, t: float, bound: float, drift: float) -> _Inside:
    start, mass, before = _from(inside)
    step = math.sqrt(t - before)
    edge = min(bound, FARTHEST) * math.sqrt(t)
    low, high = -edge, edge
    # Where scores hardly ever get is left out: with a drift that is most of a wide region.
    low = max(low, float(start.min()) + drift * (t - before) - FARTHEST * step)
    high = min(high, float(start.max()) + drift * (t - before) + FARTHEST * step)
    if high <= low:
        return _Inside(np.array([0.0]), np.array([0.0]), t)
    wanted = math.ceil((high - low) / step * _NODES_A_STEP)
    nodes, weights = _legendre(min(_MOST_NODES, max(_LEAST_NODES, wanted)))
    at = (high - low) / 2 * nodes + (high + low) / 2
    z = (at[:, None] - start[None, :] - drift * (t - before)) / step
    density = np.exp(-0.5 * z * z) @ mass / (step * math.sqrt(2 * math.pi))
    return _Inside(at, density * weights * (high - low) / 2, t)


def _from(inside: _Inside | None) -> tuple[Floats, Floats, float]:
    if inside is None:
        return np.array([0.0]), np.array([1.0]), 0.0
    return inside.at, inside.mass, inside.time


_legendre: Callable[[int], tuple[Floats, Floats]] = lru_cache(maxsize=64)(leggauss)


def _rising(fractions: Sequence[float]) -> None:
    if not fractions or fractions[0] <= 0 or fractions[-1] > 1 + 1e-9:
        raise ValueError("information fractions lie above 0 and at most at 1")
    if any(b <= a for a, b in pairwise(fractions)):
        raise ValueError("information fractions must rise from look to look")
