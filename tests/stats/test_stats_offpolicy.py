"""Off-policy estimators against worlds whose truth is known, and on real logged choices."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats.offpolicy import (
    Log,
    doubly_robust,
    estimates,
    ips,
    snips,
    switch,
    switch_threshold,
)

DATA = Path(os.environ.get("SHOPKEEPER_DATA", Path(__file__).parents[3] / "shared" / "data"))
RATES = np.array([0.05, 0.10, 0.20, 0.40])
LOGGED = np.array([0.4, 0.3, 0.2, 0.1])
WANTED = np.array([0.1, 0.2, 0.3, 0.4])
TRUTH = float(WANTED @ RATES)


def world(seed: int, n: int = 2000, error: float = 0.0) -> Log:
    random = np.random.default_rng(seed)
    choice = random.choice(4, n, p=LOGGED)
    reward = (random.random(n) < RATES[choice]).astype(float)
    guesses = RATES + error
    expected = np.full(n, float(WANTED @ guesses))
    return Log(reward, LOGGED[choice], WANTED[choice], guesses[choice], expected)


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
@pytest.mark.parametrize("error", [0.0, 0.3])
def test_intervals_cover_the_truth_as_often_as_they_say(name: str, error: float) -> None:
    inside = 0
    for seed in range(400):
        found = estimates(world(seed, error=error))[name]
        assert isinstance(found, Estimate)
        inside += found.low <= TRUTH <= found.high
    assert 0.92 <= inside / 400 <= 0.98  # 95 % within three standard errors


def test_a_good_model_narrows_the_interval() -> None:
    log = world(1)
    plain, robust = ips(log), doubly_robust(log)
    assert isinstance(plain, Estimate)
    assert isinstance(robust, Estimate)
    assert robust.high - robust.low < plain.high - plain.low


def test_self_normalised_estimates_do_not_move_with_the_rewards_origin() -> None:
    log = world(2)
    moved = Log(log.reward + 100, log.propensity, log.target)
    first, second = snips(log), snips(moved)
    assert isinstance(first, Estimate)
    assert isinstance(second, Estimate)
    assert second.value - first.value == pytest.approx(100)


def test_switch_gives_up_rows_of_great_weight_for_a_narrower_interval() -> None:
    random = np.random.default_rng(3)
    n = 4000
    rare = random.random(n) < 0.01
    propensity = np.where(rare, 0.001, 0.9)
    target = np.where(rare, 0.05, 0.9)
    reward = (random.random(n) < 0.2).astype(float)
    log = Log(reward, propensity, target, np.full(n, 0.2), np.full(n, 0.2))
    assert 0.9 <= switch_threshold(log) <= 50
    cut, whole = switch(log, 10), doubly_robust(log)
    assert isinstance(cut, Estimate)
    assert isinstance(whole, Estimate)
    assert cut.high - cut.low < whole.high - whole.low


def test_the_same_policy_is_estimated_by_its_mean() -> None:
    log = world(4)
    same = Log(log.reward, log.propensity, log.propensity)
    found = ips(same)
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(log.reward.mean())
    assert same.effective == pytest.approx(len(log))


def test_a_log_of_another_world_cannot_say() -> None:
    log = Log(np.ones(500), np.full(500, 0.5), np.r_[np.zeros(495), np.full(5, 0.5)])
    found = ips(log)
    assert isinstance(found, CannotSay)
    assert "worth 5" in found.reason


def test_wrong_logs_are_refused() -> None:
    with pytest.raises(ValueError, match="propensity"):
        Log(np.ones(1), np.zeros(1), np.ones(1))
    with pytest.raises(ValueError, match="lengths"):
        Log(np.ones(2), np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="together"):
        Log(np.ones(1), np.ones(1), np.ones(1), guess=np.ones(1))


def test_a_real_log_agrees_with_what_the_other_policy_really_earned() -> None:
    found, truth = _uniform_by_thompson("men")
    assert isinstance(found, Estimate)
    assert found.low <= truth <= found.high


def test_a_real_log_of_extreme_propensities_cannot_say() -> None:
    found, _ = _uniform_by_thompson("women")
    assert isinstance(found, CannotSay)


def _uniform_by_thompson(who: str) -> tuple[Estimate | CannotSay, float]:
    """What a uniform policy would have earned, asked of Thompson sampling's log; and what it did."""
    random, thompson = (DATA / "open-bandit" / p / who / f"{who}.csv" for p in ("random", "bts"))
    if not random.exists() or not thompson.exists():
        pytest.skip("the data set open-bandit is absent")
    logged, real = _rows(thompson), _rows(random)
    items = len({row["item_id"] for row in real})
    reward, propensity = (
        np.array([float(row[name]) for row in logged]) for name in ("click", "propensity_score")
    )
    found = snips(Log(reward, propensity, np.full(len(reward), 1 / items)))
    return found, float(np.mean([float(row["click"]) for row in real]))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
