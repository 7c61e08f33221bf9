"""When an experiment may end: once, at planned looks, or at any time; and how wide intervals then are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scipy.special import ndtri

from shopkeeper.stats import boundaries
from shopkeeper.stats.anytime import Mixture

Rule = Literal["fixed", "obrien_fleming", "pocock", "anytime"]

RULES: Final[tuple[Rule, ...]] = ("fixed", "obrien_fleming", "pocock", "anytime")
NEEDS_END: Final[frozenset[Rule]] = frozenset({"fixed", "obrien_fleming", "pocock"})
"""Rules for who knows when the experiment ends."""


@dataclass(frozen=True)
class Stopping:
    """A rule with the number of units (of all arms) at which the experiment is planned to end.

    ``anytime`` may go on beyond that; it is narrowest near it.
    """

    rule: Rule
    planned: float

    def __post_init__(self) -> None:
        if not self.planned > 0:
            raise ValueError("an experiment is planned for more than 0 units")

    def counted(self, units: Sequence[int]) -> tuple[int, ...]:
        """The looks that count, by place: units must have grown, and a planned end is the last one.

        ``fixed`` has one look, the first that has the planned units.
        """
        places: list[int] = []
        for place, n in enumerate(units):
            if n <= (units[places[-1]] if places else 0):
                continue
            if self.rule == "fixed" and n < self.planned:
                continue
            places.append(place)
            if self.rule in NEEDS_END and n >= self.planned:
                break
        return tuple(places)

    def multipliers(self, units: Sequence[int], alpha: float) -> tuple[float, ...]:
        """Per counted look, how many standard errors its interval reaches to each side.

        All intervals of the looks hold together with probability 1 - alpha. ``units`` rise. The one look
        of ``fixed`` is given by the normal; its t quantile needs the degrees of freedom.
        """
        if not units:
            return ()
        if self.rule == "fixed":
            return (float(ndtri(1 - alpha / 2)),) * len(units)
        if self.rule == "anytime":
            mixture = Mixture.expecting(self.planned, alpha)
            return tuple(mixture.bound(n) for n in units)
        fractions = [min(1.0, n / self.planned) for n in units]
        return boundaries.boundaries(fractions, alpha, self.rule)

    def design(self, looks: int, alpha: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Information fractions and bounds of so many evenly spaced looks: for power."""
        if self.rule == "fixed":
            return (1.0,), (float(ndtri(1 - alpha / 2)),)
        fractions = tuple((i + 1) / looks for i in range(looks))
        if self.rule == "anytime":
            mixture = Mixture.expecting(1.0, alpha)
            bounds = tuple(min(boundaries.FARTHEST, mixture.bound(t)) for t in fractions)
            return fractions, bounds
        return fractions, boundaries.boundaries(fractions, alpha, self.rule)


def holm(rejects: Sequence[Sequence[bool]]) -> tuple[bool, ...]:
    """Which hypotheses fall by Holm's step-down: ``rejects[i][j]`` is whether i falls at alpha / (j + 1).

    So much of the error is spent on all together, whatever rule each is tested by.
    Source: Holm, Scand. J. Stat. 6 (1979).
    """
    m = len(rejects)
    done = [False] * m
    for left in range(m, 0, -1):
        fallen = [i for i in range(m) if not done[i] and rejects[i][left - 1]]
        if not fallen:
            break
        done[fallen[0]] = True
    return tuple(done)
