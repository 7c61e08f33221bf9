"""Real shops with few events, and one with random ones beside the plain rows they came from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.settings import Settings
from shopkeeper.shop.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

ZONE = ZoneInfo("Asia/Shanghai")
Rows = list[dict[str, Any]]
MakeShop = Callable[..., Shop]


def event(number: int, moment: datetime, name: str, **columns: Any) -> dict[str, Any]:
    """One row of events; ``moment`` is local time where it has no zone."""
    local = moment.replace(tzinfo=ZONE) if moment.tzinfo is None else moment
    row: dict[str, Any] = dict.fromkeys(EVENTS.names)
    row |= {
        "event_id": f"e{number:06}",
        "name": name,
        "time": local.astimezone(UTC),
        "received_at": local.astimezone(UTC),
        "day": local.astimezone(ZONE).date(),
        "properties": {},
        "source": "test",
    }
    return row | columns


def load(shop: Shop, rows: Rows) -> None:
    with shop.writer("test") as writer:
        writer.load("events", pa.Table.from_pylist(rows, schema=arrow_schema(EVENTS)))


@pytest.fixture(scope="session")
def make_event() -> Callable[..., dict[str, Any]]:
    return event


@pytest.fixture(scope="session")
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeShop]:
    """A function that makes a shop of these rows; ``maintain`` also rolls the days up."""
    with ExitStack() as stack:

        def make(
            rows: Rows,
            *,
            customers: Rows | None = None,
            items: Rows | None = None,
            identities: dict[str, str] | None = None,
            maintain: bool = True,
        ) -> Shop:
            folder: Path = tmp_path_factory.mktemp("shop")
            settings = Settings(time_zone=ZONE.key, currency="CNY", languages=("zh", "en"))
            shop = stack.enter_context(Shop.create(folder / "shop", settings))
            shop.people.upsert(customers or [])
            shop.catalogue.upsert_items(items or [])
            for sent, customer in (identities or {}).items():
                shop.people.identify(sent, customer, "test", datetime(2024, 1, 1, tzinfo=UTC))
            if rows:
                load(shop, rows)
            with shop.writer("test") as writer:
                writer.snapshot()
                if maintain:
                    writer.maintain()
            return shop

        yield make


class World:
    """A shop, and the same events as plain rows with the customer that each belongs to."""

    def __init__(self, shop: Shop, rows: Rows) -> None:
        self.shop = shop
        self.rows = rows
        days = [row["day"] for row in rows]
        self.first: date = min(days)
        self.last: date = max(days)

    def __repr__(self) -> str:  # hypothesis prints arguments: the rows would be too much
        return f"World({self.first}..{self.last})"


_NAMES = ("view_item",) * 5 + ("add_to_cart",) * 2 + ("begin_checkout", "search")
IDENTITIES = {f"v{i}": f"c{i % 40}" for i in range(0, 30, 2)} | {"c3": "c4"}


def _random_rows(chance: random.Random, start: date, days: int, count: int) -> Rows:
    rows: Rows = []
    for _ in range(count):
        moment = datetime(start.year, start.month, start.day) + timedelta(
            days=chance.randrange(days), milliseconds=chance.randrange(86_400_000)
        )
        who = _sender(chance)
        about = {"channel": chance.choice(["ads", "mail", None]), "item_id": _item(chance)}
        kind = chance.random()
        if kind < 0.75:
            rows.append(event(len(rows), moment, chance.choice(_NAMES), **who, **about))
            continue
        order = None if chance.random() < 0.05 else f"o{chance.randrange(400)}"
        name = "refund" if kind > 0.95 else "purchase"
        for _ in range(chance.randrange(1, 4)):
            quantity = float(chance.randrange(1, 5))
            value = round(quantity * chance.choice([3.5, 9.99, 20.0]), 2)
            cost = round(value * 0.6, 2) if chance.random() < 0.7 else None
            line = {"item_id": _item(chance), "quantity": quantity, "value": value, "cost": cost}
            rows.append(event(len(rows), moment, name, order_id=order, **who, **(about | line)))
    return rows


def _sender(chance: random.Random) -> dict[str, str | None]:
    draw = chance.random()
    user = f"c{int(chance.betavariate(1, 2) * 60)}" if draw < 0.7 else None
    visitor = f"v{chance.randrange(30)}" if draw > 0.5 and draw < 0.9 else None
    return {"user_id": user, "anonymous_id": visitor}


def _item(chance: random.Random) -> str | None:
    return f"i{chance.randrange(12)}" if chance.random() < 0.95 else None


def customer_of(row: dict[str, Any]) -> str | None:
    """Whom an event belongs to, worked out in plain Python."""
    user, visitor = row["user_id"], row["anonymous_id"]
    sent = user if user is not None else visitor
    return IDENTITIES.get(sent, sent) if sent is not None else None


@pytest.fixture(scope="session")
def world(make_shop: MakeShop) -> World:
    """Three months of random events of some 70 customers; the last month is not rolled up yet."""
    chance = random.Random(7)
    first, length = date(2024, 1, 18), 90
    rows = _random_rows(chance, first, length, 2500)
    edge = first + timedelta(days=60)
    customers = [
        {
            "customer_id": f"c{i}",
            "country": ["CN", "DE", None][i % 3],
            "language": ["zh", "en"][i % 2],
            "traits": {"city": ["上海", "it's"][i % 2]} if i % 5 else {},
        }
        for i in range(50)
    ]
    items = [
        {
            "item_id": f"i{i}",
            "kind": "product",
            "title": f"item {i}",
            "category": ["Home > Tea", "Home > Cups", "Food", None][i % 4],
            "brand": ["A", "B"][i % 2],
        }
        for i in range(10)
    ]
    shop = make_shop(
        [row for row in rows if row["day"] < edge],
        customers=customers,
        items=items,
        identities=IDENTITIES,
    )
    load(shop, [row for row in rows if row["day"] >= edge])
    plain = [row | {"customer_id": customer_of(row)} for row in rows]
    return World(shop, plain)
