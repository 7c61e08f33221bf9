"""What a head counts depends on how sure it is, as far as held-back choices bear it out."""

from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.recommend.confidence import confident
from shopkeeper.recommend.history import Floats
from shopkeeper.recommend.weighing import likelihoods, weigh

ITEMS = 100.0


def _choices(count: int, *, telling: bool) -> tuple[Floats, Floats]:
    """Popularity, and a head that names one item in half of the cases; then it is right, if ``telling``."""
    random = np.random.default_rng(5)
    sure = random.random(count) < 0.5
    right = sure if telling else random.random(count) < 0.5
    given = np.where(right, np.where(sure, 0.9, 1 / ITEMS), np.where(sure, 0.1, 1 / ITEMS) / ITEMS)
    table = np.column_stack([np.full(count, 1 / ITEMS), given])
    concentration = np.column_stack([np.full(count, 1 / ITEMS), np.where(sure, 0.8, 1 / ITEMS)])
    return table, concentration


def _likelihood(table: Floats, concentration: Floats, *, gated: bool) -> float:
    """Of the second half of the choices, by what the first half teaches."""
    half = len(table) // 2
    first, second = slice(None, half), slice(half, None)
    weights = weigh(table[first])
    if not gated:
        return float(likelihoods(table[second], weights).mean())
    found = confident(table[first], concentration[first], weights)
    sure = found.factors(concentration)
    weights = weigh(table[first], sure=sure[first])
    chance = (table[second] * sure[second]) @ weights / (sure[second] @ weights)
    return float(np.log(chance).mean())


def test_a_head_that_is_right_when_it_is_sure_counts_more_then() -> None:
    table, concentration = _choices(2000, telling=True)
    plain = _likelihood(table, concentration, gated=False)
    assert _likelihood(table, concentration, gated=True) > plain + 0.2


def test_sureness_that_says_nothing_costs_little() -> None:
    table, concentration = _choices(400, telling=False)
    plain = _likelihood(table, concentration, gated=False)
    assert _likelihood(table, concentration, gated=True) > plain - 0.01


def test_what_leaves_few_items_to_all_makes_nobody_sure() -> None:
    table, concentration = _choices(2000, telling=True)
    found = confident(table, concentration, weigh(table))
    usual = np.array([[1 / ITEMS, 0.2]])
    np.testing.assert_allclose(found.factors(40 * usual / ITEMS), found.factors(usual / ITEMS))


def test_a_silent_head_has_no_say_and_learns_nothing() -> None:
    table, concentration = _choices(300, telling=True)
    silent = np.full((300, 1), np.nan)
    found = confident(
        np.hstack([table, silent]), np.hstack([concentration, silent]), np.full(3, 1 / 3)
    )
    assert not found.slopes[2].any()
    assert found.slopes[:, 2] == pytest.approx(0)
    assert np.isfinite(found.factors(np.hstack([concentration, silent]))).all()


def test_without_choices_weights_stand_as_they_are() -> None:
    nothing = np.zeros((0, 2))
    found = confident(nothing, nothing, np.array([0.5, 0.5]))
    np.testing.assert_array_equal(found.factors(np.array([[0.1, 0.9]])), 1.0)
