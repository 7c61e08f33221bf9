"""What recency, frequency and money alone would say: the figure that better models must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from shopkeeper.customers.predict.activity import Activity
from shopkeeper.customers.predict.features import Features
from shopkeeper.customers.predict.windows import cutoffs, sample

Array = NDArray[np.float64]

_RFM = ("days_since_order", "order_days", "revenue")


@dataclass(frozen=True)
class RfmLogistic:
    """A logistic regression on the logarithms of recency, frequency and money."""

    mean: Array
    scale: Array
    model: LogisticRegression

    @classmethod
    def fit(cls, activity: Activity, first: int, now: int, horizon: int) -> RfmLogistic:
        """Learned from the same windows as the model that it is compared with."""
        past = activity.before(now)
        samples = [sample(past, start, horizon) for start in cutoffs(first, now, horizon)]
        values = np.vstack([_of(one.known) for one in samples])
        away = np.concatenate([one.stayed_away for one in samples])
        mean, scale = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-9)
        return cls(
            mean, scale, LogisticRegression(max_iter=1000).fit((values - mean) / scale, away)
        )

    def chance(self, known: Features) -> Array:
        """The chance that each customer buys nothing within the horizon."""
        found: Array = self.model.predict_proba((_of(known) - self.mean) / self.scale)[:, 1]
        return found


def _of(known: Features) -> Array:
    found: Array = np.log1p(np.maximum(np.column_stack([known.column(one) for one in _RFM]), 0.0))
    return found
