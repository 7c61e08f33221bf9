"""A share or mean from many predictions and a few labels: prediction-powered inference.

A model has read all N texts and a person (or a teacher) a random n of them. The raw mean of the
predictions is biased by the model's errors; the labels alone are few. With predictions f and labels y

    estimate = mean(y) + power * (mean of f over all - mean of f over the labelled)

which is unbiased for every ``power``; PPI++ takes the one with the least variance, so that a useless
model costs nothing. Source: Angelopoulos, Duchi and Zrnic, *PPI++: Efficient Prediction-Powered
Inference*, 2023, section 6; for a mean it is the regression estimator of Cochran (1977).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from shopkeeper.core.types import CannotSay, Estimate

LEVEL: Final = 0.95
LEAST_LABELS: Final = 30
"""With fewer labels the interval promises more than it holds."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Powered:
    """``labels`` and ``predicted`` of the labelled texts, and of all texts: how many, and their mean.

    The labelled texts must be a random sample of all; ``count`` includes them.
    """

    labels: Floats
    predicted: Floats
    count: int
    mean: float

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.predicted):
            raise ValueError("labels and predictions have different lengths")
        if self.count < len(self.labels):
            raise ValueError("there are more labels than texts")

    @property
    def power(self) -> float:
        """How far the predictions are trusted: 0 not at all; near 1 when they are as good as labels."""
        spread = float(self.predicted.var(ddof=1))
        if spread == 0.0:
            return 0.0
        together = float(np.cov(self.labels, self.predicted)[0, 1])
        return min(1.0, max(0.0, together / spread))


def share(sample: Powered, level: float = LEVEL) -> Estimate | CannotSay:
    """The mean of what the labels would say of all texts, with its interval.

    The error is that of the labels' remainders after the power was fitted to them, each divided by one
    minus its leverage (the jackknife's variance: MacKinnon and White, 1985), times the share of texts
    that nobody labelled: where all are labelled there is no doubt left.
    """
    n = len(sample.labels)
    if n < LEAST_LABELS:
        return CannotSay(
            reason=f"Only {n} texts of a random sample are labelled.",
            needed=f"at least {LEAST_LABELS} labelled at random",
            code="few_labels",
            values={"count": n, "least": LEAST_LABELS},
        )
    power = sample.power
    value = float(sample.labels.mean()) + power * (sample.mean - float(sample.predicted.mean()))
    away = sample.predicted - sample.predicted.mean()
    squares = float((away**2).sum())
    leverage = 1 / n + (away**2 / squares if power else 0.0)
    rest = sample.labels - power * sample.predicted
    rest = (rest - rest.mean()) / np.maximum(1 - leverage, 0.5)
    error = math.sqrt(float((rest**2).sum()) / n / n * (1 - n / sample.count))
    half = float(stdtrit(n - 2, (1 + level) / 2)) * error
    return Estimate(value=value, low=value - half, high=value + half, n=n, level=level)


def proportion(sample: Powered, level: float = LEVEL) -> Estimate | CannotSay:
    """:func:`share` of labels that are 0 or 1, cut to [0, 1], also where errors are rare.

    A sample in which the reader was never wrong does not say that it never is: the interval is that of
    the sample with one missed case and one false alarm more, after Agresti and Coull (1998).
    """
    found = share(sample, level)
    if isinstance(found, CannotSay):
        return found
    n = len(sample.labels)
    wary = share(
        Powered(
            np.append(sample.labels, [1.0, 0.0]),
            np.append(sample.predicted, [0.0, 1.0]),
            sample.count + 2,
            sample.mean,
        ),
        level,
    )
    if isinstance(wary, CannotSay):
        return wary
    half = (wary.high - wary.low) / 2 if n < sample.count else 0.0
    middle = (found.value + wary.value) / 2
    low, high = min(found.low, middle - half), max(found.high, middle + half)
    inside = [min(1.0, max(0.0, one)) for one in (found.value, low, high)]
    return Estimate(value=inside[0], low=inside[1], high=inside[2], n=n, level=level)
