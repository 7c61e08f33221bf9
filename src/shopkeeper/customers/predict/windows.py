"""Days in the shop's own past from which a prediction could have been made, and what then came true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopkeeper.customers.predict.activity import Activity, purchases
from shopkeeper.customers.predict.bgnbd import BgNbd
from shopkeeper.customers.predict.features import Features, features

Array = NDArray[np.float64]

STEP = 14
"""Days between two windows."""

MOST = 14
"""Windows of a horizon: older ones speak of another shop."""

_LEAST_HISTORY = 60  # days of data before the first window


@dataclass(frozen=True)
class Sample:
    """Who had bought before some day, what was known of them then, and their days of purchase after."""

    now: int
    known: Features
    bought: Array

    @property
    def stayed_away(self) -> Array:
        """1 for who bought nothing within the horizon."""
        found: Array = (self.bought == 0).astype(np.float64)
        return found


def cutoffs(first: int, now: int, horizon: int) -> list[int]:
    """The days of windows whose horizon had passed by ``now``, oldest first."""
    found = list(range(now - horizon, first + _LEAST_HISTORY - 1, -STEP))
    return found[:MOST][::-1]


def sample(activity: Activity, cutoff: int, horizon: int) -> Sample:
    """What was known on the day ``cutoff``, and what happened within ``horizon`` days from then on.

    Raises:
        BadInput: nobody had bought twice by then.
    """
    known = features(activity, cutoff, model_at(activity, cutoff), horizon)
    after = activity.within(cutoff, horizon).buying().total()[known.places]
    return Sample(cutoff, known, after)


def model_at(activity: Activity, now: int) -> BgNbd:
    """BG/NBD as one could have fitted it on that day, in days."""
    return BgNbd.fit(purchases(activity, now)[1])
