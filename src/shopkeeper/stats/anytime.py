"""Intervals that hold at every look at once, however often and however long anybody looks.

Asymptotic confidence sequences by a normal mixture (Robbins, Ann. Math. Stat. 41, 1970; Waudby-Smith,
Arbour, Sinha, Kennedy and Ramdas, *Time-uniform central limit theory*, Ann. Stat. 2024, arXiv 2103.06476),
begun only when a first share of what is expected has been gathered: before that nothing is said, which
makes what follows narrower and keeps the normal approximation out of its worst region (Robbins and
Siegmund, 1970; Bibaut, Kallus and Lindon, arXiv 2212.14411). With ``start`` 0 it is the plain mixture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from scipy.optimize import brentq
from scipy.special import ndtr

START: Final = 0.2
"""The share of the expected units before which nothing is said."""

_SPREAD: Final = 0.05


@dataclass(frozen=True)
class Mixture:
    """Brownian motion's |W(t)| / sqrt(t) ever exceeds :meth:`bound` from ``start`` on with chance ``alpha``.

    ``start`` and ``precision`` (the inverse variance of the mixed drifts) are in the unit of ``t``, whatever
    that is: units gathered, or their share of what is expected.
    """

    alpha: float
    precision: float
    start: float = 0.0

    @classmethod
    def expecting(cls, units: float, alpha: float) -> Mixture:
        """Made for an experiment of about so many units: the power is greatest near that many."""
        return cls(alpha, _SPREAD * units, START * units)

    @classmethod
    def plain(cls, units: float, alpha: float) -> Mixture:
        """From the first unit on, narrowest after about so many (equation 161 of the paper)."""
        log = -2 * math.log(alpha)
        return cls(alpha, units / (log + math.log(log + 1)))

    @cached_property
    def _level(self) -> float:
        """c, with which sqrt((t + r) (c² + ln((t + r) / (m + r)))) is crossed with alpha from m on.

        Exact: the chance of being outside at m already, plus by the optional stopping of the mixture
        martingale that of getting there later.
        """
        m, r = self.start, self.precision
        if m == 0:
            return math.sqrt(-2 * math.log(self.alpha))

        def excess(c: float) -> float:
            at_start = 2 * float(ndtr(-c * math.sqrt((m + r) / m)))
            reached = 2 * float(ndtr(c * math.sqrt(r / m))) - 1
            later = math.sqrt((m + r) / r) * math.exp(-c * c / 2) * reached
            return at_start + later - self.alpha

        return float(brentq(excess, 1e-6, 40.0, xtol=1e-12))

    def bound(self, t: float) -> float:
        """How many standard errors the interval reaches to each side at ``t``; infinite before ``start``."""
        if t <= 0 or t < self.start * (1 - 1e-12):
            return math.inf
        r = self.precision
        gained = math.log((t + r) / (self.start + r))
        return math.sqrt((1 + r / t) * (self._level**2 + gained))
