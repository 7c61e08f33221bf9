"""What one more study would show: covered as often as promised, and drawn to those that are alike."""

from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats.pooling import Study, predicted


def _alike(groups: list[int], shared: float) -> np.ndarray:
    same = np.equal.outer(groups, groups)
    found: np.ndarray = np.where(same, shared, 0.0)
    np.fill_diagonal(found, 1.0)
    return found


@pytest.mark.parametrize(("tau", "studies"), [(0.2, 4), (1.0, 6), (3.0, 12)])
def test_the_interval_holds_the_next_true_effect_as_often_as_it_says(
    tau: float, studies: int
) -> None:
    dice = np.random.default_rng(11)
    groups = [n % 2 for n in range(studies + 1)]
    alike = _alike(groups, 0.6)
    held, rounds = 0, 400
    for _ in range(rounds):
        true = 2.0 + tau * np.linalg.cholesky(alike) @ dice.normal(size=studies + 1)
        errors = dice.uniform(0.3, 1.0, studies)
        seen = true[:-1] + errors * dice.normal(size=studies)
        told = [Study(float(v), float(e), 100) for v, e in zip(seen, errors, strict=True)]
        found = predicted(told, alike[:-1, :-1], alike[-1, :-1])
        assert isinstance(found, Estimate)
        held += found.low <= true[-1] <= found.high
    # Monte Carlo error of 400 rounds is 1.1 points; where the spread is small the interval is wide.
    assert 0.92 <= held / rounds <= 1.0


def test_a_new_study_is_drawn_to_those_that_are_alike() -> None:
    groups = [0, 0, 0, 1, 1, 1]
    told = [Study(v, 0.1, 50) for v in (5.0, 5.2, 4.9, 1.0, 1.1, 0.9)]
    alike = _alike(groups, 0.6)
    first = predicted(told, alike, np.array([0.6, 0.6, 0.6, 0, 0, 0]))
    second = predicted(told, alike, np.array([0, 0, 0, 0.6, 0.6, 0.6]))
    neither = predicted(told, alike, np.zeros(6))
    assert isinstance(first, Estimate)
    assert isinstance(second, Estimate)
    assert isinstance(neither, Estimate)
    assert first.value > neither.value > second.value
    assert first.high - first.low < neither.high - neither.low
    assert first.n == 300


def test_two_studies_do_not_tell() -> None:
    found = predicted([Study(1, 0.1, 9)] * 2, np.eye(2), np.zeros(2))
    assert isinstance(found, CannotSay)
    assert "3 campaigns" in found.needed
