import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Mean, Products, Proportion, Ratio


def estimate(found: Estimate | CannotSay) -> Estimate:
    assert isinstance(found, Estimate), found
    return found


def ratio_of(y: np.ndarray, x: np.ndarray) -> Ratio:
    sums = (y.sum(), x.sum(), (y * y).sum(), (x * y).sum(), (x * x).sum())
    return Ratio(len(y), *map(float, sums))


def covers(found: Estimate, truth: float) -> bool:
    return found.low <= truth <= found.high


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_wilson_equals_scipys(sample: tuple[int, int]) -> None:
    n, hits = sample
    found = estimate(intervals.proportion(Proportion(n, hits)))
    oracle = scipy_stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert found.low == pytest.approx(oracle.low, abs=1e-12)
    assert found.high == pytest.approx(oracle.high, abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.lists(st.floats(-1e4, 1e4), min_size=20, max_size=60))
def test_the_interval_of_a_mean_equals_scipys(values: list[float]) -> None:
    sample = np.array(values)
    found = estimate(intervals.mean(Mean(len(values), sample.sum(), float((sample**2).sum()))))
    error = float(sample.std(ddof=1)) / math.sqrt(len(values))
    half = float(scipy_stats.t.ppf(0.975, len(values) - 1)) * error
    assert found.high - found.value == pytest.approx(half, rel=1e-3, abs=1e-2)


def test_newcombes_example_of_a_difference() -> None:
    # Newcombe (1998), table II, method 10, contrast (a): 56/70 - 48/80 is 0.2000, 0.0524 to 0.3339
    first = estimate(intervals.proportion(Proportion(70, 56)))
    second = estimate(intervals.proportion(Proportion(80, 48)))
    found = intervals.difference(first, second)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_a_difference_of_levels_that_differ_is_refused() -> None:
    first = estimate(intervals.proportion(Proportion(70, 56)))
    second = estimate(intervals.proportion(Proportion(80, 48), level=0.9))
    with pytest.raises(ValueError, match="levels"):
        intervals.difference(first, second)


def test_too_few_units_cannot_say_and_tell_what_is_needed() -> None:
    found = intervals.mean(Mean(3, 30.0, 300.0))
    assert isinstance(found, CannotSay)
    assert "The 3 there are give 10." in found.reason
    assert found.needed == "at least 20"
    for nothing in (intervals.proportion(Proportion()), intervals.mean(Mean())):
        assert isinstance(nothing, CannotSay)
    assert isinstance(intervals.ratio(Ratio(30, 5.0, 0.0)), CannotSay)


@pytest.mark.parametrize("n", [5, 20, 100])
def test_wilson_covers_the_true_share_over_all_shares_alike(n: int) -> None:
    # at single shares it swings around its level (n = 20, share 0.05: 0.92); its promise is the mean
    chance = np.random.default_rng(1)
    shares = chance.uniform(0.0, 1.0, 6000)
    hits = chance.binomial(n, shares)
    found = [
        covers(estimate(intervals.proportion(Proportion(n, int(h)))), share)
        for h, share in zip(hits, shares, strict=True)
    ]
    assert 0.94 < np.mean(found) < 0.965


def clustered(chance: np.random.Generator, customers: int) -> tuple[np.ndarray, np.ndarray]:
    """Order values whose level differs by customer, and how many orders each customer has."""
    orders = chance.poisson(1.5, customers) + 1
    level = chance.gamma(4.0, 10.0, customers) * (1 + 0.1 * orders)
    values = np.array([chance.normal(v, 5.0, k).sum() for v, k in zip(level, orders, strict=True)])
    return values, orders.astype(float)


def true_ratio() -> float:
    # E[Σ values] / E[orders]: orders = 1 + Poisson(1.5) are independent of the gamma part
    return 40.0 * (2.5 + 0.1 * (1.5 + 2.5**2)) / 2.5


def test_the_ratio_interval_covers_where_orders_of_a_customer_resemble_each_other() -> None:
    chance = np.random.default_rng(2)
    found = []
    naive = []
    for _ in range(1500):
        y, x = clustered(chance, 80)
        found.append(covers(estimate(intervals.ratio(ratio_of(y, x))), true_ratio()))
        share = y / x  # each order as if it were independent of the customer's others
        values = np.repeat(share, x.astype(int))
        sample = Mean(len(values), float(values.sum()), float((values**2).sum()))
        naive.append(covers(estimate(intervals.mean(sample)), true_ratio()))
    assert 0.925 < np.mean(found) < 0.97
    assert np.mean(naive) < 0.88  # what ignoring the customer would claim as 95 %


def test_the_difference_interval_covers_when_customers_are_in_both_periods() -> None:
    chance = np.random.default_rng(3)
    found, widths, apart = [], [], []
    for _ in range(1200):
        level = chance.gamma(4.0, 10.0, 90)
        periods = []
        for gain in (1.1, 1.0):
            x = (chance.poisson(1.0, 90) + 1).astype(float)
            periods.append((level * gain * x + chance.normal(0, 5, 90), x))
        (y1, x1), (y2, x2) = periods
        shared = Products(
            float((y1 * y2).sum()),
            float((y1 * x2).sum()),
            float((x1 * y2).sum()),
            float((x1 * x2).sum()),
        )
        first, second = ratio_of(y1, x1), ratio_of(y2, x2)
        pair = estimate(intervals.ratio(first)), estimate(intervals.ratio(second))
        gap = intervals.difference(*pair, shared.correlation(first, second))
        found.append(covers(gap, 4.0))
        widths.append(gap.high - gap.low)
        unpaired = intervals.difference(*pair)
        apart.append(unpaired.high - unpaired.low)
    assert 0.925 < np.mean(found) < 0.975
    assert np.mean(widths) < 0.75 * np.mean(apart)


def test_at_the_minimum_of_units_skewed_money_is_still_covered_nine_times_in_ten() -> None:
    chance = np.random.default_rng(4)
    n = intervals.MINIMUM_UNITS
    truth = math.exp(0.5 * 0.8**2)
    found = []
    for _ in range(20_000):
        values = chance.lognormal(0.0, 0.8, n)
        sample = Mean(n, float(values.sum()), float((values**2).sum()))
        found.append(covers(estimate(intervals.mean(sample)), truth))
    assert 0.89 < np.mean(found) < 0.95
