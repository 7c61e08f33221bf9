"""A small shop of forty days with customers of every kind, and a plain look at its rows."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pyarrow as pa
from tests.stall import START, Row, event, stock

from shopkeeper.core.schema import READINGS, TEXTS, TRAITS
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

DAYS = 40
LAST = date(2024, 4, 10)
ITEMS = [
    {"item_id": "tea-1", "title": "Tea", "category": "Tea > Green", "brand": "Hill", "price": 40.0},
    {
        "item_id": "tea-2",
        "title": "Tea 2",
        "category": "Tea > Black",
        "brand": "Lake",
        "price": 90.0,
    },
    {
        "item_id": "pot-1",
        "title": "Pot",
        "category": "Ware > Pots",
        "brand": "Hill",
        "price": 200.0,
    },
    {"item_id": "cup-1", "title": "Cup", "category": "Ware > Cups", "brand": "Lake", "price": 20.0},
]
PRICES = {str(one["item_id"]): float(str(one["price"])) for one in ITEMS}


def rows() -> list[Row]:
    """Forty customers by chance, and some by hand: quiet, bot, refunded, sequence."""
    dice = Random(7)
    found: list[Row] = []

    def add(day: float, name: str, user: str, item: str | None = None, **more: Any) -> None:
        found.append(event(len(found), day, name, user, item, **more))

    def buy(day: float, user: str, item: str, order: str) -> None:
        price = PRICES[item]
        add(day, "purchase", user, item, price=price, quantity=1.0, value=price, order_id=order)

    names = ("view_item", "view_item", "add_to_cart", "purchase", "search")
    for number in range(40):
        user = f"c{number:02}"
        for visit in range(dice.randint(1, 8)):
            day, name = dice.uniform(0, DAYS - 0.2), dice.choice(names)
            item = None if name == "search" else dice.choice(sorted(PRICES))
            channel = dice.choice(("email", "direct"))
            if name == "purchase" and item:
                buy(day, user, item, f"o-{user}-{visit}")
            else:
                add(day, name, user, item, channel=channel, session_id=f"{user}-{int(day)}")
    buy(1.0, "quiet", "tea-1", "o1")
    buy(2.0, "quiet", "tea-2", "o2")
    buy(30.0, "refunded", "cup-1", "o3")
    add(31.0, "refund", "refunded", "pot-1", value=200.0, order_id="o3", quantity=1.0, price=200.0)
    add(35.0, "add_to_cart", "ordered", "tea-1")
    buy(35.5, "ordered", "tea-1", "o4")
    add(35.0, "add_to_cart", "same-time", "tea-1")
    buy(35.0, "same-time", "tea-1", "o5")
    for number in range(1200):
        add(20 + number / 1300, "view_item", "crawler", "tea-1")
    add(39.0, "view_item", "test-anna", "tea-1")
    return found


def world(shop: Shop) -> Shop:
    """The shop with its rows, two texts that were read, and two things told."""
    stock(shop, rows(), ITEMS)
    base = {"kind": "review", "author_role": "customer", "source": "test", "item_id": "tea-1"}
    day = {"time": START, "day": date(2024, 3, 1)}
    texts = [
        {
            "text_id": "t1",
            "customer_id": "c01",
            "body": "Slow delivery.",
            "rating": 1.0,
            **base,
            **day,
        },
        {"text_id": "t2", "customer_id": "c02", "body": "Fine tea.", "rating": 5.0, **base, **day},
    ]
    read = {
        "day": day["day"],
        "position": 0,
        "answered_by": "test",
        "model_version": "1",
        "time": START,
    }
    readings = [
        {"text_id": "t1", "task": "sentiment", "label": "negative", "value": -1.0, **read},
        {
            "text_id": "t1",
            "task": "aspects",
            "label": "delivery",
            "value": -1.0,
            "span": "delivery",
            **read,
        },
        {"text_id": "t2", "task": "sentiment", "label": "positive", "value": 1.0, **read},
    ]
    told = {"time": START, "source": "test"}
    traits = [
        {"customer_id": "c03", "name": "city", "value": "北京", **told},
        {"customer_id": "c04", "name": "birthday", "value": "2999-01-01", **told},
        {"customer_id": "c05", "name": "birthday", "value": "1990-04-11", **told},
        {"customer_id": "c06", "name": "is_test", "value": "true", **told},
    ]
    with shop.writer("test") as writer:
        for table, some in ((TEXTS, texts), (READINGS, readings), (TRAITS, traits)):
            writer.load(table.name, pa.Table.from_pylist(some, schema=arrow_schema(table)))
    return shop
