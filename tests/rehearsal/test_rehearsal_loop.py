"""The whole loop on a small simulated shop: played once, told again, its truth beside the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import narwhals as nw
import pyarrow.parquet as pq
import pytest

from shopkeeper.core.errors import Conflict, LeaseHeld, NotAllowed
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.settings import Settings
from shopkeeper.core.subject import Needles
from shopkeeper.core.types import Estimate
from shopkeeper.rehearsal.clock import Clock
from shopkeeper.rehearsal.loop import Memory
from shopkeeper.rehearsal.operations import loop, truth
from shopkeeper.rehearsal.stage import remembered, staged
from shopkeeper.rehearsal.types import Loop
from shopkeeper.shop import Shop
from shopkeeper.simulate import erase
from shopkeeper.simulate.operations import build
from shopkeeper.store.campaigns import Campaigns
from shopkeeper.store.outbox import Outbox

_SCENARIO = "events = 9000\ncustomers = 300\ndays = 45\nreviews = 0.05\nchats = 0.0\n"
_DAYS = 3


@dataclass(frozen=True)
class Rehearsed:
    folder: Path
    first: Loop


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    folder = tmp_path_factory.mktemp("rehearsal") / "shop"
    scenario = folder.with_suffix(".toml")
    scenario.write_text(_SCENARIO, "utf-8")
    with Shop.create(folder, Settings(time_zone="Asia/Shanghai", currency="CNY")) as shop:
        build(shop, scenario=str(scenario), seed=11)
        told: list[str] = []
        context = Context(shop, progress=lambda _done, _total, message: told.append(message))
        first = loop(context, days=_DAYS, segment="orders >= 1")
    assert {"segment", "template"} <= set(told)
    return Rehearsed(folder, first)


@pytest.fixture
def shop(rehearsed: Rehearsed) -> Iterator[Shop]:
    with Shop.open(rehearsed.folder) as opened:
        yield opened


def test_every_act_is_played_in_order(rehearsed: Rehearsed) -> None:
    assert [one.act for one in rehearsed.first.steps] == [
        "advice", "segment", "insight", "template", "approval", "campaign", "dry_run", "confirmation",
        "sending", "reaction", "advice",
    ]  # fmt: skip
    assert not any(one.before for one in rehearsed.first.steps)
    by_act = {one.act: one.figures for one in rehearsed.first.steps}
    approval = by_act["approval"]
    assert approval["author"] != approval["approver"]
    dry = by_act["dry_run"]
    assert dry["audience"] == by_act["segment"]["customers"]
    assert {"control", "ok", "no_consent", "consent_refused"} <= set(dry)


def test_letters_left_and_their_readers_reacted(rehearsed: Rehearsed, shop: Shop) -> None:
    campaign = Campaigns(shop.database).get(rehearsed.first.campaign_id)
    letters = Outbox(shop.database).page({"campaign_id": campaign.id}, 1000)
    left = [one for one in letters if one.sent_at is not None]
    assert left
    assert campaign.launched_at is not None
    assert all(one.sent_at and one.sent_at >= campaign.launched_at for one in left)
    names = shop.query(
        lambda s: s.events().filter(nw.col("campaign_id") == campaign.id).select("name", "source")
    ).to_pylist()
    kinds = {row["name"] for row in names}
    assert {"file_sent", "file_delivered", "file_opened"} <= kinds
    got = {one.customer_id for one in left}
    came = shop.query(
        lambda s: (
            s.events()
            .filter(nw.col("campaign_id") == campaign.id, ~nw.col("user_id").is_null())
            .select("user_id")
            .unique()
        )
    )
    assert set(came["user_id"].to_pylist()) <= got


def test_the_interval_stands_beside_the_truth(rehearsed: Rehearsed, shop: Shop) -> None:
    beside = {one.measure: one for one in rehearsed.first.beside}
    assert set(beside) == {"conversion", "revenue", "margin"}
    for one in beside.values():
        assert isinstance(one.reported, Estimate)
        assert one.holds == (one.reported.low <= one.truth <= one.reported.high)
    told = truth(shop, campaign_id=rehearsed.first.campaign_id)
    lifts = {one.measure: one.lift for one in told.effects}
    assert lifts["conversion"] == beside["conversion"].truth > 0
    assert lifts["orders"] >= lifts["conversion"]
    assert truth(shop, campaign_id="K99").effects == ()
    table = pq.read_table(rehearsed.folder / "truth" / "campaigns" / "K1-A.parquet")
    assert set(table["variant_id"].to_pylist()) == {"control", "A"}
    gain = sum(table["conversion_with"].to_pylist()) - sum(table["conversion_without"].to_pylist())
    assert gain / table.num_rows == pytest.approx(lifts["conversion"])


def test_played_again_it_says_what_is_there(rehearsed: Rehearsed, shop: Shop) -> None:
    span = shop.span()
    again = loop(shop, days=_DAYS)
    assert shop.span() == span
    assert all(one.before for one in again.steps)
    assert again.beside == rehearsed.first.beside
    assert again.today == rehearsed.first.today
    assert len(Campaigns(shop.database).all()) == 1


def test_a_day_that_broke_off_is_finished_without_doubles(rehearsed: Rehearsed) -> None:
    """The last day's record is lost, as by a crash before it was written: it is played once more."""
    with Shop.open(rehearsed.folder) as shop:
        before = shop.query(lambda s: s.events().select("event_id")).num_rows
        letters = len(Outbox(shop.database).page({}, 1000))
        days = remembered(shop)
    (rehearsed.folder / "truth" / "played.json").write_text(json.dumps({"days": days - 1}))
    with staged(rehearsed.folder) as stage:
        assert stage.played == days - 1
        stage.day()
        assert remembered(stage.shop) == days
    with Shop.open(rehearsed.folder) as shop:
        assert shop.query(lambda s: s.events().select("event_id")).num_rows == before
        assert len(Outbox(shop.database).page({}, 1000)) == letters


def test_the_truth_of_an_erased_customer_goes(rehearsed: Rehearsed, shop: Shop) -> None:
    path = rehearsed.folder / "truth" / "campaigns" / "K1-A.parquet"
    one = pq.read_table(path)["customer_id"].to_pylist()[0]
    needles = Needles(frozenset({one}), (one,))
    assert any("campaigns" in name for name in erase.found(shop, needles))


def test_only_the_owner_of_the_machine_rehearses(shop: Shop) -> None:
    person = Actor("person", "ann", frozenset({"*:*"}))
    with pytest.raises(NotAllowed, match="invents people"):
        loop(Context(shop, person))


def test_a_shop_that_is_being_served_is_left_alone(shop: Shop) -> None:
    with shop.writer("serving"), pytest.raises(LeaseHeld):
        loop(shop, days=_DAYS)


def test_a_shop_with_real_customers_is_refused(tmp_path: Path) -> None:
    with (
        Shop.create(tmp_path / "real", Settings(time_zone="Asia/Shanghai")) as real,
        pytest.raises(Conflict, match="not simulated"),
    ):
        loop(real)


def test_a_clock_never_goes_back(shop: Shop) -> None:
    now = shop.now()
    clock = Clock(now)
    clock.to(now - timedelta(days=1))
    assert clock() == now
    clock.to(now + timedelta(days=1))
    assert clock() == now + timedelta(days=1)


def test_what_was_done_is_remembered_by_act(rehearsed: Rehearsed, shop: Shop) -> None:
    memory = Memory(shop)
    assert memory["campaign"] == rehearsed.first.campaign_id
    assert "lived" in memory
    assert "nothing" not in memory
