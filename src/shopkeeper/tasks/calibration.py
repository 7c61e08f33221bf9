"""Whether a confidence means what it says: temperature scaling and the calibration error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

Floats = NDArray[Any]
_RANGE = (-3.0, 3.0)  # of the logarithm of the temperature


def temperature(scores: Floats, targets: Floats) -> float:
    """The number by which to divide ``scores`` (n, k) so that softmax is calibrated on ``targets``.

    ``targets`` (n, k) are shares that add to 1 per row. Needs texts that the scorer was not fitted on.
    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.
    """

    def loss(log_temperature: float) -> float:
        return -float((targets * log_softmax(scores / np.exp(log_temperature), axis=1)).sum())

    found = minimize_scalar(loss, bounds=_RANGE, method="bounded")
    return float(np.exp(found.x))


def calibrated(scores: Floats, temperature: float) -> NDArray[np.float32]:
    """The probabilities (n, k) of the scores at this temperature."""
    shares: NDArray[np.float32] = softmax(scores / temperature, axis=1).astype(np.float32)
    return shares


def calibration_error(confidence: Floats, right: Floats, bins: int = 15) -> float:
    """The expected calibration error (ECE): mean gap of confidence and share right over equal-count bins.

    Source: Naeini, Cooper & Hauskrecht, AAAI 2015; equal-count bins as in Nguyen & O'Connor 2015.
    """
    if not len(confidence):
        return float("nan")
    order = np.argsort(confidence, kind="stable")
    groups = np.array_split(order, min(bins, len(order)))
    gaps = [abs(float(confidence[g].mean() - right[g].mean())) * len(g) for g in groups]
    return sum(gaps) / len(order)
