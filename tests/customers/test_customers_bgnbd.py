"""BG/NBD and Gamma-Gamma against known truth, published figures, and their own promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from shopkeeper.core.errors import BadInput
from shopkeeper.customers.predict import bgnbd
from shopkeeper.customers.predict.bgnbd import BgNbd, Purchases
from shopkeeper.customers.predict.spend import GammaGamma

TRUE = BgNbd(r=0.8, alpha=20.0, a=0.8, b=3.0)


def _drawn(count: int, seed: int, model: BgNbd = TRUE) -> tuple[Purchases, np.ndarray]:
    """Customers of the model with ages from 30 to 200, and what each buys in the 60 after."""
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(model.r, 1 / model.alpha, count), rng.beta(model.a, model.b, count)
    age = rng.integers(30, 200, count).astype(float)
    repeats, last, after = np.zeros(count), np.zeros(count), np.zeros(count)
    for n in range(count):
        at = rng.exponential(1 / rate[n])
        while at < age[n] + 60:
            if at < age[n]:
                repeats[n], last[n] = repeats[n] + 1, at
            else:
                after[n] += 1
            if rng.random() < leaves[n]:
                break
            at += rng.exponential(1 / rate[n])
    return Purchases(repeats, last, age), after


def test_the_gradient_is_that_of_the_likelihood() -> None:
    seen, _ = _drawn(50, 1)
    theta = np.log([0.5, 12.0, 1.3, 2.2])
    ones = np.ones(50)
    numeric = approx_fprime(theta, lambda t: bgnbd._log_likelihood(t, seen, ones)[0], 1e-7)
    assert bgnbd._log_likelihood(theta, seen, ones)[1] == pytest.approx(numeric, rel=1e-3, abs=1e-3)


def test_the_parameters_and_what_follows_are_found_again() -> None:
    seen, after = _drawn(8000, 2)
    model = BgNbd.fit(seen)
    assert model.r / model.alpha == pytest.approx(TRUE.r / TRUE.alpha, rel=0.1)
    assert model.a / (model.a + model.b) == pytest.approx(TRUE.a / (TRUE.a + TRUE.b), rel=0.15)
    assert model.expected(seen, 60).sum() == pytest.approx(after.sum(), rel=0.05)
    assert model.none_within(seen, 60).mean() == pytest.approx((after == 0).mean(), abs=0.015)
    assert model.log_likelihood(seen) >= TRUE.log_likelihood(seen)


def test_the_expectation_is_the_mean_of_the_draws() -> None:
    seen, _ = _drawn(40, 3)
    drawn = TRUE.draw(seen, 90, 20_000, np.random.default_rng(0))
    assert drawn.mean(axis=1) == pytest.approx(TRUE.expected(seen, 90), rel=0.1, abs=0.02)
    assert (drawn == 0).mean(axis=1) == pytest.approx(TRUE.none_within(seen, 90), abs=0.02)


def test_the_published_example_of_the_authors() -> None:
    # Fader, Hardie & Lee (2005), section 4.2: x = 2, t_x = 30.43, T = 38.86 gives 1.226 over 39 weeks.
    model = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
    one = Purchases(np.array([2.0]), np.array([30.43]), np.array([38.86]))
    assert model.expected(one, 39)[0] == pytest.approx(1.226, abs=0.002)


def test_where_everybody_is_alike_the_other_way_gives_the_same() -> None:
    seen, _ = _drawn(200, 5)
    usual = BgNbd(0.8, 20.0, 2.5, 9.0)
    ahead = 60 / (usual.alpha + seen.age)
    other = usual._averaged(seen.repeats, ahead) * usual.alive(seen)
    assert other == pytest.approx(usual.expected(seen, 60), rel=0.01)
    alike = BgNbd(0.8, 20.0, 2e4, 6e4)
    assert np.all(np.isfinite(alike.expected(seen, 600)))


@settings(max_examples=60)
@given(
    st.integers(0, 3000),
    st.floats(0, 1),
    st.floats(1, 2000),
    st.floats(1, 800),
    st.sampled_from([0.3, 0.999999, 1.0, 2.5]),
)
def test_busy_customers_never_overflow(
    repeats: int, share: float, age: float, horizon: float, a: float
) -> None:
    model = BgNbd(0.25, 4.4, a, 2.4)
    one = Purchases(
        np.array([float(repeats)]), np.array([share * age if repeats else 0.0]), np.array([age])
    )
    expected = model.expected(one, horizon)[0]
    assert 0 <= expected < np.inf
    assert 0 <= model.alive(one)[0] <= 1
    assert expected >= (1 - model.none_within(one, horizon)[0]) * (1 - 1e-6) - 1e-9
    assert expected <= model.expected(one, horizon * 1.1)[0] + 1e-9


def test_who_nobody_can_say_anything_of_is_refused() -> None:
    none = Purchases(np.zeros(5), np.zeros(5), np.full(5, 10.0))
    with pytest.raises(BadInput, match="Nobody bought twice"):
        BgNbd.fit(none)
    with pytest.raises(BadInput, match="before the first"):
        Purchases(np.ones(1), np.full(1, 20.0), np.full(1, 10.0))
    with pytest.raises(BadInput, match="No two customers"):
        GammaGamma.fit(np.ones(4), np.zeros(4))


def test_spending_is_found_again_and_few_purchases_are_pulled_to_the_mean() -> None:
    rng = np.random.default_rng(4)
    p, q, gamma, count = 6.0, 4.0, 30.0, 8000
    rate, times = rng.gamma(q, 1 / gamma, count), rng.integers(1, 6, count).astype(float)
    mean = rng.gamma(p * times) / rate / times
    model = GammaGamma.fit(times, mean)
    assert (model.p, model.q) == pytest.approx((p, q), rel=0.15)
    assert model.mean == pytest.approx(p * gamma / (q - 1), rel=0.05)
    one, many = model.expected(np.array([1.0, 50.0]), np.array([300.0, 300.0]))
    assert model.mean < one < many < 300
    drawn = model.draw(times[:50], mean[:50], np.full((50, 4000), 2), rng).mean(axis=1)
    assert drawn == pytest.approx(2 * model.expected(times, mean)[:50], rel=0.15)
