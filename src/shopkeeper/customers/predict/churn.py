"""Who will not buy within so many days: a logistic regression and boosted trees, half each.

Both learn from every window of the shop's own past whose end is known. Then the level is set: customers buy
more in some months than in others, and the windows of a long horizon end long ago. What the last three
weeks were, against what a model of three weeks expected of them, tells by how much everybody's hazard of
buying differs now; a chance of staying away is raised to that power (a proportional hazard).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from shopkeeper.core.types import CannotSay
from shopkeeper.customers.predict.activity import Activity
from shopkeeper.customers.predict.bgnbd import BgNbd
from shopkeeper.customers.predict.blend import Blend
from shopkeeper.customers.predict.features import Features, features
from shopkeeper.customers.predict.windows import Sample, cutoffs, model_at, sample

Array = NDArray[np.float64]

LEVEL_DAYS = 21
LEAST_EACH = 50
"""Customers who came and who stayed away in all windows, below which nothing is learned."""

_POWER = (0.3, 3.0)
_CERTAIN = 1e-4


@dataclass(frozen=True)
class Churn:
    """The fitted model of one horizon. ``power`` is by how much the hazard differs now from the past's."""

    horizon: int
    model: BgNbd
    blend: Blend
    power: float

    @classmethod
    def fit(cls, activity: Activity, first: int, now: int, horizon: int) -> Churn | CannotSay:
        """Learn from the windows between the days ``first`` and ``now``; why not where they are too few."""
        past = activity.before(now)
        bare = _learned(past, first, now, horizon)
        if isinstance(bare, CannotSay):
            return bare
        short = min(LEVEL_DAYS, horizon)
        level = _learned(past, first, now - short, short)
        power = 1.0 if isinstance(level, CannotSay) else _power(level, past, now - short)
        return replace(bare, power=power)

    def known(self, activity: Activity, now: int) -> Features:
        """What the model looks at, of who had bought before the day ``now``."""
        return features(activity, now, self.model, self.horizon)

    def chance(self, known: Features) -> Array:
        """The chance that each customer buys nothing within the horizon."""
        if not len(known.places):
            return np.zeros(0)
        answer: Array = (
            np.clip(expit(self.blend.margin(known.values)), _CERTAIN, 1 - _CERTAIN) ** self.power
        )
        return answer


def _learned(past: Activity, first: int, now: int, horizon: int) -> Churn | CannotSay:
    """The model without its level, of windows that had ended by the day ``now``."""
    starts = cutoffs(first, now, horizon)
    if not starts:
        return CannotSay(
            reason=f"The data do not go far enough back to learn what {horizon} days bring.",
            needed=f"at least {60 + horizon} days of events",
            code="history_short",
            values={"days": horizon, "least": 60 + horizon},
        )
    samples = [sample(past.before(now), start, horizon) for start in starts]
    away = np.concatenate([one.stayed_away for one in samples])
    if min(away.sum(), len(away) - away.sum()) < LEAST_EACH:
        return CannotSay(
            reason="Too few customers have come back, or stayed away, to learn from.",
            needed=f"{LEAST_EACH} of each",
            code="few_of_each",
            values={"least": LEAST_EACH},
        )
    values = np.vstack([one.known.values for one in samples])
    return Churn(horizon, model_at(past, now), Blend.fit(values, away), 1.0)


def _power(model: Churn, past: Activity, start: int) -> float:
    """The power of the chances under which as many stayed away as did."""
    last: Sample = sample(past, start, model.horizon)
    chance, real = model.chance(last.known), float(last.stayed_away.mean())
    low, high = _POWER
    if not chance.size or not (chance**high).mean() < real < (chance**low).mean():
        return 1.0
    return float(brentq(lambda power: float((chance**power).mean()) - real, low, high))
