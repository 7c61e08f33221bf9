from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.core.errors import BadInput
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats.betting import ShareWatch
from shopkeeper.stats.binomial import lower, upper
from shopkeeper.tasks.costs import cost
from shopkeeper.tasks.guarantee import Guarantee, audited, calibrate, grid


def test_exact_bounds_are_those_of_the_tables() -> None:
    assert upper(0, 59, 0.05) == pytest.approx(1 - 0.05 ** (1 / 59))  # the rule of three, exactly
    assert upper(8, 300, 0.05) == pytest.approx(0.0476, abs=2e-4)
    assert lower(0, 10, 0.05) == 0
    assert upper(10, 10, 0.05) == 1
    assert lower(5, 10, 0.025) == pytest.approx(0.1871, abs=1e-4)
    with pytest.raises(ValueError, match="3 of 2"):
        upper(3, 2, 0.05)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
def test_the_upper_bound_is_undercut_as_often_as_promised(share: float) -> None:
    random = np.random.default_rng(1)
    hits = random.binomial(200, share, 4000)
    bounds = {int(k): upper(int(k), 200, 0.1) for k in set(hits.tolist())}
    missed = np.mean([bounds[int(k)] < share for k in hits])
    assert missed <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 4000)


def _world(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and answers that are wrong the more often the less sure they are."""
    sure = random.uniform(0.5, 1, count)
    return sure, random.random(count) > 0.45 * (1 - sure)


def _true_error(threshold: float) -> float:
    """The mean of 0.45 (1 - c) over c uniform from the threshold to 1."""
    return 0.45 * (1 - threshold) / 2


def test_the_promise_is_broken_at_most_as_often_as_stated() -> None:
    random = np.random.default_rng(3)
    broken, shares = 0, []
    for _ in range(600):
        thresholds = grid(random.uniform(0.5, 1, 2000), 800)
        found = calibrate(*_world(random, 800), thresholds, alpha=0.05, delta=0.1)
        if isinstance(found, Guarantee):
            broken += _true_error(found.threshold) > 0.05
            shares.append(found.share)
    assert broken / 600 <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 600)
    assert np.mean(shares) > 0.3  # 0.44 would be right at the edge


def test_a_perfect_reader_serves_everything_and_a_bad_one_nothing() -> None:
    sure = np.linspace(0.5, 1, 1000)
    thresholds = grid(sure, 1000)
    all_right = calibrate(sure, np.ones(1000, bool), thresholds, alpha=0.05, delta=0.05)
    assert isinstance(all_right, Guarantee)
    assert all_right.share == 1
    assert all_right.bound <= 0.05
    none = calibrate(sure, sure > 2, thresholds, alpha=0.05, delta=0.05)
    assert isinstance(none, CannotSay)
    assert "wrong" in none.reason


def test_too_few_labels_promise_nothing() -> None:
    sure = np.linspace(0.5, 1, 40)
    found = calibrate(sure, np.ones(40, bool), grid(sure, 40), alpha=0.05, delta=0.05)
    assert isinstance(found, CannotSay)


def test_thresholds_fall_and_begin_where_a_bound_can_be_proven() -> None:
    pool = np.random.default_rng(0).random(5000)
    few, many = grid(pool, 600), grid(pool, 10_000)
    assert few == sorted(few, reverse=True)
    assert np.mean(pool >= few[0]) == pytest.approx(0.5, abs=0.01)
    assert np.mean(pool >= many[0]) == pytest.approx(0.2, abs=0.01)
    assert np.mean(pool >= many[-1]) == 1
    assert grid(np.ones(10), 100) == [1.0]
    with pytest.raises(BadInput):
        calibrate([0.5], [True], [0.1, 0.2], alpha=0.05, delta=0.05)


def test_the_statement_says_of_what() -> None:
    sure = np.ones(500)
    found = calibrate(sure, np.ones(500, bool), [1.0], alpha=0.05, delta=0.05, against="people")
    assert isinstance(found, Guarantee)
    assert "what people would say" in found.statement
    assert "5.0%" in found.statement
    assert "95% confidence" in found.statement
    said = found.sentence("zh")
    assert all(part in said for part in ("不超过 5.0%", "置信度为 95%", f"{found.labels} 条"))


def test_an_audit_bounds_the_error_against_people() -> None:
    found = audited([True] * 190 + [False] * 10, 0.05)
    assert isinstance(found, Estimate)
    assert found.value == 0.05
    assert found.low == pytest.approx(0.0242, abs=1e-3)
    assert found.high == pytest.approx(0.0900, abs=1e-3)
    assert isinstance(audited([], 0.05), CannotSay)


def test_the_watch_rarely_cries_wolf_and_soon_sees_one() -> None:
    random = np.random.default_rng(0)
    quiet = [ShareWatch(0.05).after(random.random(800) < 0.05).alarm(0.05) for _ in range(150)]
    assert np.mean(quiet) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    loud = [ShareWatch(0.05).after(random.random(400) < 0.15).alarm(0.05) for _ in range(40)]
    assert np.mean(loud) > 0.95


def test_the_watch_goes_on_where_it_stopped() -> None:
    outcomes = [True, False, False, True] * 5
    whole = ShareWatch(0.1).after(outcomes)
    parts = ShareWatch(0.1).after(outcomes[:7]).after(outcomes[7:])
    assert parts.n == whole.n == 20
    assert parts.p_value == pytest.approx(whole.p_value)
    with pytest.raises(ValueError, match="promised"):
        ShareWatch(0)


def test_the_cost_of_a_thousand_texts() -> None:
    found = cost(0.002, 0.8, 4000)
    assert found.teacher_alone == pytest.approx(2)
    assert found.cascade == pytest.approx(0.4)
    assert found.labels == pytest.approx(8)
    assert found.pays_after == 5000
    assert cost(0.002, 0, 100).pays_after is None
