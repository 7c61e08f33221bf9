"""What another policy would have earned, from a log of choices with their propensities.

For row t the log holds the reward r, the propensity p with which the logged choice was made, and the
probability q with which the policy in question would have made it; the weight is w = q / p. A model's
guesses of the reward are optional: ``guess`` for the logged choice, and ``expected``, their mean over the
choices of the policy in question.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.types import CannotSay, Estimate

Floats = NDArray[np.float64]

LEVEL: Final = 0.95
LEAST_EFFECTIVE: Final = 30.0
"""With fewer effective rows a normal interval promises too much."""


@dataclass(frozen=True)
class Log:
    """Logged choices: arrays of one length. ``propensity`` is in (0, 1], ``target`` in [0, 1]."""

    reward: Floats
    propensity: Floats
    target: Floats
    guess: Floats | None = None
    expected: Floats | None = None
    unit: NDArray[np.int64] | None = None
    """Whose each row is (a customer, say): rows of one unit are not taken as independent."""

    def __post_init__(self) -> None:
        if not len(self.reward) == len(self.propensity) == len(self.target):
            raise ValueError("reward, propensity and target have different lengths")
        if ((self.propensity <= 0) | (self.propensity > 1)).any():
            raise ValueError("a propensity lies outside (0, 1]: such a choice could not be logged")
        if (self.guess is None) != (self.expected is None):
            raise ValueError("guess and expected come together")

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def weights(self) -> Floats:
        return np.asarray(self.target / self.propensity)

    @property
    def effective(self) -> float:
        """The effective sample size, (sum w)^2 / sum w^2 (Kish, 1965): how many rows the log is worth."""
        squares = float((self.weights**2).sum())
        return float(self.weights.sum()) ** 2 / squares if squares else 0.0


def ips(log: Log, level: float = LEVEL) -> Estimate | CannotSay:
    """Inverse propensity score: the mean of w r. Unbiased, and wide where policies differ.

    Source: Horvitz and Thompson, JASA 47 (1952).
    """
    return _mean(log, log.weights * log.reward, level)


def snips(log: Log, level: float = LEVEL) -> Estimate | CannotSay:
    """Self-normalised: sum w r / sum w, with the delta method's interval. Never outside the rewards.

    Source: Swaminathan and Joachims, NeurIPS 2015.
    """
    weights = log.weights
    total = float(weights.sum())
    if not total:
        return _nothing(log)
    value = float(weights @ log.reward) / total
    return _mean(log, value + weights * (log.reward - value) * len(log) / total, level)


def doubly_robust(log: Log, level: float = LEVEL) -> Estimate | CannotSay:
    """A model's guesses, corrected by the weighted errors seen; right if model or propensities are.

    Source: Dudík, Langford and Li, ICML 2011.
    """
    guess, expected = _model(log)
    return _mean(log, expected + log.weights * (log.reward - guess), level)


def difference(log: Log, other: Log, level: float = LEVEL) -> Estimate | CannotSay:
    """How much more ``log``'s policy would have earned than ``other``'s, both doubly robust, row by row.

    The logs differ in target and expected alone. Where both choose alike nothing is left to chance, so the
    interval is narrower than that of two separate values.
    """
    pairs = [(one, *_model(one)) for one in (log, other)]
    terms = [expected + one.weights * (one.reward - guess) for one, guess, expected in pairs]
    if other.effective < log.effective:
        return _mean(other, terms[0] - terms[1], level)
    return _mean(log, terms[0] - terms[1], level)


def switch(log: Log, threshold: float, level: float = LEVEL) -> Estimate | CannotSay:
    """Doubly robust where w is at most ``threshold``, the model alone elsewhere: some bias, less width.

    Source: Wang, Agarwal and Dudík, ICML 2017.
    """
    guess, expected = _model(log)
    kept = np.where(log.weights <= threshold, log.weights, 0.0)
    return _mean(log, expected + kept * (log.reward - guess), level)


def switch_threshold(log: Log) -> float:
    """The threshold of :func:`switch` with the least estimated mean squared error.

    Variance of the estimate plus the square of the greatest bias that the cut rows allow: their weight
    times the largest reward. Candidates are the quantiles of the weights.
    """
    guess, expected = _model(log)
    weights, n = log.weights, len(log)
    largest = float(np.abs(log.reward).max(initial=0.0))

    def error(threshold: float) -> float:
        kept = np.where(weights <= threshold, weights, 0.0)
        variance = float((expected + kept * (log.reward - guess)).var(ddof=1)) / n
        return variance + (float(weights[weights > threshold].sum()) / n * largest) ** 2

    candidates = [float(q) for q in np.quantile(weights, np.linspace(0.05, 1, 20))]
    return min(candidates, key=error)


def estimates(log: Log, level: float = LEVEL) -> dict[str, Estimate | CannotSay]:
    """All estimators that the log allows, by name."""
    found: dict[str, Callable[[], Estimate | CannotSay]] = {
        "ips": lambda: ips(log, level),
        "snips": lambda: snips(log, level),
    }
    if log.guess is not None:
        found["dr"] = lambda: doubly_robust(log, level)
        found["switch"] = lambda: switch(log, switch_threshold(log), level)
    return {name: estimate() for name, estimate in found.items()}


def _mean(log: Log, terms: Floats, level: float) -> Estimate | CannotSay:
    if len(log) < 2 or log.effective < LEAST_EFFECTIVE:
        return _nothing(log)
    value = float(terms.mean())
    half = NormalDist().inv_cdf((1 + level) / 2) * _error(terms, log.unit)
    return Estimate(value=value, low=value - half, high=value + half, n=len(log), level=level)


def _error(terms: Floats, unit: NDArray[np.int64] | None) -> float:
    """The standard error of the mean, robust to what rows of one unit have in common.

    Source: Liang and Zeger, Biometrika 73 (1986), for a mean.
    """
    n = len(terms)
    if unit is None:
        return float(terms.std(ddof=1)) / math.sqrt(n)
    _, place = np.unique(unit, return_inverse=True)
    sums = np.bincount(place, terms - terms.mean())
    units = max(len(sums), 2)
    return math.sqrt(float((sums**2).sum()) * units / (units - 1)) / n


def _nothing(log: Log) -> CannotSay:
    return CannotSay(
        reason=f"The log's {len(log)} choices are worth {log.effective:.0f} of the policy in question.",
        needed=f"an effective sample of at least {LEAST_EFFECTIVE:.0f}: more choices, or more exploration",
    )


def _model(log: Log) -> tuple[Floats, Floats]:
    if log.guess is None or log.expected is None:
        raise ValueError("this estimator needs a model's guesses of the reward")
    return log.guess, log.expected
