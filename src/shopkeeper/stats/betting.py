"""A test that may be looked at after every unit: has a share risen above what was promised?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

_BETS = 12


@dataclass(frozen=True)
class ShareWatch:
    """Evidence that the chance of a hit is above ``promised``, unit by unit; frozen, :meth:`after` goes on.

    Each of several gamblers stakes a fixed part of his wealth on a hit at odds that are fair while
    the chance is exactly ``promised``, and unfair to him below. The mean of their wealth is then a
    supermartingale, which exceeds 1/delta at any time with probability at most delta (Ville).
    Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS-B
    86 (2024), section 4; Podkopaev & Ramdas, "Tracking the risk of a deployed model", ICLR 2022.
    """

    promised: float
    n: int = 0
    hits: int = 0
    peak: float = 0.0
    """The greatest log-wealth so far."""
    wealth: tuple[float, ...] = field(default=(0.0,) * _BETS)
    """The log-wealth of each gambler."""

    def __post_init__(self) -> None:
        if not 0 < self.promised < 1:
            raise ValueError(f"the promised share {self.promised} is not between 0 and 1")

    def after(self, outcomes: Iterable[bool]) -> ShareWatch:
        """The watch after these units, in the order in which they came."""
        wealth, n, hits, peak = list(self.wealth), self.n, self.hits, self.peak
        stakes = [(i + 1) / (_BETS + 1) for i in range(_BETS)]
        for hit in outcomes:
            n, hits = n + 1, hits + bool(hit)
            won = [s * ((1 / self.promised if hit else 0.0) - 1) for s in stakes]
            wealth = [w + math.log1p(x) for w, x in zip(wealth, won, strict=True)]
            peak = max(peak, _mean(wealth))
        return ShareWatch(self.promised, n, hits, peak, tuple(wealth))

    @property
    def p_value(self) -> float:
        """Valid at any time: the chance of ever seeing such evidence while the promise holds."""
        return min(1.0, math.exp(-self.peak))

    def alarm(self, delta: float) -> bool:
        """Whether the promise must be given up; wrong with probability at most ``delta`` over all time."""
        return self.p_value <= delta


def _mean(logs: list[float]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(one - top) for one in logs) / len(logs))
