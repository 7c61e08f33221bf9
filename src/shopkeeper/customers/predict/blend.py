"""Half a logistic regression, half boosted trees: what tells two kinds of customers apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from shopkeeper.customers.predict.trees import Forest, threads

Array = NDArray[np.float64]

_MOST_ROWS = 400_000
_EXTREME = 4.0
_TREES = HistGradientBoostingClassifier(
    max_leaf_nodes=6,
    max_depth=4,
    max_iter=150,
    max_features=0.3,
    learning_rate=0.05,
    min_samples_leaf=50,
    l2_regularization=10.0,
    early_stopping=False,
    random_state=0,
)
_STRENGTH = 0.01  # of the logistic regression's freedom


@dataclass(frozen=True)
class Linear:
    """A logistic regression on scaled logarithms with their sign; what is unknown counts as the mean."""

    mean: Array
    scale: Array
    weights: Array
    intercept: float

    @classmethod
    def fit(cls, values: Array, away: Array) -> Linear:
        logs = _logs(values)
        mean, scale = np.nanmean(logs, axis=0), np.nanstd(logs, axis=0)
        mean = np.nan_to_num(mean)
        scale = np.where(scale > 0, scale, 1.0)
        scaled = _scaled(values, mean, scale)
        found = LogisticRegression(C=_STRENGTH, max_iter=1000).fit(scaled, away)
        return cls(mean, scale, found.coef_[0].astype(np.float64), float(found.intercept_[0]))

    def contributions(self, values: Array) -> Array:
        """What each feature adds to each row's margin, from the mean customer's."""
        return _scaled(values, self.mean, self.scale) * self.weights


@dataclass(frozen=True)
class Blend:
    """Both fitted; the margin is the mean of their log-odds."""

    linear: Linear
    trees: HistGradientBoostingClassifier

    @classmethod
    def fit(cls, values: Array, label: Array) -> Blend:
        """Learned from rows with a label of 0 or 1."""
        rows = _some(len(label))
        values, label = values[rows], label[rows]
        with threads(len(values)):
            trees = HistGradientBoostingClassifier(**_TREES.get_params()).fit(values, label)
            return cls(Linear.fit(values, label), trees)

    def margin(self, values: Array) -> Array:
        """Log-odds of the label 1."""
        straight = self.linear.contributions(values).sum(axis=1) + self.linear.intercept
        answer: Array = (straight + self.trees.decision_function(values)) / 2
        return answer

    def contributions(self, values: Array) -> Array:
        """What each feature adds to the margin, exactly: with :attr:`base` they sum to it."""
        forest = Forest.of(self.trees)
        answer: Array = (self.linear.contributions(values) + forest.contributions(values)) / 2
        return answer

    @property
    def base(self) -> float:
        """The margin of a customer of whom nothing is known."""
        return (self.linear.intercept + Forest.of(self.trees).base) / 2


def _some(count: int) -> NDArray[np.int64] | slice:
    if count <= _MOST_ROWS:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(count, _MOST_ROWS, replace=False))


def _scaled(values: Array, mean: Array, scale: Array) -> Array:
    """In deviations from the mean; one customer's extreme must not outweigh everything else."""
    found: Array = np.clip(np.nan_to_num((_logs(values) - mean) / scale), -_EXTREME, _EXTREME)
    return found


def _logs(values: Array) -> Array:
    signed: Array = np.sign(values) * np.log1p(np.abs(values))
    return signed
