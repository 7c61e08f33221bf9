"""A stall: a few plain rows put into a real shop, for tests of customers, recommend and report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa

from shopkeeper.core.schema import EVENTS
from shopkeeper.shop import Shop
from shopkeeper.store.log import Entry
from shopkeeper.warehouse.arrow import arrow_schema

START = datetime(2024, 3, 1, 4, tzinfo=UTC)
"""Noon of the first day in Shanghai."""

Row = dict[str, Any]


def event(
    number: int, day: float, name: str, user: str | None, item: str | None, **more: Any
) -> Row:
    """One row of events, ``day`` days after :data:`START`, for a shop in Shanghai."""
    time = START + timedelta(days=day)
    row: Row = dict.fromkeys(EVENTS.names)
    row |= {
        "event_id": f"e{number:07}",
        "name": name,
        "user_id": user,
        "item_id": item,
        "time": time,
        "received_at": time,
        "day": (time + timedelta(hours=8)).date(),
        "properties": {},
        "source": "test",
    }
    return row | more


def sales(lines: Iterable[tuple[float, str | None, str, float | None]]) -> list[Row]:
    """Purchases of one unit each: (day, customer, item, value); each line is an order of its own."""
    return [
        event(
            n, day, "purchase", user, item, value=value, price=value, quantity=1.0, order_id=f"o{n}"
        )
        for n, (day, user, item, value) in enumerate(lines)
    ]


def stock(shop: Shop, rows: Sequence[Row], items: Sequence[Mapping[str, Any]] = ()) -> Shop:
    """Put the rows into the tables and the items into the catalogue."""
    shop.catalogue.upsert_items({"kind": "product"} | dict(item) for item in items)
    with shop.writer("test") as writer:
        writer.load("events", pa.Table.from_pylist(list(rows), schema=arrow_schema(EVENTS)))
        writer.snapshot()
        writer.maintain()
    return shop


def accept(shop: Shop, row: Row) -> None:
    """Acknowledge a row as the intake does: durable in the log, not yet in the tables."""
    payload = {k: v for k, v in row.items() if v is not None}
    for column in ("time", "received_at"):
        payload[column] = int(row[column].timestamp() * 1_000_000)
    payload["day"] = str(row["day"])
    data = orjson.dumps(payload)
    entry = Entry(row["event_id"], row["user_id"] or "", "", row["received_at"], "events", data)
    assert shop.log.append([[entry]]) == [1]
