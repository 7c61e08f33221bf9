"""A shop whose clock is the test's, with rows planted so that one rule has grounds and others have not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.stall import START, Row, event

from shopkeeper.advice.idea import Idea, rules
from shopkeeper.advice.sizing import crowd
from shopkeeper.advice.view import View
from shopkeeper.core.schema import EVENTS, READINGS, TEXTS
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

ITEMS = [
    {"item_id": "tea-1", "title": "Spring tea", "category": "Tea", "price": 40.0, "stock": 9.0},
    {"item_id": "tea-2", "title": "Black tea", "category": "Tea", "price": 50.0, "stock": 9.0},
    {"item_id": "tea-3", "title": "White tea", "category": "Tea", "price": 45.0, "stock": 9.0},
    {"item_id": "pot-1", "title": "Pot", "category": "Ware", "price": 200.0, "stock": 3.0},
    {"item_id": "cup-1", "title": "Cup", "category": "Ware", "price": 20.0, "stock": 3.0},
]
PRICES = {str(one["item_id"]): float(str(one["price"])) for one in ITEMS}


class Plot:
    """A shop of a hundred days with what a test plants in it."""

    def __init__(self, shop: Shop, days: int = 100) -> None:
        self.shop = shop
        self.days = days
        self._rows: list[Row] = []
        self._texts: list[dict[str, Any]] = []
        self._readings: list[dict[str, Any]] = []
        self.shop.now = lambda: self.time
        self.time = START + timedelta(days=days - 20)
        self.items(ITEMS)
        self.time = START + timedelta(days=days)

    def items(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Put items into the catalogue as of the plot's time."""
        self.shop.catalogue.upsert_items({"kind": "product"} | dict(one) for one in items)
        with self.shop.writer("test") as writer:
            writer.snapshot()

    def did(self, ago: float, name: str, user: str, item: str = "tea-1", **more: Any) -> None:
        number = len(self._rows)
        day = self.days - ago
        self._rows.append(event(number, day, name, user, item, **more))

    def buy(self, ago: float, user: str, item: str = "tea-1", value: float | None = None) -> None:
        price = value if value is not None else PRICES[item]
        told = {"price": price, "quantity": 1.0, "value": price, "order_id": f"o{len(self._rows)}"}
        self.did(ago, "purchase", user, item, **told)

    def wrote(self, ago: float, user: str, mood: str, theme: str = "") -> None:
        """A text of a customer as it was read."""
        at = START + timedelta(days=self.days - ago)
        day, text_id = (at + timedelta(hours=8)).date(), f"t{len(self._texts)}"
        common = {"text_id": text_id, "day": day}
        self._texts.append(
            {
                **common,
                "kind": "review",
                "author_role": "customer",
                "customer_id": user,
                "time": at,
                "body": "Words.",
                "source": "test",
                "item_id": "tea-1",
            }
        )
        read = {**common, "position": 0, "answered_by": "test", "model_version": "1", "time": at}
        self._readings.append({**read, "task": "sentiment", "label": mood})
        if theme:
            self._readings.append({**read, "task": "theme", "label": theme})

    def done(self) -> View:
        """The shop with its rows, as rules look at it; somebody looked around on the last day."""
        self.did(0, "page_view", "passer-by")
        tables = (("events", EVENTS, self._rows), ("texts", TEXTS, self._texts))
        with self.shop.writer("test") as writer:
            for name, table, rows in (*tables, ("readings", READINGS, self._readings)):
                if rows:
                    writer.load(name, pa.Table.from_pylist(rows, schema=arrow_schema(table)))
        return View(self.shop, self.last)

    @property
    def last(self) -> date:
        return (START + timedelta(days=self.days, hours=8)).date()

    def ideas(self, rule: str) -> list[Idea]:
        """What one rule finds."""
        found: list[Idea] = rules()[rule].ideas(self.done())
        return found

    def whom(self, idea: Idea) -> set[str]:
        """Who is meant."""
        counted = crowd(self.shop, [idea], self.last)
        if not counted.groups:
            return set()
        held = counted.groups[0].held
        return {one for one, there in zip(counted.ids, held, strict=True) if there}


@pytest.fixture
def plot(tmp_path: Path) -> Iterator[Plot]:
    settings = Settings(name="Tea", time_zone="Asia/Shanghai", currency="CNY")
    with Shop.create(tmp_path / "shop", settings) as shop:
        yield Plot(shop)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Plot]:
    """The same on either kind of database."""
    kind = request.param
    address = "" if kind == "sqlite" else request.getfixturevalue("postgres_store")
    folder = tmp_path / "shop"
    folder.mkdir()
    settings = Settings(time_zone="Asia/Shanghai", currency="CNY", database=address)
    with Shop(folder, settings) as shop:
        yield Plot(shop)
