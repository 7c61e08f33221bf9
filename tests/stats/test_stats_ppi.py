"""Shares from many predictions and few labels, on worlds whose share is known."""

from __future__ import annotations

import numpy as np
import pytest

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.stats.ppi import Powered, proportion, share

N, LABELS = 10_000, 200


def world(seed: int, *, truth: float = 0.3, miss: float = 0.1, bias: float = 0.15) -> Powered:
    """A reader that misses some of the cases and takes some others for cases."""
    random = np.random.default_rng(seed)
    real = random.random(N) < truth
    read = np.where(real, random.random(N) >= miss, random.random(N) < bias).astype(float)
    labelled = random.choice(N, LABELS, replace=False)
    return Powered(real[labelled].astype(float), read[labelled], N, float(read.mean()))


def truth_of(seed: int, truth: float) -> float:
    return float((np.random.default_rng(seed).random(N) < truth).mean())


@pytest.mark.parametrize("truth", [0.02, 0.3, 0.5])
def test_the_interval_covers_the_truth_as_often_as_it_says(truth: float) -> None:
    inside = 0
    for seed in range(10_000, 10_500):
        found = proportion(world(seed, truth=truth))
        assert isinstance(found, Estimate)
        inside += found.low <= truth_of(seed, truth) <= found.high
    assert inside / 500 >= 0.93


def test_the_raw_share_is_wrong_and_the_interval_is_narrower_than_that_of_the_labels() -> None:
    ratios, raw = [], []
    for seed in range(100):
        sample = world(seed)
        found = share(sample)
        alone = share(Powered(sample.labels, np.zeros(LABELS), N, 0.0))
        assert isinstance(found, Estimate)
        assert isinstance(alone, Estimate)
        ratios.append((found.high - found.low) / (alone.high - alone.low))
        raw.append(sample.mean - truth_of(seed, 0.3))
    assert np.mean(raw) > 0.05
    assert np.mean(ratios) < 0.8


def test_a_useless_reader_costs_next_to_nothing() -> None:
    random = np.random.default_rng(1)
    labels = (random.random(LABELS) < 0.4).astype(float)
    noise = random.random(LABELS)
    found = share(Powered(labels, noise, N, 0.5))
    alone = share(Powered(labels, np.zeros(LABELS), N, 0.0))
    assert isinstance(found, Estimate)
    assert isinstance(alone, Estimate)
    assert found.high - found.low <= 1.01 * (alone.high - alone.low)


def test_when_all_are_labelled_there_is_no_doubt() -> None:
    random = np.random.default_rng(2)
    labels = (random.random(500) < 0.4).astype(float)
    read = (random.random(500) < 0.4).astype(float)
    found = share(Powered(labels, read, 500, float(read.mean())))
    assert isinstance(found, Estimate)
    assert found.low == pytest.approx(found.high) == pytest.approx(labels.mean())


def test_no_case_in_the_sample_is_not_certainty() -> None:
    none = np.zeros(100)
    found = proportion(Powered(none, none, N, 0.001))
    assert isinstance(found, Estimate)
    assert found.high == pytest.approx(0.025, abs=0.01)  # the rule of three says .03


def test_few_labels_cannot_say() -> None:
    few = np.zeros(10)
    assert isinstance(share(Powered(few, few, N, 0.0)), CannotSay)
    with pytest.raises(ValueError, match="more labels"):
        Powered(few, few, 5, 0.0)
