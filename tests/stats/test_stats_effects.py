"""Effects of variants: against tea-tasting 1.14 and gbstats 0.8 on the same data, and simulated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.core.types import CannotSay
from shopkeeper.stats.anytime import Mixture
from shopkeeper.stats.effects import Effect, Shape, effect
from shopkeeper.stats.moments import Floats, Moments

# What the two engines answered for `world(seed, shape)` below (bench/peers/ab): value, standard error,
# 95 % interval, p; then gbstats alone: relative value and its error, sequential interval (N* = 20,000).
GBSTATS = {
    (0, "mean", False): (
        -0.35228923076923024, 0.9267009490779872, -2.1691653443104295, 1.4645868827719692,
        0.7038521097443793, -0.035606998183636884, 0.09074995204229323, -3.3385571028431578,
        2.6339786413046973,
    ),
    (1, "mean", True): (
        1.4914314941730265, 0.4251797642256445, 0.6579031855141797, 2.324959802831873,
        0.00045565212898912577, 0.1707108100644484, 0.05273185100121916, 0.12130160380625044,
        2.8615613845398027,
    ),
    (2, "proportion", False): (
        0.008435897435897441, 0.005940070168335321, -0.0032090658437313787, 0.020080860715526262,
        0.15561716855217456, 0.1782231852654389, 0.13547443883583524, -0.01070581243200918,
        0.027577607303804062,
    ),
    (3, "proportion", True): (
        0.008064372557101032, 0.0060519717015651816, -0.003799940310395839, 0.019928685424597904,
        0.18274578926136842, 0.15709816669677334, 0.12530863994014088, -0.011437936869759989,
        0.027566681983962053,
    ),
    (4, "ratio", False): (
        0.038240540059340966, 0.009071419243079625, 0.020456893525385527, 0.0560241865932964,
        2.533045135177936e-05, 0.07381633690549566, 0.018088731755289817, 0.009008145437673087,
        0.06747293468100884,
    ),
}  # fmt: skip
TEA_TASTING = {
    (0, "mean", False): (-0.3522892307692054, 0.926700949077988, -2.1691653443104064, 1.4645868827719957),
    (1, "mean", True): (1.4914314941730833, 0.42517976422564446, 0.6579031855142367, 2.32495980283193),
    (4, "ratio", False): (0.038240540059340966, 0.009071419243079505, 0.020456893525385763,
                          0.056024186593296166),
    (5, "ratio", True): (0.040602869835480226, 0.009281235262145523, 0.0224079321510528,
                         0.05879780751990765),
}  # fmt: skip


def arm(random: np.random.Generator, n: int, lift: float, shape: str) -> dict[str, Floats]:
    """Units with a taste that shows before (``a``, ``b``) and in the experiment (``y``, ``x``)."""
    taste = random.gamma(2, 1, n)
    a = random.poisson(3 * taste).astype(float)
    b = random.poisson(2 * taste) + 1.0
    x: Floats = np.ones(n)
    if shape == "proportion":
        y = (random.random(n) < 0.05 * (1 + lift) * taste / 2).astype(float)
    elif shape == "ratio":
        x = np.asarray(random.poisson(2 * taste) + 1.0, np.float64)
        y = random.poisson(0.4 * (1 + lift) * x * (1 + 0.1 * taste)).astype(float)
    else:
        y = (random.lognormal(1, 1, n) * taste * (1 + lift)).round(2)
    return {"y": y, "x": x, "a": a, "b": b}


def found(
    control: dict[str, Floats], treatment: dict[str, Floats], shape: str, adjusted: bool
) -> Effect:
    given_shape: Any = shape
    reply = effect(Moments.of(control), Moments.of(treatment), given_shape, adjusted=adjusted)
    assert isinstance(reply, Effect)
    return reply


def world(seed: int, shape: str, adjusted: bool) -> Effect:
    random = np.random.default_rng(seed)
    return found(arm(random, 3000, 0, shape), arm(random, 2600, 0.1, shape), shape, adjusted)


@pytest.mark.parametrize(("key", "told"), GBSTATS.items(), ids=[f"{k[1]}-{k[2]}" for k in GBSTATS])
def test_gbstats_says_the_same(key: tuple[int, str, bool], told: tuple[float, ...]) -> None:
    e = world(*key)
    half = e.error * e.fixed_multiplier(0.05)
    wide = e.error * Mixture.plain(20_000, 0.05).bound(e.n)
    ours = (
        e.value, e.error, e.value - half, e.value + half, e.p_value, e.relative, e.relative_error,
        e.value - wide, e.value + wide,
    )  # fmt: skip
    assert ours == pytest.approx(told, rel=1e-6)


@pytest.mark.parametrize(
    ("key", "told"), TEA_TASTING.items(), ids=[f"{k[1]}-{k[2]}" for k in TEA_TASTING]
)
def test_tea_tasting_says_the_same(key: tuple[int, str, bool], told: tuple[float, ...]) -> None:
    e = world(*key)
    half = e.error * e.fixed_multiplier(0.05)
    assert (e.value, e.error, e.value - half, e.value + half) == pytest.approx(told, rel=1e-6)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 1000))
def test_days_add_to_the_whole(sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    days = [arm(random, size, 0.0, "ratio") for size in sizes]
    whole = Moments.of({name: np.concatenate([d[name] for d in days]) for name in days[0]})
    total = Moments()
    for day in days:
        total = total + Moments.of(day)
    assert total.n == whole.n
    assert total.totals == pytest.approx(whole.totals)
    assert total.products == pytest.approx(whole.products)


@pytest.mark.parametrize(
    ("shape", "adjusted"),
    [("mean", False), ("mean", True), ("proportion", False), ("ratio", False), ("ratio", True)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(shape: Shape, adjusted: bool) -> None:
    random = np.random.default_rng(11)
    inside = 0
    for _ in range(600):
        control, treatment = (arm(random, 1200, 0.0, shape) for _ in range(2))
        e = found(control, treatment, shape, adjusted)
        inside += abs(e.value) <= e.error * e.fixed_multiplier(0.05)
    assert 0.925 <= inside / 600 <= 0.975


def test_the_adjustment_saves_the_square_of_the_correlation() -> None:
    random = np.random.default_rng(3)
    before = random.normal(10, 2, 40_000)
    y = 0.8 * before + random.normal(0, 1.2, 40_000)  # correlation .8
    halves = [{"y": y[:20_000], "a": before[:20_000]}, {"y": y[20_000:], "a": before[20_000:]}]
    e = found(halves[0], halves[1], "mean", True)
    assert e.saved == pytest.approx(0.64, abs=0.02)
    assert e.theta == pytest.approx(0.8, abs=0.01)
    assert abs(e.z) < 3


def test_without_anything_before_the_adjustment_changes_nothing() -> None:
    random = np.random.default_rng(4)
    sides = [{"y": random.normal(1, 1, 500)} for _ in range(2)]
    plain, adjusted = (found(sides[0], sides[1], "mean", how) for how in (False, True))
    assert plain == adjusted


def test_what_cannot_be_compared_is_said() -> None:
    one = Moments.of({"y": np.array([1.0])})
    same = Moments.of({"y": np.ones(10)})
    ten = Moments.of({"y": np.arange(10.0)})
    assert isinstance(effect(one, ten, "mean"), CannotSay)
    assert isinstance(effect(same, same, "mean"), CannotSay)
    assert isinstance(effect(ten, ten, "ratio"), CannotSay)
