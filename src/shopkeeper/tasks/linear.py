"""Linear models over sparse features: softmax with soft targets, features scaled class by class."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from shopkeeper.tasks.lbfgs import minimise

Floats = NDArray[np.float32]
_SMOOTHING = 0.5


class Linear(NamedTuple):
    """``weights`` (features, columns) and ``bias``: one column for two classes, else one a class."""

    weights: Floats
    bias: Floats

    def scores(self, matrix: Any) -> Floats:
        """The classes' scores (n, k); of two classes the first has minus the score of the second."""
        return paired(matrix @ self.weights + self.bias)


def paired(scores: Floats) -> Floats:
    """Scores of k classes from those of the model's columns."""
    if scores.shape[1] == 1:
        return np.hstack([-scores, scores]) * np.float32(0.5)
    return scores


def log_ratios(present: Any, targets: Floats) -> Floats:
    """How much each feature (of a 0/1 matrix) speaks for each class: the log of its odds there.

    One column for two classes (for the second), else one a class against the rest.
    Source: Wang & Manning, "Baselines and Bigrams", ACL 2012, equation 1.
    """
    with_class = np.asarray(present.T @ targets, np.float32) + _SMOOTHING
    rest = np.asarray(present.sum(axis=0), np.float32).reshape(-1, 1) + 2 * _SMOOTHING - with_class
    ratio = np.log(with_class / with_class.sum(axis=0)) - np.log(rest / rest.sum(axis=0))
    columns: Floats = ratio[:, 1:] if targets.shape[1] == 2 else ratio
    return columns


def fit_softmax(
    matrix: Any, targets: Floats, scale: Floats, ridge: float, weights: Floats | None = None
) -> Linear:
    """The softmax regression of ``targets`` (n, k shares) on ``matrix`` (n, features), by L-BFGS.

    ``scale`` (features, columns) says how far each weight may go: weight = scale · v, and ``ridge``
    penalises v² (the sum of losses plus ridge/2 · |v|²). ``weights`` (n,) count texts more or less.
    """
    features, columns = scale.shape
    mass = np.ones(len(targets), np.float32) if weights is None else weights
    transposed = matrix.T.tocsr()
    wanted = targets[:, 1:] if columns == 1 else targets

    def objective(flat: Floats) -> tuple[float, Floats]:
        inner = flat[:-columns].reshape(features, columns)
        logs = log_softmax(paired(matrix @ (scale * inner) + flat[-columns:]), axis=1)
        loss = -float(((targets * logs).sum(axis=1) * mass).sum(dtype=np.float64))
        loss += ridge / 2 * float((inner * inner).sum(dtype=np.float64))
        guess = np.exp(logs[:, 1:] if columns == 1 else logs)
        wrong = ((guess - wanted) * mass[:, None]).astype(np.float32)
        gradient = scale * (transposed @ wrong) + np.float32(ridge) * inner
        return loss, np.concatenate([gradient.ravel(), wrong.sum(axis=0)])

    found = minimise(objective, np.zeros((features + 1) * columns, np.float32))
    inner = found[:-columns].reshape(features, columns)
    return Linear(scale * inner, found[-columns:])
