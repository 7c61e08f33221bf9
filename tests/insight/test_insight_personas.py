"""Groups of customers: found where there are some, denied where there are none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.types import CannotSay
from shopkeeper.insight import operations as insight
from shopkeeper.insight.personas import _grouped, _separation
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema


def _customers(shop: Shop, grouped: bool, count: int = 240) -> None:
    random, rows = np.random.default_rng(3), []
    for n in range(count):
        # Two kinds: who buys much and often and was here lately, and who bought once, long ago.
        kind = n % 2 if grouped else random.random()
        orders = 1 + round((12 if grouped else 3) * kind + random.random())
        for order in range(orders):
            day = date(2025, 1, 1) + timedelta(days=int(kind * 150 + random.integers(0, 20)))
            worth = float(20 + 300 * kind + random.normal(0, 5))
            rows.append(
                {"event_id": f"{n}-{order}", "name": "purchase", "day": day,
                 "received_at": datetime(2025, 6, 9, tzinfo=UTC),
                 "time": datetime(day.year, day.month, day.day, 4, tzinfo=UTC),
                 "customer_id": f"c{n}", "user_id": f"c{n}", "item_id": "i1", "order_id": f"o{n}-{order}",
                 "value": worth, "price": worth, "quantity": 1.0, "source": "test"}
            )  # fmt: skip
    with shop.writer("test") as writer:
        writer.load(EVENTS.name, pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS)))


def test_two_kinds_of_customers_are_told_apart(shop: Shop) -> None:
    _customers(shop, grouped=True)
    reply = insight.personas(shop)
    assert reply.cannot_say is None, reply
    assert [one.customers for one in reply.personas] == [120, 120]
    assert reply.separation is not None
    assert reply.by_chance is not None
    assert reply.separation > reply.by_chance
    odd = {len({int(c[1:]) % 2 for c in one.examples}) for one in reply.personas}
    assert odd == {1}
    for one in reply.personas:
        assert {trait.feature for trait in one.traits} >= {"orders (log)", "spend (log)"}
        assert all(abs(t.distance) > 0.5 for t in one.traits)


def test_without_groups_it_says_so() -> None:
    random = np.random.default_rng(5)
    values = random.normal(size=(200, 4))
    found = _grouped(values)[1]
    assert found < max(_grouped(random.permuted(values, axis=0))[1] for _ in range(3)) + 0.05
    assert _separation(values, np.zeros(200)) == -1.0


def test_too_few_customers_are_no_groups(shop: Shop) -> None:
    assert isinstance(insight.personas(shop).cannot_say, CannotSay)
    _customers(shop, grouped=True, count=40)
    reply = insight.personas(shop)
    assert reply.cannot_say is not None
    assert "40 customers" in reply.cannot_say.reason


@pytest.mark.parametrize("name", ["personas", "creatives"])
def test_they_are_reads(name: str) -> None:
    assert getattr(insight, name).effect.name == "READ"
