"""Results of experiments on events whose sums are worked out by hand, or whose effect is planted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.experiments.conftest import STARTED, Ran, event, history, load

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.experiments.operations import create, result
from shopkeeper.experiments.types import Comparison, Design, Result, Verdict
from shopkeeper.shop import Shop
from shopkeeper.store.experiments import Experiments

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def of(reply: Result, metric: str, variant: str = "treatment") -> Comparison:
    [found] = [c for c in reply.comparisons if c.metric.name == metric and c.variant_id == variant]
    return found


def test_each_customer_counts_with_what_happened_in_the_window_after_the_first_exposure(
    spring: Shop, ran: Ran
) -> None:
    ran(secondary=("revenue", "orders", "average_order", "retention"), rule="anytime", units=20)
    at = STARTED + 10 * HOUR
    seen: dict[str, Any] = {"experiment_id": "checkout", "propensity": 0.5}
    events = [
        # a: buys an hour before (not counted), twice after (one order of two lines, one of one)
        event(1, "a", "purchase", at - HOUR, value=50.0, order_id="before"),
        event(2, "a", "experiment_viewed", at, variant_id="control", **seen),
        event(3, "a", "experiment_viewed", at + DAY, variant_id="control", **seen),
        event(4, "a", "purchase", at + HOUR, value=10.0, order_id="o1"),
        event(5, "a", "purchase", at + HOUR, value=20.0, order_id="o1"),
        event(6, "a", "purchase", at + 6 * DAY, value=30.0, order_id="o2"),
        event(7, "a", "purchase", at + 7 * DAY, value=99.0, order_id="late"),
        event(8, "b", "experiment_viewed", at, variant_id="control", **seen),
        event(17, "b", "purchase", at + HOUR, value=10.0, order_id="o4"),
        event(9, "c", "experiment_viewed", at + DAY, variant_id="treatment", **seen),
        event(10, "c", "purchase", at + DAY + HOUR, value=40.0, order_id="o3"),
        event(11, "d", "experiment_viewed", at + DAY, variant_id="treatment", **seen),
        # e sees both, f was assigned under other shares, g's window is not over
        event(12, "e", "experiment_viewed", at, variant_id="control", **seen),
        event(13, "e", "experiment_viewed", at, variant_id="treatment", **seen),
        event(14, "f", "experiment_viewed", at, variant_id="control", experiment_id="checkout",
              propensity=0.9),
        event(15, "g", "experiment_viewed", at + 40 * DAY, variant_id="control", **seen),
        event(16, "x", "page_view", at + 41 * DAY),
    ]  # fmt: skip
    load(spring, events)
    reply = result(spring, "checkout")
    assert [(a.variant_id, a.exposed, a.counted) for a in reply.arms] == [
        ("control", 3, 2),
        ("treatment", 2, 2),
    ]
    assert (reply.mixed, reply.earlier, reply.waiting) == (1, 1, 1)
    seen_of = {
        name: (of(reply, name).control, of(reply, name).treatment)
        for name in ("conversion", "revenue", "orders", "average_order", "retention")
    }
    assert seen_of == {
        "conversion": (1.0, 0.5),
        "revenue": (35.0, 20.0),
        "orders": (1.5, 0.5),
        "average_order": (pytest.approx(70 / 3), 40.0),
        "retention": (0.5, 0.0),
    }
    assert isinstance(of(reply, "revenue").difference, CannotSay)  # of so few


def test_a_planted_effect_is_found_and_its_interval_holds_it(spring: Shop, ran: Ran) -> None:
    ran(primary="orders", guardrails=("average_order",), secondary=("revenue",), units=4000)
    load(spring, history(4500, 0.3))
    reply = result(spring, "checkout")
    verdict = reply.verdict
    assert isinstance(verdict, Verdict), verdict
    assert verdict.outcome == "better"
    assert verdict.variant_id == "treatment"
    orders = of(reply, "orders")
    assert isinstance(orders.relative, Estimate)
    assert orders.relative.low < 0.3 < orders.relative.high
    assert orders.found_on is not None
    assert orders.found_on < reply.as_of  # type: ignore[operator]
    assert len(orders.looks) > 5
    assert [r.code for r in verdict.reasons] == ["interval", "rule", "ratio", "guard_ok"]
    zh = result(spring, "checkout", "zh").verdict
    assert isinstance(zh, Verdict)
    assert "优于" in zh.headline
    assert zh.decided_on == verdict.decided_on


@pytest.mark.parametrize("rule", ["fixed", "pocock", "obrien_fleming"])
def test_without_an_effect_nothing_is_shown_by_the_end(spring: Shop, ran: Ran, rule: str) -> None:
    ran(primary="orders", rule=rule, units=1500)
    load(spring, history(1600, 0.0, seed=4))
    verdict = result(spring, "checkout").verdict
    assert isinstance(verdict, Verdict)
    assert verdict.outcome == "no_difference"
    assert "unlikely" in verdict.reasons[0].text


def test_before_the_end_it_cannot_tell_and_a_fixed_horizon_shows_no_interval(
    spring: Shop, ran: Ran
) -> None:
    ran(primary="orders", rule="fixed", units=50_000)
    load(spring, history(500, 0.0, seed=5))
    reply = result(spring, "checkout")
    assert isinstance(reply.verdict, CannotSay)
    assert "of 50,000" in reply.verdict.reason
    assert "days" in reply.verdict.needed
    assert isinstance(of(reply, "orders").difference, CannotSay)


def test_arms_out_of_proportion_block_the_verdict(spring: Shop, ran: Ran) -> None:
    ran(primary="orders", units=1000)
    events = history(3000, 0.5, seed=6)
    lost = {e["user_id"] for e in events if e.get("variant_id") == "treatment"}
    lost = {c for c in lost if int(c[1:]) % 5 == 0}
    load(spring, [e for e in events if e["user_id"] not in lost])
    reply = result(spring, "checkout")
    assert reply.sample_ratio is not None
    assert not reply.sample_ratio.ok
    assert isinstance(reply.verdict, CannotSay)
    assert "shares" in reply.verdict.reason


def test_harm_to_a_guardrail_is_said_although_the_first_measure_is_better(
    spring: Shop, ran: Ran
) -> None:
    ran(primary="conversion", guardrails=("refunds",), rule="anytime", units=3000)
    events = history(3000, 0.5, seed=7)
    number = len(events)
    for e in list(events):
        if e.get("variant_id") == "treatment" and int(e["user_id"][1:]) % 3 == 0:
            number += 1
            at = e["time"] + HOUR
            events.append(event(number, e["user_id"], "refund", at, value=5.0, quantity=1.0))
    load(spring, events)
    verdict = result(spring, "checkout").verdict
    assert isinstance(verdict, Verdict)
    assert verdict.outcome == "harm"
    assert "Refunds per customer" in verdict.headline


def test_sums_are_kept_and_those_of_changed_days_worked_out_anew(spring: Shop, ran: Ran) -> None:
    ran(primary="orders", rule="anytime", units=500)
    load(spring, history(400, 0.0, seed=8, days=20))
    first = result(spring, "checkout")
    store = Experiments(spring.database)
    kept = {(s.cohort, s.variant_id): s.stamp for s in store.sums("checkout")}
    assert len(kept) >= 30
    assert result(spring, "checkout") == first
    assert {(s.cohort, s.variant_id): s.stamp for s in store.sums("checkout")} == kept
    late = STARTED + timedelta(days=8, hours=1)
    load(spring, [event(10**6, "c1", "purchase", late, value=1.0, order_id="late")])
    result(spring, "checkout")
    changed = {
        s.cohort for s in store.sums("checkout") if kept[(s.cohort, s.variant_id)] != s.stamp
    }
    assert changed
    assert "2025-03-15" in changed  # four weeks before its customers came are part of it
    assert "2025-03-01" not in changed  # its windows were over before


def test_a_draft_and_an_experiment_that_nobody_saw_say_so(spring: Shop, ran: Ran) -> None:
    create(spring, "draft", Design(name="d", units=100))
    draft = result(spring, "draft")
    assert isinstance(draft.verdict, CannotSay)
    assert "not been started" in draft.verdict.reason
    ran()
    nobody = result(spring, "checkout", "zh")
    assert isinstance(nobody.verdict, CannotSay)
    assert "还没有人" in nobody.verdict.reason
    assert nobody.comparisons == ()
