"""BG/NBD: how often each customer will buy again, and whether they are gone.

While alive a customer buys at random at a rate of their own (gamma-distributed over customers), and after
any purchase may leave for good with a probability of their own (beta-distributed). Fader, Hardie & Lee
(2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2): their equations 6 and 10. What is
known of a customer: ``repeats`` (purchases after the first), ``last`` (time from the first purchase to the
last) and ``age`` (time from the first purchase to now), all in one unit of time.

Everything is computed in logarithms. The hypergeometric function of equation 10 is taken in Euler's
transformed form, whose first two arguments do not grow with the number of purchases: the usual form
overflows for busy customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaincinv, digamma, gammaln, hyp2f1

from shopkeeper.core.errors import BadInput

Array = NDArray[np.float64]

_STARTS = ((0.0, 0.0, 0.0, 0.5), (-1.0, 1.0, -0.5, 1.0))  # logarithms of r, alpha, a and b
_BOUND = 12.0
_NEAR_ONE = 1e-5
_STEPS = 200


@dataclass(frozen=True)
class Purchases:
    """Repeat purchases of customers in one unit of time; rows are in the same order in each array."""

    repeats: Array
    last: Array
    age: Array

    def __post_init__(self) -> None:
        if not (len(self.repeats) == len(self.last) == len(self.age)):
            raise BadInput("Repeats, last and age differ in length.", hint="Give one row each.")
        if np.any(self.last > self.age) or np.any(self.last < 0) or np.any(self.repeats < 0):
            raise BadInput(
                "A customer's last purchase is after now or before the first.",
                hint="Measure `last` and `age` from the first purchase.",
            )

    def __len__(self) -> int:
        return len(self.repeats)

    def page(self, rows: slice) -> Purchases:
        """Some of the customers."""
        return Purchases(self.repeats[rows], self.last[rows], self.age[rows])


@dataclass(frozen=True)
class BgNbd:
    """The fitted model. Rates are gamma(r, alpha), chances to leave beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float

    @classmethod
    def fit(cls, seen: Purchases, weight: Array | None = None) -> BgNbd:
        """The parameters of greatest likelihood.

        Args:
            seen: the customers.
            weight: how often each row counts; once without.

        Raises:
            BadInput: nobody bought twice, which leaves the rate and the chance to leave unknown.
        """
        if not len(seen) or not np.any(seen.repeats > 0):
            raise BadInput(
                "Nobody bought twice: how often customers come back cannot be known.",
                hint="Wait for repeat purchases.",
            )
        unit = float(seen.age.max())  # so that the same start serves days and weeks
        scaled = Purchases(seen.repeats, seen.last / unit, seen.age / unit)
        rows = np.ones(len(seen)) if weight is None else weight
        scaled, rows = _grouped(scaled, rows)

        def loss(theta: Array) -> tuple[float, Array]:
            value, gradient = _log_likelihood(theta, scaled, rows)
            return -value / rows.sum(), -gradient / rows.sum()

        bounds = [(-_BOUND, _BOUND)] * 4
        tries = [
            minimize(loss, np.array(start), jac=True, method="L-BFGS-B", bounds=bounds)
            for start in _STARTS
        ]
        r, alpha, a, b = np.exp(min(tries, key=lambda one: float(one.fun)).x)
        return cls(float(r), float(alpha * unit), float(a), float(b))

    def log_likelihood(self, seen: Purchases) -> float:
        """Of these customers, all together."""
        theta = np.log([self.r, self.alpha, self.a, self.b])
        return _log_likelihood(theta, seen, np.ones(len(seen)))[0]

    def alive(self, seen: Purchases) -> Array:
        """The chance that each customer has not left; 1 for who bought once, as the model has it."""
        again = seen.repeats > 0
        x = np.where(again, seen.repeats, 1.0)
        odds = np.log(self.a) - np.log(self.b + x - 1)
        odds += (self.r + x) * (np.log(self.alpha + seen.age) - np.log(self.alpha + seen.last))
        return np.where(again, 1 / (1 + np.exp(np.minimum(odds, 700.0))), 1.0)

    def expected(self, seen: Purchases, horizon: float) -> Array:
        """Equation 10: the expected number of purchases within ``horizon`` from now."""
        # The limit at a = 1 is finite, the formula is not: step a hair aside.
        a = self.a if abs(self.a - 1) > _NEAR_ONE else 1 + _NEAR_ONE
        x, z = seen.repeats, horizon / (self.alpha + seen.age + horizon)
        with np.errstate(all="ignore"):  # where this is no number, the other way is taken
            series = hyp2f1(a + self.b - 1 - self.r, a - 1, a + self.b + x - 1, z)
            staying = (a + self.b + x - 1) / (a - 1) * (1 - (1 - z) ** (a - 1) * series)
        lost = ~np.isfinite(staying)
        if lost.any():
            staying[lost] = self._averaged(x[lost], horizon / (self.alpha + seen.age[lost]))
        answer: Array = np.maximum(staying, 0.0) * self.alive(seen)
        return answer

    def _averaged(self, x: Array, ahead: Array) -> Array:
        """The same expectation as a mean over the chance to leave, where the series has no value.

        That is where everybody is alike (great a and b). A customer with rate l and chance p places
        (1 - exp(-l p t)) / p orders; the mean over the rate's gamma posterior is known.
        """
        middle = (np.arange(_STEPS) + 0.5) / _STEPS
        p = np.maximum(betaincinv(self.a, self.b + x[:, None], middle), 1e-12)
        logs = -(self.r + x[:, None]) * np.log1p(p * ahead[:, None])
        answer: Array = (-np.expm1(logs) / p).mean(axis=1)
        return answer

    def none_within(self, seen: Purchases, horizon: float) -> Array:
        """The chance of no purchase within ``horizon`` from now."""
        ratio = np.log(self.alpha + seen.age) - np.log(self.alpha + seen.age + horizon)
        answer: Array = 1 - self.alive(seen) * -np.expm1((self.r + seen.repeats) * ratio)
        return answer

    def draw(
        self, seen: Purchases, horizon: float, draws: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Purchases within ``horizon`` drawn from each customer's posterior: customers x draws."""
        size = (len(seen), draws)
        x = seen.repeats[:, None]
        rate = rng.gamma(self.r + x, 1 / (self.alpha + seen.age[:, None]), size)
        leaves = np.maximum(rng.beta(self.a, self.b + x, size), 1e-12)
        # Whoever is alive stays for a geometric number of purchases: the last one is counted too.
        stays = np.ceil(np.log1p(-rng.random(size)) / np.log1p(-np.minimum(leaves, 1 - 1e-12)))
        bought = np.minimum(rng.poisson(rate * horizon), np.maximum(stays, 1))
        here = rng.random(size) < self.alive(seen)[:, None]
        return np.where(here, bought, 0).astype(np.int64)


def _grouped(seen: Purchases, weight: Array) -> tuple[Purchases, Array]:
    """Equal customers as one row that counts as often: a shop has few distinct histories in days."""
    rows = np.column_stack([seen.repeats, seen.last, seen.age])
    kept, inverse = np.unique(rows, axis=0, return_inverse=True)
    counts = np.bincount(inverse.reshape(-1), weights=weight, minlength=len(kept)).astype(
        np.float64
    )
    return Purchases(kept[:, 0], kept[:, 1], kept[:, 2]), counts


def _log_likelihood(theta: Array, seen: Purchases, weight: Array) -> tuple[float, Array]:
    """Equation 6 and its gradient, both with respect to the logarithms of r, alpha, a and b."""
    r, alpha, a, b = np.exp(theta)
    x, again = seen.repeats, seen.repeats > 0
    left = np.where(again, b + x - 1, 1.0)  # of no account where nothing was bought again
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    common += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    stay = -(r + x) * np.log(alpha + seen.age)
    leave = np.where(again, np.log(a) - np.log(left) - (r + x) * np.log(alpha + seen.last), -np.inf)
    either = np.logaddexp(stay, leave)
    share = np.exp(leave - either)  # of having left
    value = float(weight @ (common + either))
    by_r = digamma(r + x) - digamma(r) + np.log(alpha)
    by_r -= (1 - share) * np.log(alpha + seen.age) + share * np.log(alpha + seen.last)
    by_alpha = r / alpha - (r + x) * (
        (1 - share) / (alpha + seen.age) + share / (alpha + seen.last)
    )
    by_a = digamma(a + b) - digamma(a + b + x) + share / a
    by_b = digamma(a + b) + digamma(b + x) - digamma(b) - digamma(a + b + x) - share / left
    by = np.array(
        [weight @ by_r * r, weight @ by_alpha * alpha, weight @ by_a * a, weight @ by_b * b]
    )
    return value, by
