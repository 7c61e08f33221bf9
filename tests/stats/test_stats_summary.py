import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.stats.summary import Mean, Products, Proportion, Ratio

whole = st.integers(-1000, 1000).map(float)
pairs = st.lists(st.tuples(whole, whole), max_size=30)


def mean_of(values: list[float]) -> Mean:
    return Mean(len(values), sum(values), sum(v * v for v in values))


def ratio_of(rows: list[tuple[float, float]]) -> Ratio:
    return Ratio(
        len(rows),
        sum(y for y, _ in rows),
        sum(x for _, x in rows),
        sum(y * y for y, _ in rows),
        sum(x * y for y, x in rows),
        sum(x * x for _, x in rows),
    )


def products_of(rows: list[tuple[float, float]], others: list[tuple[float, float]]) -> Products:
    both = list(zip(rows, others, strict=True))
    return Products(
        sum(a[0] * b[0] for a, b in both),
        sum(a[0] * b[1] for a, b in both),
        sum(a[1] * b[0] for a, b in both),
        sum(a[1] * b[1] for a, b in both),
    )


@given(pairs, pairs, pairs)
def test_sums_are_associative_and_equal_the_pooled_statistic(
    a: list[tuple[float, float]], b: list[tuple[float, float]], c: list[tuple[float, float]]
) -> None:
    # whole numbers: float addition is exact, so equality is too
    assert ratio_of(a) + (ratio_of(b) + ratio_of(c)) == (ratio_of(a) + ratio_of(b)) + ratio_of(c)
    assert ratio_of(a) + ratio_of(b) + ratio_of(c) == ratio_of(a + b + c)
    values = [[y for y, _ in rows] for rows in (a, b, c)]
    assert mean_of(values[0]) + mean_of(values[1]) == mean_of(values[0] + values[1])
    hits = [Proportion(len(v), sum(y > 0 for y in v)) for v in values]
    assert hits[0] + (hits[1] + hits[2]) == (hits[0] + hits[1]) + hits[2]
    assert products_of(a, a) + products_of(b, b) == products_of(a + b, a + b)


@given(pairs)
def test_the_empty_statistic_changes_nothing(rows: list[tuple[float, float]]) -> None:
    assert ratio_of(rows) + Ratio() == ratio_of(rows)
    values = [y for y, _ in rows]
    assert Mean() + mean_of(values) == mean_of(values)
    assert Proportion() + Proportion(5, 2) == Proportion(5, 2)


@given(st.lists(whole, min_size=2, max_size=40))
def test_mean_and_variance_equal_those_of_the_values(values: list[float]) -> None:
    sample = mean_of(values)
    assert sample.value == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert sample.variance == pytest.approx(statistics.variance(values), abs=1e-6)


@given(st.lists(whole, min_size=2, max_size=40))
def test_a_ratio_over_ones_is_a_mean(values: list[float]) -> None:
    ratio = ratio_of([(v, 1.0) for v in values])
    assert ratio.value == pytest.approx(mean_of(values).value)
    assert ratio.error == pytest.approx(mean_of(values).error, abs=1e-6)


@given(st.lists(st.tuples(whole, st.integers(1, 9).map(float)), min_size=2, max_size=30))
def test_the_ratio_error_is_that_of_its_residuals(rows: list[tuple[float, float]]) -> None:
    ratio = ratio_of(rows)
    residuals = [y - ratio.value * x for y, x in rows]
    n = len(rows)
    error = math.sqrt(sum(e * e for e in residuals) * n / (n - 1)) / ratio.x
    assert ratio.error == pytest.approx(error, rel=1e-6, abs=1e-4)


def test_statistics_of_nothing_are_not_numbers() -> None:
    for value in (Proportion().value, Mean().value, Mean(1, 2, 4).variance, Ratio().value):
        assert math.isnan(value)
    assert math.isnan(Ratio(1, 2, 1, 4, 2, 1).error)


def test_an_impossible_proportion_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        Proportion(2, 3)


def test_the_same_sample_twice_correlates_fully_and_two_apart_not_at_all() -> None:
    rows = [(3.0, 1.0), (8.0, 2.0), (1.0, 1.0), (9.0, 3.0)]
    ratio = ratio_of(rows)
    assert products_of(rows, rows).correlation(ratio, ratio) == pytest.approx(1.0)
    assert Products().correlation(ratio, ratio) == 0.0
    assert Products().correlation(ratio, Ratio()) == 0.0
