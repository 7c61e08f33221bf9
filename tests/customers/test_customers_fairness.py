"""Fairness by group and private counts: known truth, small groups, the budget."""

from datetime import UTC, datetime

import numpy as np
import pytest
from tests.customers.crowd import crowd

from shopkeeper.core.errors import BadInput, NotFound, OverBudget, UnknownName
from shopkeeper.core.schema import MEMBERSHIPS, TRAITS
from shopkeeper.core.types import Estimate
from shopkeeper.customers.fairness.groups import _quarters
from shopkeeper.customers.fairness.report import _report
from shopkeeper.customers.operations import (
    fairness,
    privacy_budget,
    private_counts,
    set_privacy_budget,
)
from shopkeeper.customers.private.counting import _half
from shopkeeper.shop import Shop
from shopkeeper.store.segments import LIVE, Segments, Version
from shopkeeper.warehouse.arrow import from_rows

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def test_the_ratio_covers_the_truth_and_a_clear_gap_is_flagged() -> None:
    rng = np.random.default_rng(0)
    covered, flagged, wrongly = 0, 0, 0
    for _ in range(100):
        group = np.array(["a"] * 400 + ["b"] * 300 + ["c"] * 10, object)
        share = np.r_[np.full(400, 0.5), np.full(300, 0.3), np.ones(10)]
        chosen = (rng.random(710) < share).astype(np.float64)
        report = _report("x", "t", 50, group, chosen)
        ratio = {one.group: one.ratio for one in report.groups}["b"]
        assert isinstance(ratio, Estimate)
        covered += ratio.low <= 0.6 <= ratio.high
        flagged += report.flagged == ("b",)
        even = (rng.random(710) < 0.5).astype(np.float64)
        wrongly += bool(_report("x", "t", 50, group, even).flagged)
    assert covered >= 88
    assert flagged >= 65
    assert wrongly <= 3


def test_small_groups_are_left_out_and_one_group_cannot_be_compared() -> None:
    group = np.array(["a"] * 60 + ["b"] * 60 + ["c"] * 20, object)
    report = _report("x", "t", 50, group, np.ones(140))
    assert {one.group for one in report.groups} == {"a", "b"}
    assert report.left_out == 20
    alone = _report("x", "t", 50, np.array(["a"] * 99, object), np.ones(99))
    assert alone.missing is not None
    nobody = _report("x", "t", 50, group, np.zeros(140))
    assert nobody.flagged == ()


def test_numbers_are_grouped_by_quarters() -> None:
    found = _quarters({str(n): n for n in range(100)} | {"none": None})
    assert found["none"] == ""
    sizes = np.unique([found[str(n)] for n in range(100)], return_counts=True)[1]
    assert sizes.tolist() == [25, 25, 25, 25]
    assert set(_quarters({"a": 1, "b": 1}).values()) == {"1 – 1"}


def test_a_segment_by_a_trait_that_was_told(shop: Shop) -> None:
    bought = crowd(shop, 300, 100)
    told = [
        {
            "customer_id": who,
            "name": "gender",
            "value": "f" if n % 3 else "m",
            "time": NOW,
            "source": "t",
        }
        for n, who in enumerate(bought)
    ]
    inside = [
        {"customer_id": who, "segment": "S1", "version": 1, "valid_from": NOW}
        for n, who in enumerate(bought)
        if n % 3 or n % 2
    ]
    with shop.writer("test") as writer:
        writer.load(TRAITS.name, from_rows(told, TRAITS))
        writer.load(MEMBERSHIPS.name, from_rows(inside, MEMBERSHIPS))
    report = fairness(shop, "gender", segment="S1")
    rates = {one.group: one.rate.value for one in report.groups}
    assert rates == {"f": 1.0, "m": 0.5}
    assert report.flagged == ("m",)
    with pytest.raises(UnknownName, match="gendre"):
        fairness(shop, "gendre", segment="S1")
    with pytest.raises(NotFound):
        fairness(shop, "gender", segment="S9")
    with pytest.raises(BadInput, match="segment or about a prediction"):
        fairness(shop, "gender", segment="S1", horizon=60)


def test_private_counts_cost_budget_and_are_refused_beyond_it(shop: Shop) -> None:
    pytest.importorskip("opendp")
    version = Version(0, 1, "Everybody", {"kind": "everyone"}, "", NOW)
    made = Segments(shop.database).create(version, LIVE)
    inside = [
        {"customer_id": f"c{n}", "segment": made.id, "version": 1, "valid_from": NOW}
        for n in range(1000)
    ]
    with shop.writer("test") as writer:
        writer.load(MEMBERSHIPS.name, from_rows(inside, MEMBERSHIPS))
    reply = private_counts(shop, "a report for the board", epsilon=1.0)
    assert reply.counts[0].low <= reply.counts[0].count <= reply.counts[0].high
    assert abs(reply.counts[0].count - 1000) < 40
    assert reply.budget.spent == pytest.approx(1.0)
    set_privacy_budget(shop, 1.5, "the council decided")
    with pytest.raises(OverBudget, match=r"0\.5 is left"):
        private_counts(shop, "again", epsilon=1.0)
    assert privacy_budget(shop).left == pytest.approx(0.5)
    assert [one.purpose for one in privacy_budget(shop).reports] == ["a report for the board"]
    with pytest.raises(NotFound):
        private_counts(shop, "unknown", segments=("S99",))


def test_the_noise_is_as_wide_as_it_is_said_to_be() -> None:
    noise = pytest.importorskip("shopkeeper.customers.private.noise")
    drawn = np.array(noise.counts([500] * 4000, 0.5 * 4000, 4000)) - 500
    half = _half(1 / 0.5)
    assert np.mean(np.abs(drawn) <= half) >= 0.94
    assert np.mean(np.abs(drawn) <= half - 2) < 0.95
    # The chance of any count for neighbours differs by no more than e to the epsilon.
    one, other = np.mean(drawn == 1), np.mean(drawn == 2)
    assert one / other < np.exp(0.5) * 1.35
