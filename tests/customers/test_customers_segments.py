"""Segments over a real shop: against a plain look at the rows, live against whole, and their history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from tests.conftest import SHANGHAI
from tests.customers.world import LAST, rows, world
from tests.stall import Row, accept, event

from shopkeeper.core.errors import BadInput, Conflict, NotAllowed, NotFound, UnknownName
from shopkeeper.core.operation import READ, Actor, Context
from shopkeeper.core.types import Estimate
from shopkeeper.customers import operations as customers
from shopkeeper.customers.profile.making import held
from shopkeeper.customers.segmenting.compiling import bucket
from shopkeeper.customers.segmenting.following import follow
from shopkeeper.shop import Shop

NOW = datetime(2024, 4, 10, 2, tzinfo=UTC)
DEFINITIONS = {
    "quiet": "orders >= 2 and not did purchase at least 1 times within 30 days",
    "tea": 'did purchase [category = "Tea"] at least 1 times within 20 days',
    "dear": "did purchase [value >= 80] at least 1 times",
    "carts": "did add_to_cart then purchase within 2 days during 30 days",
    "views": "did view_item [brand = \"Hill\", channel != \"email\"] at least 2 times",
    "told": 'told city = "北京"',
    "cross": 'said aspect "delivery" negative or negative_texts >= 1',
    "tenth": "in bucket 0 to 10 of salt",
    "either": "in segment S1 or in segment S8",
    "lately": "days_since_seen <= 5 and did search at most 0 times",
    "likes": 'favourite_category = "Tea"',
    "best": "f_score >= 4 and rfm_segment is known",
    "vip": "on list vip",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("segments") / "shop"
    Shop.create(folder, SHANGHAI).close()
    with Shop.open(folder, now=lambda: NOW) as opened:
        world(opened)
        customers.put_on_list(opened, name="vip", customer_ids=("c00", "c01"))
        for name, text in DEFINITIONS.items():
            customers.save_segment(opened, name=name, definition=text)
        customers.refresh_segments(opened)
        yield opened


def _in(shop: Shop, name: str) -> set[str]:
    number = list(DEFINITIONS).index(name) + 1
    found = customers.segment_members(shop, segment=f"S{number}", limit=1000)
    return {row.customer_id for row in found.rows}


def _who(test: Callable[[list[Row]], bool]) -> set[str]:
    """Customers whose rows pass, by a plain look; the crawler and test accounts are nobody's."""
    by: dict[str, list[Row]] = {}
    for row in rows():
        by.setdefault(row["user_id"], []).append(row)
    return {user for user, mine in by.items() if test(mine)} - {"crawler", "test-anna", "c06"}


def _days_ago(days: int) -> date:
    return LAST - timedelta(days=days)


def _bought(mine: list[Row]) -> list[Row]:
    return [r for r in mine if r["name"] == "purchase"]


ORACLES: dict[str, Callable[[list[Row]], bool]] = {
    "quiet": lambda mine: (
        len({r["order_id"] for r in _bought(mine)}) >= 2
        and not any(r["day"] > _days_ago(30) for r in _bought(mine))
    ),
    "tea": lambda mine: any(
        r["item_id"].startswith("tea") and r["day"] > _days_ago(20) for r in _bought(mine)
    ),
    "dear": lambda mine: any(r["value"] >= 80 for r in _bought(mine)),
    "carts": lambda mine: any(
        timedelta(0) < b["time"] - a["time"] <= timedelta(days=2) and b["day"] > _days_ago(30)
        for a in mine
        if a["name"] == "add_to_cart"
        for b in _bought(mine)
    ),
    "views": lambda mine: (
        sum(
            r["name"] == "view_item"
            and r["item_id"] in ("tea-1", "pot-1")
            and r.get("channel") == "direct"
            for r in mine
        )
        >= 2
    ),
    "tenth": lambda mine: bucket("salt", [mine[0]["user_id"]])[0] < 10,
    "lately": lambda mine: (
        max(r["day"] for r in mine) >= _days_ago(5) and not any(r["name"] == "search" for r in mine)
    ),
}


@pytest.mark.parametrize("name", ORACLES)
def test_members_are_those_of_a_plain_look(shop: Shop, name: str) -> None:
    expected = _who(ORACLES[name])
    assert _in(shop, name) == expected
    assert 0 < len(expected) < 44


def test_opinions_lists_told_and_other_segments(shop: Shop) -> None:
    assert _in(shop, "cross") == {"c01"}
    assert _in(shop, "told") == {"c03"}
    assert _in(shop, "vip") == {"c00", "c01"}
    assert _in(shop, "either") == _in(shop, "quiet") | _in(shop, "tenth")
    assert {"ordered", "same-time"} <= _in(shop, "likes")
    assert "same-time" not in _in(shop, "carts")


def test_bots_and_test_accounts_are_counted_and_in_no_segment(shop: Shop) -> None:
    listed = customers.segments(shop)
    assert listed.left_out == {"bot": 1, "test": 2}
    assert listed.population == 46


def test_one_customer_live_is_the_same_as_everybody_at_once(shop: Shop) -> None:
    everybody = {row["user_id"] for row in rows()}
    whole = {name: _in(shop, name) for name in DEFINITIONS}
    assert shop.timelines.days()  # one copy of closed days, and the last day from the tables
    for one in sorted(everybody):
        _, inside = held(shop, one)
        now = {list(DEFINITIONS)[int(segment[1:]) - 1] for segment, yes in inside.items() if yes}
        assert now == {name for name in DEFINITIONS if one in whole[name]}, one


def test_reasons_say_what_each_condition_found(shop: Shop) -> None:
    [row] = [
        r for r in customers.segment_members(shop, segment="S1").rows if r.customer_id == "quiet"
    ]
    assert [r.text for r in row.reasons] == [
        "orders in all: 2",
        "did not “buy” in the last 30 days",
    ]
    zh = customers.segment_members(shop, segment="S1", lang="zh").rows
    assert {"累计订单数：2"} <= {
        r.text for r in next(x for x in zh if x.customer_id == "quiet").reasons
    }


def test_overlap_counts_shared_customers(shop: Shop) -> None:
    found = customers.segment_overlap(shop, segments=("S1", "S9"))
    quiet, either = _in(shop, "quiet"), _in(shop, "either")
    assert found.shared == ((len(quiet), len(quiet)), (len(quiet), len(either)))
    assert found.jaccard[0][1] == pytest.approx(len(quiet) / len(either))


def test_the_forecast_of_a_small_shop_is_exact(shop: Shop) -> None:
    found = customers.forecast_segment(shop, definition=DEFINITIONS["tea"])
    assert isinstance(found.size, Estimate)
    assert found.exact
    assert found.size.value == found.size.low == len(_in(shop, "tea"))


def test_the_profile_has_every_part(shop: Shop) -> None:
    shop.consent.record("c01", "marketing", "email", "DENY", NOW, {"by": "test"})
    found = customers.profile(shop, customer_id="c01")
    known = {one.name: one for one in found.traits}
    mine = [row for row in rows() if row["user_id"] == "c01"]
    assert known["events"].value == len(mine)
    assert known["negative_texts"].value == 1
    assert known["orders"].value == len({r["order_id"] for r in _bought(mine)})
    assert all(one.evidence and one.as_of == LAST for one in found.traits)
    assert [(c.purpose, c.status) for c in found.consent] == [("marketing", "DENY")]
    assert {one.label for one in found.opinions} == {"negative", "delivery"}
    assert {one.name for one in found.segments} >= {"vip", "cross"}
    assert "refused" in {one.code for one in found.next_actions}
    assert found.no_predictions is not None


def test_accounts_to_be_doubted_are_flagged(shop: Shop) -> None:
    flags = {
        one: [f.code for f in customers.profile(shop, customer_id=one).flags]
        for one in ("crawler", "test-anna", "refunded", "c04", "c05")
    }
    assert flags["crawler"] == ["doubt.bot"]
    assert flags["test-anna"] == ["doubt.test"]
    assert flags["refunded"] == ["doubt.refunds"]
    assert flags["c04"] == ["doubt.birthday"]
    assert flags["c05"] == []
    ages = {
        one: {t.name: t.value for t in customers.profile(shop, customer_id=one).traits}.get("age")
        for one in ("c04", "c05")
    }
    assert ages == {"c04": None, "c05": 33}  # the day before the birthday


def test_a_membership_says_when_it_ends_if_nothing_happens(shop: Shop) -> None:
    found = customers.profile(shop, customer_id="ordered")
    ends = {one.name: one.changes_on for one in found.segments}
    bought = next(r["day"] for r in rows() if r["user_id"] == "ordered" and r["name"] == "purchase")
    assert ends["tea"] == bought + timedelta(days=20)
    assert ends["carts"] == bought + timedelta(days=30)


def test_nobody_has_no_profile(shop: Shop) -> None:
    with pytest.raises(NotFound, match="Nothing is known"):
        customers.profile(shop, customer_id="nobody")


def _late(number: int) -> Row:
    line = {"value": 40.0, "price": 40.0, "quantity": 1.0, "order_id": "late"}
    return event(number, 39.3, "purchase", "quiet", "tea-1", **line)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Shop]:
    Shop.create(tmp_path / "own", SHANGHAI).close()
    ticks = count()
    with Shop.open(
        tmp_path / "own", now=lambda: NOW + timedelta(milliseconds=next(ticks))
    ) as opened:
        world(opened)
        yield opened


def test_an_event_in_the_log_counts_at_once_and_a_refresh_writes_who_left(own: Shop) -> None:
    customers.save_segment(own, name="quiet", definition=DEFINITIONS["quiet"])
    customers.refresh_segments(own)
    assert held(own, "quiet")[1] == {"S1": True}
    late = _late(90_000)
    accept(own, late)
    assert held(own, "quiet")[1] == {"S1": False}
    with own.writer("test") as writer:
        writer.drain()
    done = customers.refresh_segments(own)
    assert (done.entered, done.left) == (0, 1)
    [first, *_] = customers.segment_changes(own, segment="S1").rows
    assert (first.customer_id, first.change) == ("quiet", "left")
    assert customers.refresh_segments(own).left == 0
    trend = customers.segment_detail(own, segment="S1").trend
    assert [point.left for point in trend] == [0, 1, 0]


def test_the_worker_follows_who_has_just_done_something(own: Shop) -> None:
    customers.save_segment(own, name="quiet", definition=DEFINITIONS["quiet"])
    customers.save_segment(own, name="lately", definition="days_since_seen <= 3 and orders >= 2")
    assert follow(own, 0) == (0, 0)
    customers.refresh_segments(own)
    late = _late(90_001)
    accept(own, late)
    position, changed = follow(own, 0)
    assert changed == 2
    rows_ = customers.segment_changes(own, limit=2).rows
    assert {(r.customer_id, r.segment, r.change) for r in rows_} == {
        ("quiet", "S1", "left"),
        ("quiet", "S2", "entered"),
    }
    assert follow(own, position) == (position, 0)
    with own.writer("test") as writer:
        writer.drain()
    done = customers.refresh_segments(own)
    assert (done.entered, done.left) == (0, 0)


def test_versions_can_be_undone_and_restored(own: Shop) -> None:
    save = customers.save_segment
    save(own, name="A", definition="orders >= 2")
    save(own, name="B", definition="orders >= 3", segment="S1", note="fewer")
    assert customers.undo_segment(own, segment="S1").row.text == "orders >= 2"
    back = customers.restore_segment(own, segment="S1", version=2)
    assert (back.row.version, back.row.name, back.row.text) == (4, "B", "orders >= 3")
    assert [v.version for v in back.versions] == [4, 3, 2, 1]
    with pytest.raises(NotFound, match="no version 9"):
        customers.restore_segment(own, segment="S1", version=9)
    customers.archive_segment(own, segment="S1")
    assert customers.segments(own).segments == ()
    assert customers.restore_segment(own, segment="S1", version=1).row.status == "live"
    save(own, name="C", definition="everyone")
    with pytest.raises(Conflict):
        customers.undo_segment(own, segment="S2")


def test_what_breaks_later_is_set_aside_with_its_reason(own: Shop) -> None:
    customers.allow_sensitive(own, topic="minors", reason="A shop for schools.")
    customers.save_segment(own, name="young", definition="age < 18")
    customers.save_segment(own, name="of young", definition="in segment S1 and orders >= 0")
    customers.save_segment(own, name="fine", definition="orders >= 1")
    customers.save_segment(own, name="draft", definition="orders >= 1", draft=True)
    customers.allow_sensitive(own, topic="minors", allowed=False)
    done = customers.refresh_segments(own)
    assert set(done.problems) == {"S1", "S2"}
    assert done.segments == 1
    by = {row.id: row for row in customers.segments(own).segments}
    assert "minors" in str(by["S1"].problem)
    assert by["S3"].members
    assert by["S4"].members is None
    with pytest.raises(BadInput, match="S3 → S3"):
        customers.save_segment(own, name="x", definition="in segment S3", segment="S3")
    with pytest.raises(BadInput, match="need a reason"):
        customers.allow_sensitive(own, topic="health")
    with pytest.raises(UnknownName, match="No list"):
        customers.save_segment(own, name="x", definition="on list nobody")


def test_members_of_a_segment_that_was_put_away_leave(own: Shop) -> None:
    customers.save_segment(own, name="all", definition="orders >= 1")
    entered = customers.refresh_segments(own).entered
    customers.archive_segment(own, segment="S1")
    assert customers.refresh_segments(own).left == entered > 0
    customers.archive_segment(own, segment="S1", archived=False)
    assert customers.refresh_segments(own).entered == entered


def test_only_the_owner_decides_on_sensitive_topics(own: Shop) -> None:
    editor = Actor("person", "ed", frozenset({"customers:write"}))
    with pytest.raises(NotAllowed, match="Only the owner"):
        customers.allow_sensitive(Context(own, editor), topic="health", reason="x")


def test_an_event_that_the_shop_never_had_is_warned_of(own: Shop) -> None:
    found = customers.explain_segment(own, definition="did purchse at least 1 times")
    assert found.warnings == ("This shop has no event 'purchse'. Did you mean 'purchase'?",)


def test_lists_are_kept_by_hand(own: Shop) -> None:
    assert customers.put_on_list(own, name="vip", customer_ids=("a", "b")).changed == 2
    assert customers.put_on_list(own, name="vip", customer_ids=("b", "c")).changed == 1
    assert customers.take_off_list(own, name="vip", customer_ids=("a", "zz")).changed == 1
    assert customers.lists(own).lists[0].customers == 2
    with pytest.raises(UnknownName):
        customers.take_off_list(own, name="vi", customer_ids=("a",))


def test_a_shop_without_events_answers_all_reads(tmp_path: Path) -> None:
    with Shop.create(tmp_path / "none", SHANGHAI) as none:
        assert customers.segments(none).segments == ()
        assert customers.forecast_segment(none, definition="orders >= 1").population == 0
        customers.save_segment(none, name="a", definition="orders >= 1")
        assert customers.refresh_segments(none).population == 0
        assert customers.segment_members(none, segment="S1").total == 0
        assert customers.segment_overlap(none).shared == ((0,),)
        reads = (customers.traits, customers.segment_changes, customers.lists)
        for one in (*reads, customers.sensitive_topics):
            assert one.effect == READ
            one(none)
