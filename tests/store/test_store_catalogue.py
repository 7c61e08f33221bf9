from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from shopkeeper.core.errors import BadInput, NotFound, UnknownName
from shopkeeper.core.schema import FACTS, ITEMS
from shopkeeper.store.catalogue import Catalogue
from shopkeeper.store.database import Database

VALIDITY = {"valid_from", "valid_to"}
ITEM: dict[str, Any] = {
    "item_id": "jujube-500",
    "kind": "product",
    "title": "若羌红枣 500g",
    "description": "Sweet",
    "body": "Grown in Ruoqiang.",
    "brand": "楼兰",
    "category": "食品 > 干果",
    "price": 39.9,
    "cost": 21.5,
    "stock": 120.0,
    "currency": "CNY",
    "attributes": {"origin": "新疆", "nul": "\x00"},
    "image_url": "https://example.com/j.jpg",
    "available_from": datetime(2026, 1, 1, tzinfo=UTC),
    "expires_at": None,
    "language": "zh",
}
FACT = {
    "fact_id": "f1",
    "item_id": "jujube-500",
    "name": "weight",
    "value": "500",
    "unit": "g",
    "source": "label",
}


def test_items_and_facts_have_the_columns_of_the_schema(database: Database) -> None:
    catalogue = Catalogue(database)
    assert catalogue.upsert_items([ITEM]) == 1
    assert catalogue.upsert_facts([FACT]) == 1
    assert list(catalogue.items()) == [ITEM]
    assert list(catalogue.facts()) == [FACT]
    assert set(ITEM) == set(ITEMS.names) - VALIDITY
    assert set(FACT) == set(FACTS.names) - VALIDITY
    assert catalogue.item("jujube-500") == ITEM
    assert catalogue.facts_of("jujube-500") == [FACT]


def test_columns_that_a_row_does_not_name_keep_their_value(database: Database) -> None:
    catalogue = Catalogue(database)
    catalogue.upsert_items([ITEM])
    catalogue.upsert_items([{"item_id": "jujube-500", "price": 35}])
    assert catalogue.item("jujube-500") == {**ITEM, "price": 35}
    catalogue.upsert_items([{"item_id": "jujube-500", "brand": None}, {"item_id": "new"}])
    assert catalogue.item("jujube-500")["brand"] is None
    assert catalogue.item("new")["kind"] == "product"


def test_of_two_rows_with_one_id_the_later_wins(database: Database) -> None:
    catalogue = Catalogue(database)
    catalogue.upsert_items(
        [
            {"item_id": "a", "title": "one", "price": 1},
            {"item_id": "a", "price": 2},
            {"item_id": "a", "title": "three", "price": 3},
        ]
    )
    assert (catalogue.item("a")["title"], catalogue.item("a")["price"]) == ("three", 3)


def test_stock_and_costs_are_set_for_known_items_only(database: Database) -> None:
    catalogue = Catalogue(database)
    catalogue.upsert_items([ITEM])
    catalogue.set_stock({"jujube-500": 7})
    catalogue.set_costs({"jujube-500": 20})
    assert catalogue.item("jujube-500") == {**ITEM, "stock": 7, "cost": 20}
    with pytest.raises(NotFound, match="No item 'ghost'"):
        catalogue.set_stock({"ghost": 1, "jujube-500": 0})
    assert catalogue.item("jujube-500")["stock"] == 7


def test_removed_items_take_their_facts_along(database: Database) -> None:
    catalogue = Catalogue(database)
    catalogue.upsert_items([ITEM, {"item_id": "other"}])
    catalogue.upsert_facts([FACT, {**FACT, "fact_id": "f2", "item_id": "other"}])
    catalogue.delete_item("jujube-500")
    assert [item["item_id"] for item in catalogue.items()] == ["other"]
    assert [fact["fact_id"] for fact in catalogue.facts()] == ["f2"]
    catalogue.delete_fact("f2")
    assert list(catalogue.facts()) == []
    with pytest.raises(NotFound):
        catalogue.item("jujube-500")


@pytest.mark.parametrize(
    ("row", "error", "field", "message"),
    [
        ({"title": "x"}, BadInput, "item_id", "Row 2 has no item_id"),
        ({"item_id": ""}, BadInput, "item_id", "Row 2 has no item_id"),
        ({"item_id": 7}, BadInput, "item_id", "Row 2 has no item_id"),
        ({"item_id": "b", "pricee": 1}, UnknownName, "pricee", "Did you mean 'price'"),
        ({"item_id": "b", "price": "1,99"}, BadInput, "price", "Row 2: price is '1,99'"),
        ({"item_id": "b", "price": -1}, BadInput, "price", "Row 2: price is negative"),
        ({"item_id": "b", "cost": float("nan")}, BadInput, "cost", "Row 2: cost is nan"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_of_its_batch_is_kept(
    database: Database, row: dict[str, Any], error: type[BadInput], field: str, message: str
) -> None:
    catalogue = Catalogue(database)
    with pytest.raises(error, match=message) as raised:
        catalogue.upsert_items([{"item_id": "a"}, row])
    assert raised.value.field == field
    assert list(catalogue.items()) == []


def test_twelve_thousand_items_take_seconds(database: Database) -> None:
    catalogue = Catalogue(database)
    rows = [{**ITEM, "item_id": f"item-{number:05}"} for number in range(12_000)]
    start = time.process_time()
    assert catalogue.upsert_items(rows) == 12_000
    assert time.process_time() - start < 4  # 0.5 s on a quiet core
    assert [item["item_id"] for item in catalogue.items()] == [row["item_id"] for row in rows]
