from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats.changes import attainable, dispersion, rate, risen, times

UNITS = np.array([40, 38, 45, 41, 36, 44, 40, 39, 42])


def test_p_value_is_the_binomial_tail_of_the_conditional_test() -> None:
    counts = np.array([[9, 1, 2, 1, 2, 1, 2, 1, 2]])
    found = risen(counts, UNITS, rise=1.5, budget=1.0)
    share = 1.5 * 40 / (1.5 * 40 + UNITS[1:].sum())
    assert found.dispersion[0] == 1.0
    assert found.p_values[0] == pytest.approx(binom.sf(8, 21, share), rel=1e-9)
    assert found.expected[0] == pytest.approx(12 * 40 / UNITS[1:].sum())


def test_false_alarms_stay_below_the_budget_whatever_the_rates() -> None:
    chance = np.random.default_rng(7)
    rates = chance.uniform(0.001, 0.3, size=200)
    budget, looks = 0.5, 400
    alarms = 0
    for _ in range(looks):
        counts = chance.binomial(UNITS[None, :], rates[:, None])
        alarms += len(risen(counts, UNITS, rise=1.0, budget=budget).alarms)
    assert alarms / looks <= budget


def test_false_alarms_stay_below_the_budget_where_rates_wander() -> None:
    chance = np.random.default_rng(8)
    budget, looks, alarms = 0.5, 300, 0
    units = np.array([400] * 9)
    for _ in range(looks):
        mean = chance.uniform(0.01, 0.2, size=(100, 1))
        wander = chance.beta(mean * 150, (1 - mean) * 150, size=(100, 9))
        counts = chance.binomial(units[None, :], wander)
        alarms += len(risen(counts, units, rise=1.25, budget=budget).alarms)
    assert alarms / looks <= budget


def test_a_rise_is_found_and_stands_first() -> None:
    chance = np.random.default_rng(9)
    counts = chance.binomial(UNITS[None, :], 0.05, size=(50, 9))
    counts[17, 0] = 20
    assert risen(counts, UNITS, rise=1.5, budget=0.001).alarms.tolist() == [17]


def test_a_rise_within_the_allowed_is_no_news() -> None:
    units = np.array([100_000] * 9)
    counts = np.array([[14_000, *[10_000] * 8], [16_000, *[10_000] * 8]])
    assert risen(counts, units, rise=1.5, budget=0.01).alarms.tolist() == [1]


def test_only_tests_that_can_reach_their_level_are_counted() -> None:
    both = np.array([1.0] * 1000 + [30.0] * 3)
    number, level = attainable(both, share=0.2, budget=0.03)
    assert number == 3
    assert level == pytest.approx(0.01)
    assert attainable(both[:10], share=0.2, budget=1e-9)[0] <= 1
    assert attainable(both, share=0.0, budget=0.1) == (0, 0.0)


def test_dispersion_is_one_by_chance_and_grows_with_wandering() -> None:
    chance = np.random.default_rng(3)
    units = np.array([500] * 8)
    steady = chance.binomial(500, 0.1, size=(200, 8))
    wild = chance.binomial(500, chance.beta(4, 36, size=(200, 8)))
    assert np.mean(dispersion(steady, units)) < 1.3
    assert np.mean(dispersion(wild, units)) > 3
    assert dispersion(steady[:, :1], units[:1]).tolist() == [1.0] * 200


def test_times_covers_the_true_ratio() -> None:
    chance = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        found = times(int(chance.poisson(12)), int(chance.poisson(32)) or 1, (100, 800))
        assert isinstance(found, Estimate)
        hits += found.low <= 3.0 <= found.high
    assert hits / 400 >= 0.93
    assert isinstance(times(5, 0, (10, 80)), CannotSay)


def test_rate_has_garwoods_interval() -> None:
    found = rate(5)
    assert found.low == pytest.approx(1.6235, abs=1e-3)
    assert found.high == pytest.approx(11.668, abs=1e-3)
    assert rate(0).low == 0
    assert rate(0).high == pytest.approx(3.689, abs=1e-3)
