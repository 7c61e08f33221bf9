"""Clusters: none in noise, those that are there found again, ids that stay, names that say what differs."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from tests.customers.crowd import crowd

from shopkeeper.core.types import CannotSay
from shopkeeper.customers.clusters.clustering import Found, find
from shopkeeper.customers.clusters.naming import kept_ids, name, reasons
from shopkeeper.customers.clusters.subjects import robust
from shopkeeper.customers.clusters.unimodal import CRITICAL, gap
from shopkeeper.customers.operations import cluster, clusters
from shopkeeper.shop import Shop


def _noise(kind: int, rng: np.random.Generator) -> np.ndarray:
    normal = rng.normal(size=(600, 5))
    if kind == 0:
        return rng.random((600, 5))
    if kind == 1:
        return normal
    if kind == 2:
        return normal @ rng.normal(size=(5, 5))
    return rng.standard_t(2.5, size=(600, 5))


def test_noise_has_no_clusters() -> None:
    rng = np.random.default_rng(0)
    found = [find(_noise(number % 4, rng), number) for number in range(40)]
    assert sum(isinstance(one, CannotSay) for one in found) >= 38


@pytest.mark.parametrize("count", [2, 4, 7])
def test_clusters_that_are_there_are_found(count: int) -> None:
    rng = np.random.default_rng(count)
    centres = rng.normal(size=(count, 5)) * 6
    truth = rng.integers(0, count, 1200)
    values = centres[truth] + rng.normal(size=(1200, 5))
    found = find(values)
    assert isinstance(found, Found)
    assert adjusted_rand_score(truth, found.nearest(values)) > 0.9


def test_one_heap_is_told_from_two() -> None:
    rng = np.random.default_rng(1)
    uniform = [gap(rng.random(300)) for _ in range(100)]
    assert np.mean(np.array(uniform) < CRITICAL) >= 0.97
    skewed = [gap(rng.exponential(size=300)) for _ in range(30)]
    assert max(skewed) < CRITICAL
    two = [gap(np.r_[rng.normal(size=150), rng.normal(5, 1, 150)]) for _ in range(30)]
    assert min(two) > CRITICAL
    assert gap(np.array([1.0, 1.0, 2.0])) == 0.0


def test_a_cluster_that_is_found_again_keeps_its_id() -> None:
    before = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    moved = np.array([[0.3, 9.8], [0.1, 0.2], [30.0, 30.0]])
    assert kept_ids(moved, before, [1, 2, 3], 5) == [3, 1, 6]
    assert kept_ids(before, None, [], 0) == [1, 2, 3]
    assert kept_ids(before, np.ones((2, 7)), [4, 5], 5) == [6, 7, 8]


def test_names_say_what_sets_a_cluster_apart() -> None:
    assert name("tastes", [("Home > Tea", 2.0), ("Cups", -1.0)], "en") == "Prefers Tea"
    assert name("tastes", [("茶", 2.0), ("杯", 1.0)], "zh") == "偏好茶、杯"
    habits = [("orders", 2.0), ("order_value", -1.0)]
    assert name("habits", habits, "en") == "Orders often, small orders"
    assert name("habits", habits, "zh") == "常下单，客单价低"
    told = reasons("habits", habits, [9.0, 20.0], "en")
    assert told[0].text == "9.0 days with an order in the last year."
    assert told[1].evidence == {"order_value": 20.0}


def test_columns_in_which_few_differ_are_left_out() -> None:
    values = np.column_stack([np.r_[np.zeros(90), np.ones(10)], np.arange(100.0)])
    scaled, told = robust(values)
    assert told.tolist() == [False, True]
    assert np.median(scaled) == pytest.approx(0, abs=0.02)
    assert np.abs(scaled).max() <= 3


def test_two_kinds_of_customers_are_two_groups_whose_ids_stay(shop: Shop) -> None:
    assert clusters(shop).missing is not None
    assert cluster(shop).missing is not None
    crowd(shop, 500, 200, taste=0.95)
    found = cluster(shop)
    assert found.missing is None
    assert {one.name for one in found.clusters} == {"Prefers Tea", "Prefers Cups"}
    assert found.stability is not None
    assert found.stability > 0.9
    assert 0 < len(found.dots) <= 600
    kinds = {dot.customer_id: int(dot.customer_id[1:]) % 2 for dot in found.dots}
    mine = [dot.cluster for dot in found.dots]
    assert adjusted_rand_score(list(kinds.values()), mine) > 0.8
    again = cluster(shop)
    assert {(one.id, one.name) for one in again.clusters} == {
        (one.id, one.name) for one in found.clusters
    }
    assert clusters(shop, lang="zh").clusters[0].name.startswith("偏好")


def test_habits_without_kinds_have_no_groups(shop: Shop) -> None:
    crowd(shop, 400, 200)
    found = cluster(shop, by="habits")
    assert found.missing is not None
    assert "no clusters" in found.missing.reason
    assert found.clusters == ()
