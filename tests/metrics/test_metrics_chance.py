"""Whether "beyond chance" keeps its promise, by simulation."""

from __future__ import annotations

from datetime import date

import numpy as np

from shopkeeper.core.period import Days
from shopkeeper.metrics.definitions import METRICS
from shopkeeper.metrics.figures import figure
from shopkeeper.metrics.overview import moved
from shopkeeper.metrics.types import Figure

NOW = Days(date(2024, 2, 1), date(2024, 2, 29))


def revenue(now: np.ndarray, before: np.ndarray) -> Figure:
    """The figure made of what each customer spent in both periods."""
    row = {
        "revenue_y": now.sum(),
        "revenue_y_b": before.sum(),
        "revenue_dd_both": ((now - before) ** 2).sum(),
    }
    return figure(row, METRICS["revenue"], NOW, NOW.before())


def spent(chance: np.random.Generator, level: np.ndarray, rate: float) -> np.ndarray:
    orders = chance.poisson(rate, len(level))
    return np.array(
        [chance.gamma(2.0, m / 2.0, k).sum() for m, k in zip(level, orders, strict=True)]
    )


def test_where_nothing_changed_one_in_twenty_changes_passes_for_more_than_chance() -> None:
    chance = np.random.default_rng(5)
    level = chance.lognormal(3.0, 0.7, 150)
    found = [
        revenue(spent(chance, level, 0.6), spent(chance, level, 0.6)).beyond_chance
        for _ in range(800)
    ]
    assert 0.03 < np.mean(found) < 0.07


def test_a_real_change_is_found() -> None:
    chance = np.random.default_rng(6)
    level = chance.lognormal(3.0, 0.7, 400)
    found = [
        revenue(spent(chance, level, 1.2), spent(chance, level, 0.6)).beyond_chance
        for _ in range(50)
    ]
    assert np.mean(found) > 0.9


def test_what_moved_most_comes_first_and_noise_is_left_out() -> None:
    still = np.array([5.0, 0.0, 7.0, 0.0])
    noise = revenue(still, still[::-1])
    up = revenue(np.full(50, 4.0), np.full(50, 2.0)).model_copy(update={"metric": "orders"})
    down = revenue(np.full(50, 0.5), np.full(50, 2.0)).model_copy(update={"metric": "units"})
    assert moved((noise, down, up)) == ("orders", "units")
