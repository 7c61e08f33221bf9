"""Results: intervals that hold the truth, what cannot be said yet, local time, kills, erasure."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from tests.campaigns.conftest import Stage
from tests.contact.conftest import NOON

from shopkeeper.campaigns import page as pages
from shopkeeper.campaigns.launching import launch
from shopkeeper.campaigns.operations import dry_run, list_, measure, results, show
from shopkeeper.campaigns.timing import due
from shopkeeper.campaigns.types import Design
from shopkeeper.core.schema import EVENTS
from shopkeeper.core.settings import Settings
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.store.campaigns import Campaigns
from shopkeeper.warehouse.arrow import arrow_schema


def bought(stage: Stage, who: dict[str, float], at: datetime, cost: float | None = 6.0) -> None:
    """Purchases of 10 each with these chances, and a quiet event a day so that days go by."""
    rng, rows = random.Random(3), []
    for number, (customer, chance) in enumerate(who.items()):
        if rng.random() < chance:
            rows.append(_event(f"p{number}", customer, "purchase", at, 10.0, cost))
    rows += [
        _event(f"v{day}", "X", "view_item", at + timedelta(days=day), None, None)
        for day in range(10)
    ]
    load(stage, rows)


def load(stage: Stage, rows: list[dict[str, Any]]) -> None:
    """Bring what waits in the log, and these events, into the tables."""
    with stage.shop.writer("test") as writer:
        writer.drain()
        writer.load("events", pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS)))


def _event(
    event_id: str, customer: str, name: str, at: datetime, value: float | None, cost: float | None
) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "user_id": customer,
        "name": name,
        "time": at,
        "received_at": at,
        "day": at.date(),
        "order_id": event_id if value else None,
        "quantity": 1.0 if value else None,
        "value": value,
        "cost": cost,
        "currency": "CNY",
        "source": "test",
    }


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_lift_revenue_margin_and_cost_against_the_hold_out(stage: Stage) -> None:
    people = stage.people(300, "file")
    told = stage.template({"text": "Tea."}, channel="file")
    campaign = stage.launched(
        stage.segment(*people), told, hold_out=0.5, cost_per_message=0.1, window_days=3
    )
    early = results(stage.shop, campaign)
    assert isinstance(early.verdict, CannotSay)
    assert isinstance(early.arms[0].lift, CannotSay)
    stage.send("file")
    launch(stage.shop)
    arms = stage.exposed(campaign)
    chances = {one: 0.2 if arm == "control" else 0.5 for one, arm in arms.items()}
    bought(stage, chances, stage.clock.now + timedelta(hours=2))
    stage.clock.forward(days=2)
    waiting = results(stage.shop, campaign)
    assert isinstance(waiting.verdict, CannotSay)
    assert "2026-03-08" in waiting.verdict.needed
    stage.clock.forward(days=3)
    found = results(stage.shop, campaign, lang="zh")
    [arm] = found.arms
    treated = sum(one == "A" for one in arms.values())
    assert (arm.meant, arm.sent, arm.counted) == (treated, treated, treated)
    assert found.held_out == found.control_counted == 300 - treated
    assert isinstance(arm.difference, Estimate)
    assert arm.difference.low < 0.3 < arm.difference.high
    assert isinstance(arm.revenue, Estimate)
    assert arm.revenue.low < 3.0 < arm.revenue.high
    assert isinstance(arm.margin, Estimate)
    assert arm.margin.value == pytest.approx(arm.revenue.value * 0.4)
    assert isinstance(arm.margin_total, Estimate)
    assert arm.margin_total.value == pytest.approx(arm.margin.value * treated)
    assert isinstance(arm.cost_total, Estimate)
    assert arm.cost_total.value == pytest.approx(0.1 * treated)
    assert found.verdict.kind == "verdict"
    assert found.verdict.outcome == "better"
    assert "优于" in found.verdict.headline
    kept = Campaigns(stage.shop.database).get(campaign).result
    assert kept is not None
    assert kept["arms"]["A"]["revenue"]["kind"] == "estimate"
    assert measure(stage.shop).campaign_ids == (campaign,)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_that_a_message_came_is_nothing_that_a_customer_did(stage: Stage) -> None:
    people = stage.people(200, "file")
    told = stage.template({"text": "Tea."}, channel="file")
    campaign = stage.launched(stage.segment(*people), told, hold_out=0.5, primary="retention")
    at = stage.clock.now + timedelta(days=8)
    opened = [
        _event(f"o{n}", one, "file_opened", at, None, None) | {"source": "contact"}
        for n, (one, arm) in enumerate(stage.exposed(campaign).items())
        if arm == "A"
    ]
    load(stage, opened)
    bought(stage, {}, stage.clock.now + timedelta(days=12))
    stage.clock.forward(days=20)
    [arm] = results(stage.shop, campaign).arms
    assert arm.counted == len(opened)
    assert isinstance(arm.difference, CannotSay)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_margin_is_not_said_where_costs_are_unknown(stage: Stage) -> None:
    people = stage.people(100, "file")
    told = stage.template({"text": "Tea."}, channel="file")
    campaign = stage.launched(stage.segment(*people), told, hold_out=0.5, window_days=2)
    bought(stage, dict.fromkeys(people, 0.5), stage.clock.now + timedelta(hours=1), cost=None)
    stage.clock.forward(days=5)
    [arm] = results(stage.shop, campaign).arms
    assert isinstance(arm.revenue, Estimate)
    assert isinstance(arm.margin, CannotSay)
    assert "0%" in arm.margin.reason
    assert isinstance(arm.cost, CannotSay)


def test_without_a_hold_out_it_says_so_and_keeps_to_the_standing_one(stage: Stage) -> None:
    campaign = stage.launched(stage.segment(*stage.people(5)), hold_out=0)
    found = results(stage.shop, campaign)
    assert isinstance(found.verdict, CannotSay)
    assert "Nobody is held out" in found.verdict.reason
    assert found.arms[0].meant == 5
    assert [one.campaign_id for one in list_(stage.shop).campaigns] == [campaign]


class _Killed(Exception):
    pass


@pytest.mark.parametrize("where", ["expose", "enqueue", "letters", "advance"])
def test_killed_anywhere_and_resumed_nobody_is_missed_or_told_twice(
    stage: Stage, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = stage.people(40, "file")
    told = stage.template({"text": "Tea."}, channel="file")
    stage.rules(caps=[{"most": 1, "days": 1}])
    made = stage.confirmed(stage.segment(*people), told, hold_out=0.3)
    monkeypatch.setattr("shopkeeper.campaigns.launching.PAGE", 15)
    whole = getattr(pages, where) if where != "advance" else Campaigns.advance
    calls = 0

    def fail(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:  # the second page: what comes before has been done and is on disk
            raise _Killed
        return whole(*args, **kwargs)

    if where == "advance":
        monkeypatch.setattr(Campaigns, "advance", fail)
    else:
        monkeypatch.setattr(pages, where, fail)
    with pytest.raises(_Killed):
        launch(stage.shop)
    stage.send("file")  # what was queued before leaves before anybody launches again
    launch(stage.shop)
    stage.send("file")
    arms = stage.exposed(made.campaign_id)
    assert set(arms) == set(people)
    letters = (stage.shop.folder / "outgoing" / "letters.jsonl").read_text().splitlines()
    treated = [one for one in people if arms[one] == "A"]
    assert len(letters) == len(treated)
    assert {one.customer_id for one in stage.outbox.page({}, 100)} == set(treated)
    assert stage.counts(made.campaign_id) == {
        "queued": len(treated),
        "control": 40 - len(treated),
    }


def test_by_each_customers_own_clock_and_on_nights_when_clocks_change(stage: Stage) -> None:
    told = stage.template({"text": "Tea."}, channel="file")
    east = stage.customer("E", "file", time_zone="Asia/Shanghai")
    west = stage.customer("W", "file", time_zone="Europe/London")
    other = stage.customer("N", "file", time_zone="no zone at all")
    tomorrow = datetime(2026, 3, 5, 2, tzinfo=UTC)  # ten in the morning in Shanghai
    segment = stage.segment(east, west, other)
    made = stage.confirmed(segment, told, hold_out=0, starts_at=tomorrow, local_time=True)
    stage.clock.forward(hours=20)
    launch(stage.shop)
    assert stage.states() == {}
    stage.clock.now = tomorrow
    launch(stage.shop)
    stage.send("file")
    assert {one.customer_id for one in stage.outbox.page({}, 9)} == {"E", "N"}
    assert show(stage.shop, made.campaign_id).campaign.status == "sending"
    stage.clock.forward(hours=8)
    launch(stage.shop)
    stage.send("file")
    launch(stage.shop)
    assert {one.customer_id for one in stage.outbox.page({}, 9)} == {"E", "N", "W"}
    assert show(stage.shop, made.campaign_id).campaign.status == "done"


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ("2026-03-29T02:30:00+08:00", "2026-03-29T01:30:00+00:00"),
        ("2026-03-29T01:30:00+08:00", "2026-03-29T00:30:00+00:00"),
        ("2026-10-25T02:30:00+08:00", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_a_time_that_berlin_skips_or_shows_twice_is_one_instant(wall: str, expected: str) -> None:
    design = Design.model_validate(
        {
            "name": "x",
            "segment_id": "S1",
            "templates": [{"template_id": "W1"}],
            "starts_at": wall,
            "local_time": True,
        }
    )
    found = due(design, Settings(time_zone="Asia/Shanghai"), "Europe/Berlin")
    assert found is not None
    assert found.isoformat() == expected


def test_quiet_hours_are_told_and_wait(stage: Stage) -> None:
    stage.rules(quiet={"start": "22:00", "end": "08:00"})
    told = stage.template({"text": "Tea."}, channel="file")
    segment = stage.segment(*stage.people(4, "file"))
    late = stage.draft(segment, told, hold_out=0, starts_at=NOON + timedelta(hours=11))
    found = {one.reason: one.customers for one in dry_run(stage.shop, late.campaign_id).counts}
    assert found == {"quiet_hours": 4}


def test_of_several_templates_each_customer_gets_one(stage: Stage) -> None:
    first, second = (stage.template({"text": one}, channel="file") for one in ("Tea.", "Coffee."))
    people = stage.people(80, "file")
    campaign = stage.launched(stage.segment(*people), first, second, hold_out=0.2)
    arms = stage.exposed(campaign)
    assert set(arms.values()) == {"control", "A", "B"}
    by_content = {
        one.customer_id: (one.labels["content_id"], one.labels["variant_id"])
        for one in stage.outbox.page({}, 100)
    }
    assert {one for one, arm in arms.items() if arm != "control"} == set(by_content)
    assert set(by_content.values()) == {(f"{first}@1", "A"), (f"{second}@1", "B")}
    assert all(by_content[one][1] == arms[one] for one in by_content)
    propensities = {round(one.labels["propensity"], 6) for one in stage.outbox.page({}, 100)}
    assert propensities == {0.4}
