"""Whether numbers on a line have one heap or several."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CRITICAL = 0.5
"""Uniform numbers stay below this 99 times in 100, whether there are 100 or 1,000 of them. The uniform is the
hardest distribution with a single heap (Hartigan & Hartigan 1985)."""

_MOST = 1000


def gap(values: Array, seed: int = 0) -> float:
    """How far the numbers are from having one heap, times the root of their number.

    The distance from the empirical distribution to the nearest that is convex up to some point and concave
    from there, which is what having one heap means; after the dip of Hartigan & Hartigan, Annals of
    Statistics 13 (1985), without their condition that both sides meet.
    """
    if len(values) > _MOST:
        values = np.random.default_rng(seed).choice(values, _MOST, replace=False)
    x, count = np.unique(values, return_counts=True)
    if len(x) < 3:
        return 0.0
    share = np.cumsum(count) / len(values)
    left = _above(x, share)
    right = _above(-x[::-1], 1 - np.concatenate([[0.0], share])[:-1][::-1])[::-1]
    # Left of a later point there is more to be convex, so one rises and the other falls.
    return float(np.maximum(left, right).min() / 2 * np.sqrt(len(values)))


def _above(x: Array, share: Array) -> Array:
    """For each point, how far the distribution up to it lies above its greatest convex minorant."""
    before = np.concatenate([[0.0], share[:-1]])  # the minorant may touch the foot of each step
    found = np.zeros(len(x))
    hull: list[int] = []
    for place in range(len(x)):
        while len(hull) > 1 and _turns_down(x, before, hull[-2], hull[-1], place):
            hull.pop()
        hull.append(place)
        line = np.interp(x[: place + 1], x[hull], before[hull])
        found[place] = (before[: place + 1] - line).max()
    return np.maximum.accumulate(found)


def _turns_down(x: Array, y: Array, a: int, b: int, c: int) -> bool:
    slope = (y[b] - y[a]) * (x[c] - x[a])
    return bool(slope >= (y[c] - y[a]) * (x[b] - x[a]))
