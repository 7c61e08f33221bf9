"""When the next order comes, from the chances of none within 30, 60 and 90 days."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from shopkeeper.customers.predict.bgnbd import BgNbd, Purchases

Array = NDArray[np.float64]

_FARTHEST = 730


def next_order(
    model: BgNbd, seen: Purchases, away: Mapping[int, Array]
) -> tuple[Array, Array, Array]:
    """Days until the next order: its median and quartiles, NaN where it comes less likely than that.

    Between the horizons the hazard is taken as constant; beyond the last, as BG/NBD has it.
    """
    horizons = sorted(away)
    days = np.array([0, *horizons, *range(horizons[-1] + 30, _FARTHEST + 1, 30)], np.float64)
    none = [np.ones(len(seen)), *(away[one] for one in horizons)]
    at_last = np.maximum(model.none_within(seen, horizons[-1]), 1e-9)
    later = away[horizons[-1]] / at_last
    none += [later * model.none_within(seen, float(day)) for day in days[len(none) :]]
    logs = np.log(np.maximum(np.minimum.accumulate(np.array(none), axis=0), 1e-12))
    median, low, high = (_reached(days, logs, share) for share in (0.5, 0.75, 0.25))
    return median, low, high


def _reached(days: Array, logs: Array, share: float) -> Array:
    """The day on which the chance of no order yet falls to ``share``."""
    wanted = np.log(share)
    below = logs <= wanted
    after = np.argmax(below, axis=0)
    before = np.maximum(after - 1, 0)
    rows = np.arange(logs.shape[1])
    start, end = logs[before, rows], logs[after, rows]
    part = np.where(end < start, (start - wanted) / np.where(end < start, start - end, 1.0), 0.0)
    found = days[before] + part * (days[after] - days[before])
    answer: Array = np.where(below.any(axis=0), found, np.nan)
    return answer
