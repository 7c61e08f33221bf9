"""The effect of a variant: the difference of two means, shares or ratios, and the same relative to control.

Ratios by the delta method (Deng, Knoblich and Lu, KDD 2018); the adjustment by what units did before is CUPED
(Deng, Xu, Kohavi and Walker, WSDM 2013), with one coefficient for both arms, and for ratios on the
linearised values. Everything is made of :class:`~shopkeeper.stats.moments.Moments`, so that days add.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from shopkeeper.core.types import CannotSay
from shopkeeper.stats.moments import Floats, Moments

Shape = Literal["mean", "proportion", "ratio"]


@dataclass(frozen=True)
class Side:
    """One arm: its value, the variance of one unit's (linearised) value, and its units.

    ``raw`` and ``raw_variance`` are the same without the adjustment by what was before.
    """

    n: int
    value: float
    variance: float
    raw: float
    raw_variance: float


@dataclass(frozen=True)
class Effect:
    """Treatment less control. ``error`` is the standard error; ``df`` the degrees of freedom (Welch)."""

    control: Side
    treatment: Side
    theta: float

    @property
    def n(self) -> int:
        return self.control.n + self.treatment.n

    @property
    def value(self) -> float:
        return self.treatment.value - self.control.value

    @property
    def error(self) -> float:
        return math.sqrt(_mean_variance(self.control) + _mean_variance(self.treatment))

    @property
    def z(self) -> float:
        return self.value / self.error

    @property
    def df(self) -> float:
        """Welch and Satterthwaite's, of the adjusted values."""
        a, b = _mean_variance(self.control), _mean_variance(self.treatment)
        return (a + b) ** 2 / (a * a / (self.control.n - 1) + b * b / (self.treatment.n - 1))

    @property
    def relative(self) -> float:
        """The difference over control's value without adjustment; not a number where that is 0."""
        return self.value / self.control.raw if self.control.raw else math.nan

    @property
    def relative_error(self) -> float:
        """The standard error of :attr:`relative` by the delta method."""
        base = self.control.raw
        if not base:
            return math.nan
        return math.sqrt(
            _mean_variance(self.treatment) / base**2
            + _mean_variance(self.control) * self.treatment.raw**2 / base**4
        )

    @property
    def p_value(self) -> float:
        """Two-sided, for one look alone (Welch's t-test)."""
        return float(2 * stdtr(self.df, -abs(self.z)))

    @property
    def saved(self) -> float:
        """The share of the variance that the adjustment took away."""
        raw = (
            self.control.raw_variance / self.control.n
            + self.treatment.raw_variance / self.treatment.n
        )
        return 1 - self.error**2 / raw if raw else 0.0

    def fixed_multiplier(self, alpha: float) -> float:
        """How many standard errors the interval of one single look reaches to each side."""
        return float(stdtrit(self.df, 1 - alpha / 2))


def effect(
    control: Moments, treatment: Moments, shape: Shape, *, adjusted: bool = False
) -> Effect | CannotSay:
    """What the treatment did, or why that cannot be told yet."""
    few = min(control.n, treatment.n)
    if few < 2:
        return CannotSay(reason=f"One arm has {few} units.", needed="at least 2 in each")
    if shape == "ratio" and 0.0 in (control.total("x"), treatment.total("x")):
        return CannotSay(reason="One arm's denominator is 0.", needed="units with a denominator")
    theta, centre = _theta(control + treatment, shape) if adjusted else (0.0, 0.0)
    sides = [_side(arm, shape, theta, centre) for arm in (control, treatment)]
    if sides[0].variance <= 0 and sides[1].variance <= 0:
        return CannotSay(reason="All units have the same value.", needed="units that differ")
    return Effect(sides[0], sides[1], theta)


def value(arm: Moments, shape: Shape) -> float | None:
    """The arm's mean, share or ratio; None where nothing can be divided by."""
    if not arm.n or (shape == "ratio" and not arm.total("x")):
        return None
    return _linear(arm, shape, before=False)[0]


def _side(arm: Moments, shape: Shape, theta: float, centre: float) -> Side:
    value, now = _linear(arm, shape, before=False)
    covariance = arm.covariance()
    plain = _form(now, covariance, now)
    if shape == "proportion":
        # The variance of a share is known from the share itself.
        plain = value * (1 - value)
    if theta == 0.0:
        return Side(arm.n, value, plain, value, plain)
    then_value, then = _linear(arm, shape, before=True)
    variance = (
        plain + theta**2 * _form(then, covariance, then) - 2 * theta * _form(now, covariance, then)
    )
    return Side(arm.n, value - theta * (then_value - centre), variance, value, plain)


def _theta(pooled: Moments, shape: Shape) -> tuple[float, float]:
    """The coefficient of what was before, and its mean over both arms; 0 where nothing was before."""
    if shape == "ratio" and not pooled.total("b"):
        return 0.0, 0.0
    value, then = _linear(pooled, shape, before=True)
    _, now = _linear(pooled, shape, before=False)
    covariance = pooled.covariance()
    spread = _form(then, covariance, then)
    if spread <= 0:
        return 0.0, value
    return _form(now, covariance, then) / spread, value


def _linear(arm: Moments, shape: Shape, *, before: bool) -> tuple[float, Floats]:
    """The value and its gradient over the four means."""
    top, bottom = (2, 3) if before else (0, 1)
    gradient = np.zeros(4)
    numerator = arm.totals[top] / arm.n
    if shape != "ratio":
        gradient[top] = 1.0
        return numerator, gradient
    denominator = arm.totals[bottom] / arm.n
    if not denominator:
        return 0.0, gradient
    gradient[top] = 1 / denominator
    gradient[bottom] = -numerator / denominator**2
    return numerator / denominator, gradient


def _form(left: Floats, covariance: Floats, right: Floats) -> float:
    return float(left @ covariance @ right)


def _mean_variance(side: Side) -> float:
    return side.variance / side.n
