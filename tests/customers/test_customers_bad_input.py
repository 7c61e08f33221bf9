"""Devices of several customers, and accounts merged by mistake: each act counts for whose it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.conftest import SHANGHAI

from shopkeeper.core.schema import EVENTS
from shopkeeper.customers import operations as customers
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

START = datetime(2024, 3, 1, 4, tzinfo=UTC)
NOW = START + timedelta(days=20)


def order(number: int, day: float, **sent: str) -> dict[str, object]:
    moment = START + timedelta(days=day)
    row: dict[str, object] = dict.fromkeys(EVENTS.names)
    return row | {
        "event_id": f"e{number}", "name": "purchase", "time": moment, "received_at": moment,
        "day": moment.date(), "item_id": "tea", "quantity": 1.0, "price": 10.0, "value": 10.0,
        "order_id": f"o{number}", "properties": {}, "source": "test", **sent,
    }  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Ann and Bob share a tablet, one after the other; Bob's phone was his alone."""
    Shop.create(tmp_path / "shop", SHANGHAI).close()
    with Shop.open(tmp_path / "shop", now=lambda: NOW) as opened:
        for who in ("ann", "bob"):
            opened.people.upsert([{"customer_id": who, "traits": {}}])
        opened.people.identify("tablet", "ann", "identify", START)
        opened.people.identify("tablet", "bob", "identify", START + timedelta(days=10))
        opened.people.identify("phone", "bob", "identify", START)
        rows = [
            order(1, 1, anonymous_id="tablet"),
            order(2, 2, anonymous_id="tablet"),
            order(3, 11, anonymous_id="tablet"),
            order(4, 12, user_id="ann"),
        ]
        with opened.writer("test") as writer:
            writer.load("events", pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS)))
            writer.snapshot()
        yield opened


def inside(shop: Shop, segment: str) -> set[str]:
    with shop.writer("test") as writer:
        writer.snapshot()
    customers.refresh_segments(shop)
    return {row.customer_id for row in customers.segment_members(shop, segment=segment).rows}


def test_what_was_done_on_a_shared_device_counts_for_who_had_it_then(shop: Shop) -> None:
    made = customers.save_segment(shop, name="Thrice", definition="orders >= 3").row.id
    assert inside(shop, made) == {"ann"}
    ann = customers.profile(shop, customer_id="ann")
    bob = customers.profile(shop, customer_id="bob")
    orders = [
        next(one.value for one in found.traits if one.name == "orders") for found in (ann, bob)
    ]
    assert orders == [3, 1]
    for found in (ann, bob):
        [flag] = [one for one in found.flags if one.code == "doubt.shared"]
        assert "tablet" in flag.text
    zh = customers.profile(shop, customer_id="bob", lang="zh").flags
    assert any("共用" in flag.text for flag in zh)


def test_a_merge_that_is_undone_takes_the_membership_back(shop: Shop) -> None:
    made = customers.save_segment(shop, name="Four", definition="orders >= 4").row.id
    assert inside(shop, made) == set()
    shop.people.identify("ann", "bob", "alias", NOW - timedelta(days=1))  # by mistake: one person
    assert inside(shop, made) == {"bob"}
    assert customers.identities(shop, customer_id="ann").customer_id == "bob"
    assert customers.undo_identity(shop, sent_id="ann").customer_id == "ann"
    assert inside(shop, made) == set()
    changes = [
        (one.customer_id, one.change) for one in customers.segment_changes(shop, segment=made).rows
    ]
    assert sorted(changes) == [("bob", "entered"), ("bob", "left")]
    orders = {
        who: next(
            one.value
            for one in customers.profile(shop, customer_id=who).traits
            if one.name == "orders"
        )
        for who in ("ann", "bob")
    }
    assert orders == {"ann": 3, "bob": 1}
