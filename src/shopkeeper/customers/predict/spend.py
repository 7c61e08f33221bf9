"""Gamma-Gamma: what a customer spends each time, with few purchases pulled towards everybody's mean.

A customer's amounts are gamma(p, v), their v over customers gamma(q, gamma). Fader & Hardie (2013), "The
Gamma-Gamma Model of Monetary Value", equations 1a and 5. It takes spending to be unrelated to how often
somebody buys; :func:`GammaGamma.fit` leaves it to the caller to say so where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from shopkeeper.core.errors import BadInput

Array = NDArray[np.float64]

_LEAST = 2  # customers with purchases, below which there is nothing to compare
_BOUND = 12.0


@dataclass(frozen=True)
class GammaGamma:
    """The fitted model; amounts in the shop's currency."""

    p: float
    q: float
    gamma: float

    @classmethod
    def fit(cls, count: Array, mean: Array) -> GammaGamma:
        """The parameters of greatest likelihood.

        Args:
            count: purchases of each customer, at least 1.
            mean: their mean amount; customers whose mean is not above 0 teach nothing here.

        Raises:
            BadInput: fewer than two customers spent anything.
        """
        paid = (count > 0) & (mean > 0)
        if paid.sum() < _LEAST:
            raise BadInput(
                "No two customers have paid anything: what they spend cannot be known.",
                hint="Import purchases with their `value`.",
            )
        x, unit = count[paid], float(np.median(mean[paid]))
        z = mean[paid] / unit

        def loss(theta: Array) -> tuple[float, Array]:
            value, gradient = _log_likelihood(theta, x, z)
            return -value / len(x), -gradient / len(x)

        bounds = [(-_BOUND, _BOUND)] * 3
        found = minimize(
            loss, np.array([1.0, 1.0, 1.0]), jac=True, method="L-BFGS-B", bounds=bounds
        )
        p, q, gamma = np.exp(found.x)
        return cls(float(p), float(q), float(gamma * unit))

    @property
    def mean(self) -> float:
        """What a purchase of an unknown customer brings; infinite where too few amounts are alike."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else float("inf")

    def expected(self, count: Array, mean: Array) -> Array:
        """What each customer's next purchase brings: between their own mean and everybody's."""
        own = self.p * count
        weight = np.maximum(own + self.q - 1, 1e-9)
        answer: Array = self.p * (self.gamma + count * np.maximum(mean, 0.0)) / weight
        return answer

    def draw(
        self, count: Array, mean: Array, purchases: NDArray[np.int64], rng: np.random.Generator
    ) -> Array:
        """Amounts that so many purchases bring, drawn from the posterior: customers x draws."""
        shape = (self.q + self.p * count)[:, None]
        rate = (self.gamma + count * np.maximum(mean, 0.0))[:, None]
        scale = rng.gamma(np.broadcast_to(shape, purchases.shape)) / rate
        total = rng.gamma(np.maximum(self.p * purchases, 1e-12)) / np.maximum(scale, 1e-300)
        answer: Array = np.where(purchases > 0, total, 0.0)
        return answer


def _log_likelihood(theta: Array, x: Array, z: Array) -> tuple[float, Array]:
    """Equation 1a and its gradient by the logarithms of p, q and gamma."""
    p, q, gamma = np.exp(theta)
    px, total = p * x, np.log(gamma + x * z)
    value = gammaln(px + q) - gammaln(px) - gammaln(q)
    value += q * np.log(gamma) + (px - 1) * np.log(z) + px * np.log(x) - (px + q) * total
    by_p = x * (digamma(px + q) - digamma(px) + np.log(z) + np.log(x) - total)
    by_q = digamma(px + q) - digamma(q) + np.log(gamma) - total
    by_gamma = q / gamma - (px + q) / (gamma + x * z)
    return float(value.sum()), np.array([by_p.sum() * p, by_q.sum() * q, by_gamma.sum() * gamma])
