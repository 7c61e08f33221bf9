"""How many units an experiment needs, and what each stopping rule costs: worked out before it starts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from scipy.special import ndtr, ndtri

from shopkeeper.stats import boundaries
from shopkeeper.stats.stopping import RULES, Rule, Stopping


@dataclass(frozen=True)
class Price:
    """One rule's price: ``units`` in all arms at its end give the wished power.

    ``if_true`` and ``if_none``: the units expected until it stops, with the hoped effect and with none.
    """

    rule: Rule
    units: int
    if_true: int
    if_none: int


def price(
    rule: Rule, *, spread: float, effect: float, power: float, alpha: float, looks: int
) -> Price:
    """What the rule costs. ``spread`` is the variance of the difference times the units of all arms.

    ``effect`` is the difference hoped for, in the metric's own unit.
    """
    if effect == 0 or spread <= 0:
        raise ValueError("the effect hoped for and the spread are not 0")
    drift, if_true, if_none = _standard(rule, power, alpha, looks)
    units = drift * drift * spread / (effect * effect)
    return Price(rule, math.ceil(units), math.ceil(units * if_true), math.ceil(units * if_none))


def prices(
    *, spread: float, effect: float, power: float, alpha: float, looks: int
) -> tuple[Price, ...]:
    """Every rule's price."""
    return tuple(
        price(rule, spread=spread, effect=effect, power=power, alpha=alpha, looks=looks)
        for rule in RULES
    )


def detectable(
    rule: Rule, units: float, *, spread: float, power: float, alpha: float, looks: int
) -> float:
    """The smallest difference that the rule finds with this power when it has so many units."""
    drift, _, _ = _standard(rule, power, alpha, looks)
    return drift * math.sqrt(spread / units)


def power_of(
    rule: Rule, units: float, *, spread: float, effect: float, alpha: float, looks: int
) -> float:
    """The chance that the rule finds the effect by the time it has so many units."""
    drift = effect * math.sqrt(units / spread)
    fractions, bounds = Stopping(rule, 1.0).design(looks, alpha)
    return boundaries.crossing(fractions, bounds, drift).total


@lru_cache(maxsize=256)
def _standard(rule: Rule, power: float, alpha: float, looks: int) -> tuple[float, float, float]:
    """The drift that has this power, and the share of the planned units expected with it and without."""
    fractions, bounds = Stopping(rule, 1.0).design(looks, alpha)
    if rule == "fixed":
        return _fixed_drift(power, alpha), 1.0, 1.0
    drift = boundaries.drift_for(power, fractions, bounds)
    with_effect = boundaries.crossing(fractions, bounds, drift).mean_of(fractions)
    without = boundaries.crossing(fractions, bounds).mean_of(fractions)
    return drift, with_effect, without


def _fixed_drift(power: float, alpha: float) -> float:
    z = float(ndtri(1 - alpha / 2))
    drift = z + float(ndtri(power))
    # The other side's chance, which matters for small powers alone.
    for _ in range(3):
        drift = z + float(ndtri(power - ndtr(-z - drift)))
    return drift
