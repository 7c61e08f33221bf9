"""Percentile bootstrap of a mean over independent units (Efron, 1979)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.types import CannotSay, Estimate

_LEAST = 20


def mean(
    values: NDArray[np.float64],
    *,
    of: NDArray[np.int64] | None = None,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate | CannotSay:
    """The mean of the values, with the interval that resampling their units gives.

    ``of`` says which unit (a customer, say) each value belongs to: a unit is drawn with all its
    values. Under 20 units the interval would promise more than it keeps: then it cannot be said.
    """
    if of is None:
        sums, counts = values, np.ones(len(values))
    else:
        _, unit = np.unique(of, return_inverse=True)
        sums = np.bincount(unit, values).astype(np.float64)
        counts = np.bincount(unit).astype(np.float64)
    n = len(sums)
    if n < _LEAST:
        return CannotSay(reason=f"Only {n} cases.", needed=f"at least {_LEAST}")
    random = np.random.default_rng(seed)
    drawn = np.zeros(draws)
    for draw in range(draws):
        rows = random.integers(0, n, n)
        drawn[draw] = sums[rows].sum() / counts[rows].sum()
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=float(values.mean()), low=float(low), high=float(high), n=n, level=level)
