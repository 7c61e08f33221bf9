"""Rules for ending an experiment: each is tried on simulated experiments, with and without an effect."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shopkeeper.stats import power, ratio_check
from shopkeeper.stats.anytime import Mixture
from shopkeeper.stats.boundaries import crossing
from shopkeeper.stats.stopping import RULES, Rule, Stopping, holm

RUNS = 4000
UNITS = 14_000


def crossed(rule: Rule, drift: float, looks: int, seed: int) -> float:
    """How often z crosses the rule's bounds at any of the looks, in simulated experiments."""
    random = np.random.default_rng(seed)
    units = np.linspace(UNITS / looks, UNITS, looks).round().astype(int)
    kept = Stopping(rule, UNITS).counted(list(map(int, units)))
    chosen = units[list(kept)]
    bounds = np.array(Stopping(rule, UNITS).multipliers(list(map(int, chosen)), 0.05))
    t = chosen / UNITS
    steps = np.diff(t, prepend=0.0)
    moves = random.normal(drift * steps, np.sqrt(steps), (RUNS, len(t)))
    z = moves.cumsum(axis=1) / np.sqrt(t)
    return float((np.abs(z) > bounds).any(axis=1).mean())


@pytest.mark.parametrize("looks", [14, 100])
@pytest.mark.parametrize("rule", RULES)
def test_without_an_effect_a_rule_errs_at_most_as_often_as_it_says(rule: Rule, looks: int) -> None:
    allowed = 0.05 + 3 * math.sqrt(0.05 * 0.95 / RUNS)
    assert crossed(rule, 0.0, looks, seed=looks) <= allowed


@pytest.mark.parametrize("rule", RULES)
def test_power_is_as_worked_out(rule: Rule) -> None:
    exact = power.power_of(rule, UNITS, spread=UNITS / 9.0, effect=1.0, alpha=0.05, looks=14)
    assert crossed(rule, 3.0, 14, seed=3) == pytest.approx(exact, abs=0.025)


def test_the_prices_stand_in_the_order_that_is_known() -> None:
    found = {
        p.rule: p for p in power.prices(spread=4.0, effect=0.1, power=0.8, alpha=0.05, looks=14)
    }
    z = 1.959964 + 0.841621
    assert found["fixed"].units == math.ceil(z * z * 400)
    assert (
        found["fixed"].units
        < found["obrien_fleming"].units
        < found["pocock"].units
        < found["anytime"].units
    )
    for name in RULES[1:]:
        assert found[name].if_true < found[name].units
        assert found[name].if_true < found[name].if_none <= found[name].units
    assert found["pocock"].if_true < found["fixed"].units


@pytest.mark.parametrize("rule", RULES)
def test_the_least_effect_found_is_the_inverse_of_the_units_needed(rule: Rule) -> None:
    asked = {"spread": 4.0, "power": 0.8, "alpha": 0.05, "looks": 14}
    units = power.price(rule, effect=0.1, **asked).units  # type: ignore[arg-type]
    assert power.detectable(rule, units, **asked) == pytest.approx(0.1, rel=1e-3)  # type: ignore[arg-type]


def test_a_fixed_horizon_has_one_look_and_a_planned_end_is_the_last() -> None:
    units = [10, 10, 40, 90, 120, 200]
    assert Stopping("fixed", 100).counted(units) == (4,)
    assert Stopping("pocock", 100).counted(units) == (0, 2, 3, 4)
    assert Stopping("anytime", 100).counted(units) == (0, 2, 3, 4, 5)
    assert Stopping("fixed", 100).counted([10, 20]) == ()


def test_the_plain_mixture_is_equation_nine_of_its_paper() -> None:
    log = -2 * math.log(0.05)
    rho2 = (log + math.log(log + 1)) / 20_000
    for n in (10, 1000, 20_000, 1_000_000):
        v = n * rho2
        stated = math.sqrt(2 * (v + 1) / v * math.log(math.sqrt(v + 1) / 0.05))
        assert Mixture.plain(20_000, 0.05).bound(n) == pytest.approx(stated, rel=1e-12)


def test_a_mixture_says_nothing_before_its_start_and_grows_slowly_after() -> None:
    mixture = Mixture.expecting(1000, 0.05)
    assert math.isinf(mixture.bound(199))
    assert 2.7 < mixture.bound(200) < mixture.bound(1000) < 3.1 < mixture.bound(1e7) < 5
    near = Mixture(0.05, 50.0, 1e-3)
    assert near.bound(500) == pytest.approx(Mixture(0.05, 50.0).bound(500), rel=1e-3)


def test_even_a_thousand_looks_cross_a_mixture_no_more_often_than_alpha() -> None:
    fractions = np.geomspace(0.2, 1.0, 150)
    mixture = Mixture.expecting(1.0, 0.05)
    total = crossing(tuple(fractions), tuple(mixture.bound(float(t)) for t in fractions)).total
    assert 0.01 < total < 0.05


def test_holm_goes_on_only_while_something_falls() -> None:
    def at(p: float) -> list[bool]:
        return [p <= 0.05 / (j + 1) for j in range(3)]

    assert holm([at(0.01), at(0.02), at(0.03)]) == (True, True, True)
    assert holm([at(0.02), at(0.02), at(0.02)]) == (False, False, False)
    assert holm([at(0.001), at(0.03), at(0.03)]) == (True, False, False)
    assert holm([]) == ()


def test_the_sample_ratio_is_checked_without_arms_that_have_no_share() -> None:
    assert ratio_check.chi_square([540, 460], [0.5, 0.5]) == pytest.approx(0.011412, abs=1e-6)
    assert ratio_check.chi_square([540, 460, 0], [0.5, 0.5, 0.0]) == pytest.approx(
        0.011412, abs=1e-6
    )
    assert ratio_check.chi_square([0, 0], [0.5, 0.5]) == 1.0
    assert ratio_check.chi_square([10, 90], [0.1, 0.9]) == pytest.approx(1.0)


def test_the_sequential_check_of_shares_rarely_errs_and_finds_a_broken_split() -> None:
    random = np.random.default_rng(2)
    alarms = 0
    for _ in range(1000):
        hits = random.binomial(500, 0.5, 60)
        alarms += ratio_check.sequential([(h, 500 - h) for h in hits], (0.5, 0.5)) < 0.05
    assert alarms / 1000 <= 0.05
    broken = random.binomial(500, 0.47, 60)
    p = ratio_check.sequential([(int(h), int(500 - h)) for h in broken], (0.5, 0.5))
    assert p < ratio_check.ALARM
