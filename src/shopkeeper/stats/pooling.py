"""What one more study would show, given those that were done: partial pooling by likeness.

The true effects of the studies are drawn from a normal distribution whose mean is unknown (flat prior) and
whose spread tau is integrated over (half-Cauchy prior at the scale of what was seen). Studies that are
alike share part of their deviation: the correlation of two is given. Each was measured with its own known
error. Source: Gelman and others, *Bayesian Data Analysis* (3rd ed.), chapter 5; the prior of tau is that of
Gelman, Bayesian Analysis 1 (2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import ndtr

from shopkeeper.core.types import CannotSay, Estimate

LEAST: Final = 3
"""Fewer studies do not tell how far studies lie apart."""

_GRID: Final = 61
_DECADES: Final = (-2.0, 1.5)
_HALVINGS: Final = 60

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Study:
    """One measured effect: its value, its standard error, and the units behind it."""

    value: float
    error: float
    units: int


def predicted(
    studies: Sequence[Study], alike: Floats, new: Floats, level: float = 0.95
) -> Estimate | CannotSay:
    """The true effect of one more study.

    Args:
        studies: those that were done.
        alike: correlation of the true deviations of each two, ones on the diagonal.
        new: that of each with the new one.
        level: probability that the interval holds the new study's true effect.
    """
    if len(studies) < LEAST:
        return CannotSay(
            reason=f"{len(studies)} measured campaigns do not tell what one more would bring.",
            needed=f"at least {LEAST} campaigns with a hold-out whose result is known",
        )
    values = np.array([one.value for one in studies])
    errors = np.array([one.error for one in studies])
    scale = max(float(np.std(values)), float(np.median(errors)))
    if scale <= 0:
        return CannotSay(reason="The campaigns have no errors.", needed="measured results")
    taus = scale * np.logspace(*_DECADES, _GRID)
    parts = [_given(tau, values, errors, alike, new) for tau in taus]
    # On a grid that is even in log(tau) each point stands for a width in proportion to tau.
    logs = np.array([one[2] for one in parts]) - np.log1p((taus / scale) ** 2) + np.log(taus)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    means, sds = np.array([one[0] for one in parts]), np.array([one[1] for one in parts])
    tail = (1 - level) / 2
    return Estimate(
        value=float(weights @ means),
        low=_quantile(tail, weights, means, sds),
        high=_quantile(1 - tail, weights, means, sds),
        n=sum(one.units for one in studies),
        level=level,
    )


def _given(
    tau: float, values: Floats, errors: Floats, alike: Floats, new: Floats
) -> tuple[float, float, float]:
    """For one tau: mean and deviation of the new effect, and the log-likelihood of what was seen."""
    ones = np.ones(len(values))
    cover = tau**2 * alike + np.diag(errors**2)
    root = np.linalg.cholesky(cover + np.eye(len(values)) * 1e-12 * float(np.trace(cover)))
    solved = np.linalg.solve(root, np.column_stack([ones, values, tau**2 * new]))
    one, seen, shared = solved.T
    precision = float(one @ one)
    centre = float(one @ seen) / precision
    rest = seen - centre * one
    mean = centre + float(shared @ rest)
    lever = 1 - float(shared @ one)
    variance = max(tau**2 - float(shared @ shared), 0.0) + lever**2 / precision
    likely = (
        -float(np.log(np.diag(root)).sum()) - 0.5 * np.log(precision) - 0.5 * float(rest @ rest)
    )
    return mean, float(np.sqrt(variance)), float(likely)


def _quantile(share: float, weights: Floats, means: Floats, sds: Floats) -> float:
    """The point below which a mixture of normal distributions has that share."""
    low, high = float((means - 40 * sds).min()), float((means + 40 * sds).max())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = float(weights @ ndtr((middle - means) / np.maximum(sds, 1e-300)))
        low, high = (middle, high) if below < share else (low, middle)
    return (low + high) / 2
