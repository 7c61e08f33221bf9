"""A shop whose customers follow BG/NBD and whose parameters are known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from shopkeeper.core.schema import EVENTS, ITEMS
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import from_rows

FIRST = date(2024, 1, 1)


def crowd(
    shop: Shop, customers: int, days: int, seed: int = 0, taste: float = 0.9
) -> dict[str, list[int]]:
    """Fill the shop; the days of purchase of each customer. Two kinds of customers buy two kinds of items."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    bought: dict[str, list[int]] = {}
    for number in range(customers):
        who, kind = f"c{number:05}", number % 2
        rate, leaves = rng.gamma(1.2) / 25, rng.beta(1.0, 6.0)
        day, mine = float(rng.integers(0, days // 2)), list[int]()
        while day < days:
            mine.append(int(day))
            for line in range(int(rng.integers(1, 5))):
                other = rng.random() > taste
                item = f"i{(kind ^ other) * 40 + int(rng.integers(0, 40)):03}"
                price = 10.0 + number % 7
                rows.append(
                    _line(len(rows), who, int(day), f"{who}-{len(mine)}", item, price, line)
                )
            if rng.random() < leaves:
                break
            day += rng.exponential(1 / rate) + 0.5
        bought[who] = mine
    goods = [
        {
            "item_id": f"i{n:03}",
            "kind": "product",
            "category": "Tea" if n < 40 else "Cups",
            "valid_from": datetime(2023, 1, 1, tzinfo=UTC),
        }
        for n in range(80)
    ]
    with shop.writer("test") as writer:
        rows.sort(key=lambda row: str(row["time"]))
        writer.load(EVENTS.name, from_rows(rows, EVENTS))
        writer.load(ITEMS.name, from_rows(goods, ITEMS))
        writer.maintain()
    return bought


def _line(
    number: int, who: str, day: int, order: str, item: str, price: float, line: int
) -> dict[str, object]:
    time = datetime(FIRST.year, FIRST.month, FIRST.day, 4, line, tzinfo=UTC) + timedelta(days=day)
    return {
        "event_id": f"e{number}",
        "user_id": who,
        "name": "purchase",
        "time": time,
        "received_at": time,
        "day": FIRST + timedelta(days=day),
        "item_id": item,
        "quantity": 1.0,
        "price": price,
        "value": price,
        "currency": "CNY",
        "order_id": order,
        "source": "test",
    }
