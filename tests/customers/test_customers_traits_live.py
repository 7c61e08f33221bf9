"""The traits of one customer, as of this second, are those that the engine finds for everybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conftest import SHANGHAI
from tests.customers.test_customers_segments import NOW
from tests.customers.world import ITEMS, LAST, world
from tests.stall import event, stock

from shopkeeper.customers.profile.making import goods
from shopkeeper.customers.segmenting.compiling import Plan
from shopkeeper.customers.segmenting.live import case_of, table_of
from shopkeeper.customers.traits.frame import traits
from shopkeeper.shop import Shop

NO_PLAN = Plan.of({}, {})
AGAINST_OTHERS = {"rfm_segment", "r_score", "f_score", "m_score"}  # kept from the last refresh


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("live") / "shop"
    Shop.create(folder, SHANGHAI).close()
    with Shop.open(folder, now=lambda: NOW) as opened:
        yield world(opened)


def test_every_trait_of_every_customer_is_the_same(shop: Shop) -> None:
    zone = shop.settings.zone
    whole = shop.query(lambda source: traits(source, LAST, zone)).to_pylist()
    assert len(whole) > 40
    for row in whole:
        case = case_of(shop, row["customer_id"], goods(shop))
        [alone] = table_of(shop, case, NO_PLAN).to_pylist()
        for name in row.keys() - AGAINST_OTHERS:
            expected = row[name]
            if isinstance(expected, float):
                expected = pytest.approx(expected)
            assert alone[name] == expected, (row["customer_id"], name)


def test_who_bought_often_within_two_days_is_overdue_in_days(shop: Shop) -> None:
    bought = [
        event(number, 1 + number / 40, "purchase", "hasty", "tea-1", order_id=f"h{number}", value=40.0)
        for number in range(34)
    ]  # fmt: skip
    folder = shop.folder.parent / "hasty"
    Shop.create(folder, SHANGHAI).close()
    with Shop.open(folder, now=lambda: NOW) as other:
        stock(other, [*bought, event(99, 31, "view_item", "hasty", "tea-1")], ITEMS)
        [row] = table_of(other, case_of(other, "hasty", goods(other)), NO_PLAN).to_pylist()
    assert row["orders"] == 34
    assert 0 < row["days_between_orders"] < 0.1
    assert row["overdue"] == row["days_since_order"] > 20
